"""Time-stamps by an authority (RFC 3161): its signature says that a checkpoint existed at a time.

openssl writes the query and checks the answer; both are its `ts` command's, so that anybody can check them again. The
answer is kept beside the anchors, in timestamps/<events>.checkpoint and .tsr.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from onefold.audit.anchor import Anchor
from onefold.errors import Fatal, Retriable

_SECONDS = 10
_TIME = re.compile(r"^Time stamp: (.+ GMT)$", re.MULTILINE)


@dataclass(frozen=True)
class TimeStampAuthority:
    """An authority that is asked by HTTP, and the roots that its certificate leads to."""

    name: str
    url: str
    roots: Path
    seconds_between: int = 900

    def send(self, newest: Anchor, path: Path) -> None:
        """Have the newest checkpoint stamped, check the stamp and keep it.

        Raises Retriable when the authority does not answer, Fatal when its answer is no good stamp of this checkpoint.
        """
        import requests

        folder = stamps_folder(path)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        note = folder / f"{newest.seq:012}.checkpoint"
        note.write_text(newest.checkpoint)
        with tempfile.TemporaryDirectory() as work:
            query, answer = Path(work, "query.tsq"), Path(work, "answer.tsr")
            _openssl("ts", "-query", "-data", str(note), "-sha256", "-cert", "-out", str(query))
            try:
                response = requests.post(
                    self.url,
                    data=query.read_bytes(),
                    headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
                    timeout=_SECONDS,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise Retriable(f"{self.name} did not answer: {type(error).__name__}.") from error
            if response.status_code != requests.codes.ok:
                raise Retriable(f"{self.name} answered {response.status_code}.")
            answer.write_bytes(response.content)
            done = _openssl_says(
                "ts", "-verify", "-queryfile", str(query), "-in", str(answer), "-CAfile", str(self.roots)
            )
            if done.returncode:
                raise Fatal(f"{self.name} gave no good time-stamp: {_last_line(done)}. Is ONEFOLD_TSA_CA its root?")
            shutil.copyfile(answer, note.with_suffix(".tsr"))


def stamps_folder(path: Path) -> Path:
    """Where the time-stamps of the anchors in the file `path` are kept."""
    return path.with_name("timestamps")


def stamped(path: Path) -> list[Path]:
    """The checkpoints that have a time-stamp beside them, oldest first."""
    return [note for note in sorted(stamps_folder(path).glob("*.checkpoint")) if note.with_suffix(".tsr").exists()]


def time_of(note: Path, roots: Path) -> datetime:
    """When the authority saw this checkpoint, in UTC. Raises Fatal when its stamp is none of this file by it."""
    stamp = note.with_suffix(".tsr")
    done = _openssl_says("ts", "-verify", "-data", str(note), "-in", str(stamp), "-CAfile", str(roots))
    if done.returncode:
        raise Fatal(f"{stamp} is no time-stamp of {note.name} by the authority in {roots}: {_last_line(done)}.")
    found = _TIME.search(_openssl("ts", "-reply", "-in", str(stamp), "-text"))
    if found is None:
        raise Fatal(f"{stamp} says no time.")
    text = re.sub(r"\.\d+ ", " ", " ".join(found[1].split()))
    return datetime.strptime(text, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)


def _openssl(*arguments: str) -> str:
    done = _openssl_says(*arguments)
    if done.returncode:
        raise Fatal(f"openssl {arguments[0]} {arguments[1]} failed: {_last_line(done)}.")
    return done.stdout


def _openssl_says(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("openssl")
    if program is None:
        raise Fatal("Time-stamps need the program openssl, which is not installed: apt-get install openssl.")
    command: Sequence[str] = [program, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_SECONDS, stdin=subprocess.DEVNULL
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1][:200] if lines else f"exit code {done.returncode}"
