"""Files with secrets or personal values, outside the database: readable by their owner alone from the first byte on."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from onefold.errors import Fatal
from onefold.private_files import FILE, FOLDER, UMASK, append_private


def write_secret(path: Path, content: bytes) -> None:
    """Write the file anew, complete and on disk, or leave it as it was."""
    path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def append_secret(path: Path, content: bytes) -> None:
    """Add to the file's end, on disk when it returns."""
    with append_private(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_secret(path: Path) -> bytes:
    """The file's content. Raises Fatal when others may read the file."""
    if stat.S_IMODE(path.stat().st_mode) & UMASK:
        raise Fatal(f"Others may read {path}, which holds what nobody else may see. Run: chmod 600 {path}")
    return path.read_bytes()


def destroy(path: Path) -> None:
    """Overwrite the file's bytes, then remove it; nothing where there is none."""
    if path.exists():
        with path.open("r+b") as file:
            file.write(b"\0" * path.stat().st_size)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
