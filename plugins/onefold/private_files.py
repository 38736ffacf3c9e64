"""Files and folders that nobody but their owner may read: logs, the heads of the audit chain."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import BinaryIO

FILE, FOLDER = 0o600, 0o700
UMASK = 0o077
"""For processes that make their files themselves."""


def private_folder(path: Path) -> Path:
    """Make the folder where it is missing, and take from others what they may do there; returns it.

    For folders of an installation only: in any other, as /tmp, others have work to do.
    """
    path.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    if path.stat().st_mode & UMASK:
        path.chmod(FOLDER)
    return path


def append_private(path: Path) -> BinaryIO:
    """The file, opened to be read and appended to; made with its folder where it is missing.

    A folder that is there keeps its permissions: the file may stand in /tmp.
    """
    path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE), "a+b")
    if os.fstat(file.fileno()).st_mode & UMASK:
        os.fchmod(file.fileno(), FILE)
    return file


def write_private(path: Path, content: bytes) -> None:
    """Write the file anew, complete and on disk, or leave it as it was; made with its folder where it is missing."""
    draft_private(path, content).replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def draft_private(path: Path, content: bytes) -> Path:
    """A file beside `path` with this content, on disk: to be renamed or linked to it."""
    path.parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft
