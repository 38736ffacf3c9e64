"""The messages of PostgreSQL's logical replication, protocol version 1 (manual, "Logical Replication Message Formats").

Each transaction comes whole, after its commit and in the order of the commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from struct import Struct
from typing import Final, Literal

from onefold.connectors.cdc.postgres.position import Lsn, column_type
from onefold.errors import Fatal


class Mark(Enum):
    """What stands in the place of a value."""

    UNCHANGED = "a large value that was stored apart and did not change: the log does not repeat it"
    ABSENT = "the log names only the row's identity"


UNCHANGED: Final = Mark.UNCHANGED
ABSENT: Final = Mark.ABSENT
Value = bytes | None | Literal[Mark.UNCHANGED, Mark.ABSENT]
"""A value as PostgreSQL writes it; None is NULL."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction begins that was committed at `commit`."""

    commit: Lsn


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction ends, and its part of the log at `end`; it was committed `microseconds` after 2000 began (UTC)."""

    end: Lsn
    microseconds: int

    @property
    def at(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.microseconds)


@dataclass(frozen=True, slots=True)
class Relation:
    """How the rows of a table look from here on: name and type (column_type) of each column, and which identify a
    row."""

    id: int
    columns: tuple[tuple[str, int], ...]
    identity: frozenset[int]


@dataclass(frozen=True, slots=True)
class RowChange:
    """A row was inserted (`new`), updated (`new`, and `old` where the log has it) or deleted (`old`)."""

    relation: int
    new: list[Value] | None
    old: list[Value] | None


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tables were emptied."""

    relations: frozenset[int]


Message = Begin | Commit | Relation | RowChange | Truncate

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_BEGIN = Struct("!xQ")
_COMMIT = Struct("!10xQq")
_INT = Struct("!i")
_SHORT = Struct("!h")
_TYPE = Struct("!Ii")
_INSERT, _UPDATE, _DELETE, _TUPLE, _NULL, _TEXT, _SAME = b"IUDNntu"
_KEY, _OLD = b"KO"
_SKIPPED = frozenset(b"YOM")
"""Type, Origin, Message: they say nothing that counts here."""


def decoded(data: bytes) -> Message | None:
    """The message; None where it says nothing that counts. Raises Fatal when it is of no known kind."""
    kind = data[0]
    if kind == _INSERT:
        return RowChange(_INT.unpack_from(data, 1)[0], _values(data, 6)[0], None)
    if kind == _UPDATE:
        return _update(data)
    if kind == _DELETE:
        return RowChange(_INT.unpack_from(data, 1)[0], None, _values(data, 6)[0])
    if kind == ord("B"):
        return Begin(Lsn(_BEGIN.unpack_from(data)[0]))
    if kind == ord("C"):
        end, microseconds = _COMMIT.unpack_from(data)
        return Commit(Lsn(end), microseconds)
    if kind == ord("R"):
        return _relation(data)
    if kind == ord("T"):
        count = _INT.unpack_from(data, 1)[0]
        return Truncate(frozenset(_INT.unpack_from(data, 6 + 4 * each)[0] for each in range(count)))
    if kind in _SKIPPED:
        return None
    raise Fatal(f"the log has a message of an unknown kind ({chr(kind)!r}). Please report it as a bug.")


def _update(data: bytes) -> RowChange:
    at, old = 6, None
    if data[5] in (_KEY, _OLD):
        old, at = _values(data, 6)
        at += 1  # the N of the new row
    return RowChange(_INT.unpack_from(data, 1)[0], _values(data, at)[0], old)


def _values(data: bytes, at: int) -> tuple[list[Value], int]:
    """The values of a row that begins there, and where it ends."""
    (count,) = _SHORT.unpack_from(data, at)
    at += 2
    values: list[Value] = []
    for _ in range(count):
        kind = data[at]
        if kind == _TEXT:
            end = at + 5 + _INT.unpack_from(data, at + 1)[0]
            values.append(data[at + 5 : end])
            at = end
            continue
        values.append(None if kind == _NULL else UNCHANGED)
        at += 1
    return values, at


def _relation(data: bytes) -> Relation:
    (relation,) = _INT.unpack_from(data, 1)
    _, at = _string(data, 5)
    _, at = _string(data, at)
    (count,) = _SHORT.unpack_from(data, at + 1)  # after the setting of the table's identity
    at += 3
    columns: list[tuple[str, int]] = []
    identity: set[int] = set()
    for place in range(count):
        if data[at] & 1:
            identity.add(place)
        name, at = _string(data, at + 1)
        columns.append((name, column_type(*_TYPE.unpack_from(data, at))))
        at += 8
    return Relation(relation, tuple(columns), frozenset(identity))


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(0, at)
    return data[at:end].decode(), end + 1
