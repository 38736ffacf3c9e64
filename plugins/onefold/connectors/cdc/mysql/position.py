"""Positions in the log of a MariaDB or MySQL, and the checkpoint that a stream keeps of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime

import msgspec

from onefold.connectors.stored_position import stored

FIRST = 4
"""The offset of a file's first event."""
_LAST = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """An offset in one of the log's numbered files. `str` writes it as binlog.000012:4567."""

    number: int
    offset: int
    name: str
    """The files' name without their number."""

    @classmethod
    def of(cls, file: str, offset: int) -> Position:
        """Raises ValueError when the file is none of a log."""
        name, _, number = file.rpartition(".")
        return cls(int(number), offset, name)

    @classmethod
    def parse(cls, text: str) -> Position:
        """Raises ValueError when the text is no position."""
        file, _, offset = text.rpartition(":")
        return cls.of(file, int(offset))

    def __str__(self) -> str:
        return f"{self.file}:{self.offset}"

    @property
    def file(self) -> str:
        return f"{self.name}.{self.number:06d}"

    @property
    def following(self) -> Position:
        """The beginning of the next file."""
        return replace(self, number=self.number + 1, offset=FIRST)

    def after(self, low: int) -> Position:
        """The next position in the file of which the event's head gives the low 32 bits."""
        offset = self.offset & ~_LAST | low
        return replace(self, offset=offset if offset >= self.offset else offset + _LAST + 1)

    @property
    def readable(self) -> Position:
        """Where to ask the server to begin: it is asked in 32 bits. What is longer ends with one long transaction."""
        return self.following if self.offset > _LAST else self


def cursor(epoch: int, begun: Position, number: int) -> str:
    """What orders a change: the epoch of its snapshot, where its transaction begins in the log, which has them one
    after the other as they were committed, then its number inside the transaction, all at a fixed width."""
    return f"{epoch:09X}.{begun.number:010d}.{begun.offset:012X}.{number:010d}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a stream is published, and in whose log.

    `source` tells the server, `epoch` when its table was read whole, by the source's clock in seconds since 1970.
    `position` is what is published up to (not included), `created` when the server made that file, in seconds since
    1970: a log that was begun anew has the same names. `columns` are the columns that the stream reads, as the database
    describes them. `as_of` is when the log ended at the position, by the source's clock.
    """

    source: str
    epoch: int
    position: Position
    created: int
    columns: dict[str, str]
    as_of: datetime | None = None

    def text(self) -> str:
        """The checkpoint as it is stored."""
        return msgspec.json.encode(asdict(self) | {"position": str(self.position)}).decode()

    @classmethod
    def of(cls, text: str, named: str) -> Checkpoint:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        with stored(named, "position in a log of changes"):
            found = msgspec.json.decode(text, type=_Stored)
            position = Position.parse(found.position)
        return cls(found.source, found.epoch, position, found.created, found.columns, found.as_of)


class _Stored(msgspec.Struct):
    source: str
    epoch: int
    position: str
    created: int
    columns: dict[str, str]
    as_of: datetime | None = None
