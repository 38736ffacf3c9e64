"""Files with secrets or personal values, outside the database: readable by their owner alone from the first byte on."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from onefold.errors import Fatal
from onefold.private_files import UMASK, append_private


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
