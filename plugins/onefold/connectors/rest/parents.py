"""The parents whose records are asked for: read from their stream, kept on disk, given in a fixed order.

There may be hundreds of thousands, so they are no objects of ours: SQLite keeps them in a file that nobody else sees,
and that is gone when it is closed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import msgspec

from onefold.catalog.parent import Parent, place_of
from onefold.catalog.stream import Stream
from onefold.connectors.json_shape import Path, at, shape
from onefold.connectors.record import Record
from onefold.connectors.records import dotted
from onefold.connectors.rest.fill import Values, text_of

_FIRST = {bytes([each]) for each in b'"-0123456789'}
LONGEST = 1000
"""Bytes of a value that is filled in; the key of a record may have some more."""
CACHE_KIB = 8192


@dataclass(frozen=True, slots=True)
class OneParent:
    """A parent to be asked. `partition` is the value by which its records belong to it, `mark` its cursor."""

    partition: str
    key: str
    mark: str
    values: Values


class Asking(msgspec.Struct, array_like=True):
    """What is kept of a partition from load to load: the mark of its parents when they were read, and how many records
    there were; of one that could not be read what to ask for again."""

    mark: str | None = None
    again: list[tuple[str, dict[str, msgspec.Raw]]] = []
    count: int = 0

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def asking(text: str | None) -> Asking:
    """What a checkpoint holds; nothing where there is none of a partition."""
    return msgspec.json.decode(text, type=Asking) if text and text.startswith("[") else Asking()


class Picking:
    """Takes out of a parent's record, or an event, what is filled in, by its names. None of it where one is missing."""

    def __init__(self, at: Mapping[str, Path]) -> None:
        self._at = at
        wanted: list[tuple[Path, type[msgspec.Raw], bool]] = [
            (path, msgspec.Raw, False) for path in dict.fromkeys(self._at.values())
        ]
        self._decoder = msgspec.json.Decoder(shape(wanted))

    @classmethod
    def of_parent(cls, parent: Parent, of: Stream) -> Self:
        """What takes the values out of a record of the parent's stream."""
        return cls({name: dotted(place_of(path, of.fields) or path) for name, path in parent.fill.items()})

    def values(self, payload: bytes) -> dict[str, msgspec.Raw] | None:
        """Each value as JSON; None where one is missing, null, or neither a text nor a number."""
        try:
            content = self._decoder.decode(payload)
            found = {name: at(content, path) for name, path in self._at.items()}
        except (msgspec.DecodeError, RecursionError):
            return None
        raws = {name: b"" if value is None else bytes(value) for name, value in found.items()}
        if not all(map(_is_fit, raws.values())):
            return None
        return {name: msgspec.Raw(raw) for name, raw in raws.items()}


def _is_fit(raw: bytes) -> bool:
    """Whether it is a text or a number that can be part of a key."""
    return raw[:1] in _FIRST and raw != b'""' and len(raw) <= LONGEST and b"\\u0000" not in raw


class Parents:
    """A context manager."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # "": a file of SQLite's own
        self._db.execute(f"pragma cache_size = -{CACHE_KIB}")
        self._db.execute("pragma journal_mode = off")
        self._db.execute("pragma synchronous = off")
        self._db.execute(
            'create table parent (partition text, "key" text, mark text, "values" blob, gone integer,'
            ' primary key (partition, "key")) without rowid'
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def add(self, belongs: str, found: Iterable[tuple[Record, dict[str, msgspec.Raw]]]) -> None:
        """Parents of one page with their values, of which `belongs` says whose the records are. Of a parent that comes
        twice the newer one counts, and of two alike the later."""
        rows = (
            (text_of(values[belongs]), record.key, record.cursor or "", msgspec.json.encode(values), record.deleted)
            for record, values in found
        )
        self._all(
            "insert into parent values (?, ?, ?, ?, ?) on conflict do update set mark = excluded.mark,"
            ' "values" = excluded."values", gone = excluded.gone where excluded.mark >= mark',
            rows,
        )

    def add_again(self, partitions: Mapping[str, Sequence[tuple[str, Values]]]) -> None:
        """Those that could not be read by the load before, by their partition, unless they are there already."""
        rows = (
            (partition, key, "", msgspec.json.encode(values), False)
            for partition, again in partitions.items()
            for key, values in again
        )
        self._all("insert into parent values (?, ?, ?, ?, ?) on conflict do nothing", rows)

    def add_gone(self, partitions: Iterable[str]) -> None:
        """Of these partitions those that no parent is listed of."""
        rows = ((name, name) for name in partitions)
        self._all(
            "insert into parent select ?, '', '', x'', true"
            " where not exists (select 1 from parent where partition = ?)",
            rows,
        )

    def lacks(self, partitions: Iterable[str]) -> bool:
        """Whether no parent is there of one of these."""
        query = "select 1 from parent where partition = ?"
        return any(self._db.execute(query, (name,)).fetchone() is None for name in partitions)

    def groups(self, after: str, *, included: bool) -> Iterator[tuple[str, Sequence[OneParent]]]:
        """Each partition after this one, or this one too, that has a parent to be asked, with its parents, in order."""
        found = self._db.execute(
            "select partition from parent where partition > ? or (? and partition = ?) group by 1 having min(gone) = 0"
            " order by 1",
            (after, included, after),
        )
        for (partition,) in found:
            rows = self._db.execute(
                'select "key", mark, "values" from parent where partition = ? and not gone order by 1', (partition,)
            ).fetchall()
            yield (
                partition,
                [
                    OneParent(partition, key, mark, msgspec.json.decode(values, type=dict[str, msgspec.Raw]))
                    for key, mark, values in rows
                ],
            )

    def gone(self) -> Iterator[str]:
        """The partitions that have no parent left, in order."""
        found = self._db.execute("select partition from parent group by 1 having min(gone) = 1 order by 1")
        return (partition for (partition,) in found)

    def _all(self, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._db.execute("begin")
        self._db.executemany(statement, rows)
        self._db.execute("commit")
