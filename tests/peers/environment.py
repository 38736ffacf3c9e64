"""Python environments of their own for foreign programs, beside the project's: their packages need other versions."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from onefold.settings import ROOT

HERE = Path(__file__).parent
_FETCH_SECONDS = 600


def environment(name: str, python: str = "3.11", pinned: Path | None = None) -> Path:
    """The folder of programs of an environment with the packages that a file pins, tests/peers/<name>.txt where none
    is named; it is made in .venv/peers where it is not there, or has other packages."""
    pinned = pinned or HERE / f"{name}.txt"
    home = ROOT / ".venv" / "peers" / name.replace("/", "-")
    stamp, wanted = home / ".packages", hashlib.sha256(pinned.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = ROOT / ".venv" / "uv" / "bin" / "uv"
        _run(uv, "venv", "--quiet", "--clear", "--python", python, home)
        program = home / "bin" / "python"
        _run(uv, "pip", "sync", "--quiet", "--require-hashes", "--system-certs", "--python", program, pinned)
        stamp.write_text(wanted)
    return home / "bin"


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, timeout=_FETCH_SECONDS)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, f"{said}\nA Python that is missing has to be installed where uv finds it."
