"""Files and folders that nobody but their owner may read: logs, the heads of the audit chain."""

from __future__ import annotations

import os
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
