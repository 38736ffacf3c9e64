"""Positions in PostgreSQL's write-ahead log, and the checkpoint that a stream keeps of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import msgspec

from onefold.connectors.stored_position import stored


@dataclass(frozen=True, slots=True, order=True)
class Lsn:
    """A place in the log of one PostgreSQL. `str` writes it as PostgreSQL does: 16/B374D848."""

    value: int

    @classmethod
    def parse(cls, text: str) -> Lsn:
        """Raises ValueError when the text is no such place."""
        high, _, low = text.partition("/")
        return cls((int(high, 16) << 32) | int(low, 16))

    def __str__(self) -> str:
        return f"{self.value >> 32:X}/{self.value & 0xFFFFFFFF:X}"


def cursor(epoch: int, commit: Lsn, number: int) -> str:
    """What orders a change: the epoch of its slot, the position of its transaction's commit, then its number inside the
    transaction, all at a fixed width. (The position of a change itself does not rise across transactions, and a server
    that was restored counts from an earlier position on.)"""
    return f"{epoch:09X}.{commit.value:016X}.{number:010d}"


_NUMERIC = 1700
_CUT = frozenset({1042, 1083, 1114, 1184, 1186, 1266, 1560, 1562})
"""char(n), bit and the types of time: what is longer than their modifier says is cut."""


def column_type(oid: int, modifier: int) -> int:
    """A column's type as one number: another one where altering the column has changed the values of its rows. That is
    the type's oid and, above it, how many digits it keeps, where it has a limit."""
    if modifier < 0 or oid not in {_NUMERIC, *_CUT}:
        return oid
    return oid | (((modifier - 4) & 0x7FF if oid == _NUMERIC else modifier) + 1) << 32


def oid_of(column_type: int) -> int:
    """The oid of a column's type."""
    return column_type & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a stream is published, and in whose log.

    `source` is PostgreSQL's system identifier, `slot` the replication slot, and `epoch` when it was made, by the
    source's clock in seconds since 1970. `position` is what is published up to (not included). `columns` are the
    columns that the stream reads with their types (column_type), as the source described them last. `as_of` is
    when the log ended at the position, by the source's clock.
    """

    source: str
    slot: str
    epoch: int
    position: Lsn
    columns: dict[str, int]
    as_of: datetime | None = None

    def text(self) -> str:
        """The checkpoint as it is stored."""
        return msgspec.json.encode(asdict(self) | {"position": str(self.position)}).decode()

    @classmethod
    def of(cls, text: str, named: str) -> Checkpoint:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        with stored(named, "position in a log of changes"):
            found = msgspec.json.decode(text, type=_Stored)
            position = Lsn.parse(found.position)
        return cls(found.source, found.slot, found.epoch, position, found.columns, found.as_of)


class _Stored(msgspec.Struct):
    source: str
    slot: str
    epoch: int
    position: str
    columns: dict[str, int]
    as_of: datetime | None = None
