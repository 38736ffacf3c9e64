"""Positions in the log of a MariaDB or MySQL, and the checkpoint that a stream keeps of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onefold.connectors.cdc.checkpoint import LogCheckpoint

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(LogCheckpoint[Position, str]):
    """The epoch is when the table was read whole. `created` is when the server made the position's file, in seconds
    since 1970: a log that was begun anew has the same names."""

    created: int

    @classmethod
    def of(cls, text: str, named: str) -> Checkpoint:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        return cls.read(text, named, Position)
