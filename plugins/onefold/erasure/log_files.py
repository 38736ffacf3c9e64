"""Logs of tasks and services on this machine. No personal value reaches them; of the person an erasure proves it.

What is found all the same is overwritten where it stands, byte for byte: a service goes on appending to its file, and
nothing of the old bytes is left on disk.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from onefold.privacy.values import KnownValues

_PORTION = 1 << 20


def lines_naming(folder: Path, known: KnownValues) -> Counter[str]:
    """In how many lines of the files below the folder a value of the person stands, by file."""
    return _search(folder, known, overwrite=False)


def overwrite_in_logs(folder: Path, known: KnownValues) -> Counter[str]:
    """Overwrite the person's values with # in the files below the folder; returns in how many lines, by file."""
    return _search(folder, known, overwrite=True)


def _search(folder: Path, known: KnownValues, *, overwrite: bool) -> Counter[str]:
    found: Counter[str] = Counter()
    for path in sorted(folder.rglob("*")) if known.values else ():
        if path.is_file() and not path.is_symlink() and (lines := _search_file(path, known, overwrite=overwrite)):
            found[str(path.relative_to(folder))] = lines
    return found


def _search_file(path: Path, known: KnownValues, *, overwrite: bool) -> int:
    count = 0
    with path.open("r+b" if overwrite else "rb") as file:
        position = 0
        while lines := file.readlines(_PORTION):
            for line in lines:
                text = line.decode(errors="surrogateescape")
                if spans := known.find(text, personal=True):
                    count += 1
                    if overwrite:
                        parts = [(len(_bytes(text[: span.start])), len(_bytes(text[: span.end]))) for span in spans]
                        _overwrite(file.fileno(), position, parts)
                position += len(line)
        if count and overwrite:
            os.fsync(file.fileno())
    return count


def _overwrite(descriptor: int, line: int, parts: Iterable[tuple[int, int]]) -> None:
    for start, end in parts:
        os.pwrite(descriptor, b"#" * (end - start), line + start)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
