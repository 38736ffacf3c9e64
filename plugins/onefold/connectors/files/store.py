"""Where files come from: a folder (file:///absolute/path) or a bucket of an S3-compatible store (s3://bucket/prefix).

A file is taken whole before anything in it is read: copied to a temporary file of our own, and only if it was the same
before and after. So nobody can change what is being read.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol, Self

from onefold.errors import Retriable
from onefold.foreign_text import text_hash
from onefold.http.spool import Spool, chunks


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there: its name below the folder or prefix, when it was changed (UTC), its size in bytes, and a
    tag that is another one when it has been changed."""

    name: str
    modified: datetime
    size: int
    tag: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A private copy of a file, from its start; `hash` is that of its content."""

    content: Spool
    hash: str

    def close(self) -> None:
        self.content.close()


class Store(Protocol):
    """The one way to files. A context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def found(self, pattern: str) -> Iterator[Found]:
        """The files whose name fits (`*` within a folder, `**/` for any folders), and markers beside them."""
        ...

    def take(self, file: Found) -> Taken | None:
        """The file as it was when it was found; None when it is another one by now, or gone."""
        ...


class Folder:
    """A folder of this machine, or one that is mounted. Links that lead out of it are not followed."""

    def __init__(self, root: Path, connection: str) -> None:
        self._root = root
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def found(self, pattern: str) -> Iterator[Found]:
        """Raises Retriable when the folder is not there: a mount that is gone must not pass for an empty one."""
        if not self._root.is_dir():
            raise Retriable(
                f"the folder {self._root} of the Airflow connection {self._connection!r} is not there (or may not be "
                "read). Mount it, or fix the connection's host; nothing was changed here."
            )
        home, fits = self._root.resolve(), fitting(pattern)
        for folder, _, names in os.walk(self._root / fixed_folder(pattern)):
            for each in names:
                path = Path(folder, each)
                name = path.relative_to(self._root).as_posix()
                if fits(name) and path.resolve().is_relative_to(home):
                    try:
                        stat = path.stat()
                    except FileNotFoundError:  # renamed or taken away since it was listed
                        continue
                    yield Found(name, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size, _tag(stat))

    def take(self, file: Found) -> Taken | None:
        path = self._root / file.name
        try:
            with path.open("rb") as source:
                if _tag(os.fstat(source.fileno())) != file.tag:
                    return None
                taken = copied(chunks(source))
                same = _tag(os.fstat(source.fileno())) == file.tag == _tag(path.stat())
        except FileNotFoundError:
            return None
        except PermissionError as error:
            raise Retriable(
                f"{shown_file(self._root.as_posix(), file)} may not be read: {error.strerror}. Give the user that "
                "Onefold runs as the right to read it; nothing was changed here."
            ) from error
        if not same or taken.content.seek(0, os.SEEK_END) != file.size:
            taken.close()
            return None
        taken.content.seek(0)
        return taken


def shown_file(pattern: str, file: Found) -> str:
    """How messages call a file: people name files after people (its name stands in ops.stream_checkpoint)."""
    return f"a file of {pattern} of {file.size:,} bytes (name's hash {text_hash(file.name.encode(errors='replace'))})"


def copied(pieces: Iterator[bytes]) -> Taken:
    """A private copy of what comes, and its hash."""
    content, digest = Spool(), hashlib.sha256()
    for piece in pieces:
        content.write(piece)
        digest.update(piece)
    return Taken(content.rewound(), digest.hexdigest())


def fixed_folder(pattern: str) -> str:
    """The part of a pattern before the first folder or name with a wildcard: wyciagi/2026 of wyciagi/2026/*.csv."""
    fixed = re.split(r"[*?]", pattern, maxsplit=1)[0]
    return fixed.rpartition("/")[0]


def fitting(pattern: str) -> Callable[[str], bool]:
    """Whether a name fits a pattern, packed or not, or is a marker's beside one that does (x.csv.done beside x.csv)."""
    regex = re.compile(rf"{_regex(pattern)}{_PACKED}(?:\.\w+)?", re.DOTALL)
    return lambda name: regex.fullmatch(name) is not None


def matching(pattern: str, name: str) -> bool:
    """Whether the name fits the pattern itself, or would but for .gz or .zip at its end."""
    return re.fullmatch(_regex(pattern) + _PACKED, name, re.DOTALL) is not None


_PACKED = r"(?:\.(?:gz|zip|GZ|ZIP))?"


@cache
def _regex(pattern: str) -> str:
    parts = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(each, re.escape(each)) for each in re.split(r"(\*\*/|\*|\?)", pattern))


def _tag(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}"
