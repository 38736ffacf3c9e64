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
from stat import S_ISREG
from typing import Protocol, Self

from onefold.errors import Fatal, Retriable
from onefold.foreign_text import text_hash
from onefold.http.spool import Spool, chunks

LONGEST_NAME = 1000
"""Bytes of a file's name below its folder: it is part of a key in the warehouse, whose keys have a limit."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""When a file was changed of which that cannot be said."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there: its name below the folder or prefix, when it was changed (UTC), its size in bytes, a tag
    that is another one when it has been changed, and why it cannot be read, where that can be seen from outside."""

    name: str
    modified: datetime
    size: int
    tag: str
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A private copy of a file, from its start; `hash` is that of its content."""

    content: Spool
    hash: str

    def close(self) -> None:
        self.content.close()


class Unreadable(Exception):
    """A file that is there and cannot be read: its text says why, and what to do. The next load tries again."""


class Store(Protocol):
    """The one way to files. A context manager."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def found(self, pattern: str) -> Iterator[Found]:
        """The files whose name fits (`*` within a folder, `**/` for any folders), and markers beside them."""
        ...

    def take(self, file: Found) -> Taken | None:
        """The file as it was when it was found; None when it is another one by now, or gone. Raises Unreadable."""
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
        home, fits, deepest = self._root.resolve(), fitting(pattern), depth(pattern)
        for folder, folders, names in os.walk(self._root / fixed_folder(pattern), onerror=self._not_listed):
            if deepest is not None and len(Path(folder).relative_to(self._root).parts) >= deepest:
                folders.clear()  # they hold nothing that fits
            for each in names:
                path = Path(folder, each)
                raw = path.relative_to(self._root).as_posix()
                name = printable(raw)
                if fits(name) and Path(os.path.realpath(path)).is_relative_to(home):
                    try:
                        stat = path.stat()
                    except FileNotFoundError:  # renamed or taken away since it was listed
                        continue
                    except OSError as error:  # a link to itself, a disk that is damaged
                        yield Found(name, BEGINNING, 0, "", f"it cannot be looked at: {error.strerror}")
                        continue
                    yield _found(name, stat, as_it_is=raw == name)

    def _not_listed(self, error: OSError) -> None:
        if isinstance(error, FileNotFoundError):
            return
        raise Fatal(
            f"a folder in {self._root} of the Airflow connection {self._connection!r} may not or cannot be listed "
            f"({error.strerror}), so files in it would be missed: give the user that Onefold runs as the right to list "
            "it, or begin request.path with a folder beside it. Nothing was changed here."
        ) from error

    def take(self, file: Found) -> Taken | None:
        path = self._root / file.name
        try:
            with open(path, "rb", opener=_without_waiting) as source:
                if _tag(os.fstat(source.fileno())) != file.tag:
                    return None
                taken = copied(chunks(source), file.size)
                same = _tag(os.fstat(source.fileno())) == file.tag == _tag(path.stat())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unreadable(
                f"it may not or cannot be read ({error.strerror}): give the user that Onefold runs as the right to "
                "read it, or take it away"
            ) from error
        if not same or taken.content.seek(0, os.SEEK_END) != file.size:
            taken.close()
            return None
        taken.content.seek(0)
        return taken


def shown_file(pattern: str, file: Found) -> str:
    """How messages call a file: people name files after people (its name stands in ops.stream_checkpoint)."""
    return f"a file of {pattern} of {file.size:,} bytes (name's hash {text_hash(file.name.encode(errors='replace'))})"


def _without_waiting(path: str, flags: int) -> int:
    """Opens a file; what has become a FIFO by now would be waited for until somebody writes into it."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _found(name: str, stat: os.stat_result, *, as_it_is: bool) -> Found:
    """The file; one that is none, or whose time is none, with its fault."""
    try:
        modified = datetime.fromtimestamp(stat.st_mtime, UTC)
    except (ValueError, OverflowError, OSError):
        modified = None
    fault = None if S_ISREG(stat.st_mode) else NO_FILE
    return found_as(name, modified, stat.st_size, _tag(stat), fault, is_text=as_it_is)


NO_FILE = "it is no regular file (a FIFO, a device, a socket): take it away"


def found_as(
    name: str, modified: datetime | None, size: int | None, tag: str, fault: str | None = None, *, is_text: bool = True
) -> Found:
    """A file of any store, with its fault: the one given, a name that the warehouse cannot have (`is_text`: it is
    called so there), or a time or a size that is None."""
    if fault is None and not is_text:
        fault = "its name is not UTF-8: give it another"
    elif fault is None and len(name.encode()) > LONGEST_NAME:
        fault = f"its name, with its folders, is longer than {LONGEST_NAME} bytes: shorten it"
    elif fault is None and (modified is None or size is None):
        fault = "its listing does not say its time or its size, or one beyond the calendar: put it there anew"
    return Found(_short(name), modified or BEGINNING, size or 0, tag, fault)


def printable(name: str) -> str:
    """A file's name as text that can be stored: bytes of it that are not UTF-8 are written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _short(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME:
        return name
    folder, _, last = name.rpartition("/")  # the last part stays, so that the pattern fits it as before
    return f"{folder[:100]}…{hashlib.sha256(name.encode()).hexdigest()[:16]}/{last}"


class Copy:
    """A private copy that is being made of a file of so many bytes."""

    def __init__(self, size: int) -> None:
        self._content, self._digest = Spool(), hashlib.sha256()
        self._size, self._copied = size, 0

    def add(self, piece: bytes) -> bool:
        """Whether more may come: of what grows beyond its size no more is taken than shows that it does."""
        self._content.write(piece)
        self._digest.update(piece)
        self._copied += len(piece)
        return self._copied <= self._size

    def taken(self) -> Taken:
        """What was copied, and its hash."""
        return Taken(self._content.rewound(), self._digest.hexdigest())

    def whole(self) -> Taken | None:
        """The same; None where it is not of that size."""
        if self._copied == self._size:
            return self.taken()
        self._content.close()
        return None


def copied(pieces: Iterator[bytes], size: int) -> Taken:
    """A private copy of what comes, and its hash; of what grows beyond its size no more than shows that it does."""
    copy = Copy(size)
    for piece in pieces:
        if not copy.add(piece):
            break
    return copy.taken()


def depth(pattern: str) -> int | None:
    """How many folders deep the names that fit may lie; None: there is no limit."""
    return None if "**/" in pattern else pattern.count("/")


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
