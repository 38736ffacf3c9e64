"""Positions in PostgreSQL's write-ahead log, and the checkpoint that a stream keeps of them."""

from __future__ import annotations

from dataclasses import dataclass

from onefold.connectors.cdc.checkpoint import LogCheckpoint


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(LogCheckpoint[Lsn, int]):
    """`source` is PostgreSQL's system identifier, `slot` the replication slot, whose making is the epoch. A column's
    type is a number (column_type)."""

    slot: str

    @classmethod
    def of(cls, text: str, named: str) -> Checkpoint:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        return cls.read(text, named, Lsn)
