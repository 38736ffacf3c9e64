"""The files that make the warehouse's schema: numbered migrations, which run once, and repeatable ones."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from onefold.errors import Fatal

FOLDER = Path(__file__).parent / "migrations"
_NAME = re.compile(r"\d{4}_[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file: its name without ".sql", and its content."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def numbered_migrations(folder: Path = FOLDER) -> tuple[SqlFile, ...]:
    """NNNN_name.sql in the order in which they run. Raises Fatal when a file is named otherwise."""
    files = _read(folder)
    if wrong := [file.name for file in files if not _NAME.fullmatch(file.name)]:
        raise Fatal(
            f"{folder / wrong[0]}.sql is not named NNNN_what_it_does.sql (four digits, then lower-case words), so its "
            "place in the order is not known. Rename it."
        )
    return files


def repeatable_files(folder: Path = FOLDER) -> tuple[SqlFile, ...]:
    """Functions, comments, views and grants, in the order in which they run."""
    return _read(folder / "repeatable")


def fingerprint(files: tuple[SqlFile, ...]) -> str:
    """SHA-256 over the names and contents of all files: 64 hex digits."""
    return hashlib.sha256("".join(f"{file.name} {file.sha256}\n" for file in files).encode()).hexdigest()


def _read(folder: Path) -> tuple[SqlFile, ...]:
    return tuple(SqlFile(path.stem, path.read_bytes()) for path in sorted(folder.glob("*.sql")))
