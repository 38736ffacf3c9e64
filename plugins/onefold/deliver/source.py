"""What PostgreSQL has, as one instant shows it: rows as texts, their fingerprints, and what no target could hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import psycopg

from onefold.deliver.dialect import DECIMALS, DIGITS, PostgresDialect
from onefold.deliver.table import Column, Table
from onefold.deliver.target import Text
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.rows import one_row

DIALECT = PostgresDialect()
_ROWS = 10_000
"""Rows that are read at once, and ids that are asked for at once."""
_HERE = "reading what is to be delivered"
_OTHER_BYTES, _WHOLE = 64, "(all together)"
"""More bytes than a value of any type but text has, and what the whole row is called among columns."""
_MODULUS = 1 << 128
_MADE = 2
"""The number of the way in which checksums are made. Where another one made a target's, every row is compared."""
RowId = tuple[str, int]
"""Key and version from which the row is shown; of a mart, whose rows PostgreSQL keeps no past of, 0."""
_LIMITS = {
    "numeric": "{0} in ('NaN', 'Infinity', '-Infinity')"
    f" or abs({{0}}) >= 1e{DIGITS - DECIMALS} or scale(trim_scale({{0}})) > {DECIMALS}",
    "date": "not isfinite({0}) or {0} not between '0001-01-01' and '9999-12-31'",
    "timestamp": "not isfinite({0}) or {0} not between '0001-01-02' and '9999-12-30'",
}
"""By type, when a value is one that not every target can hold exactly."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """How many rows there are, and the sum of their fingerprints, 128 bits each, modulo 2^128. Checksums of rows are
    added and taken off; that of a row that is there twice is counted twice."""

    rows: int
    value: int

    @classmethod
    def of(cls, found: Sequence[object]) -> Checksum:
        """What Dialect.checksum() has found: the number of rows, and the sums of the parts of their fingerprints."""
        rows, high, middle, low = (int(str(each)) for each in found)
        return cls(rows, ((high << 76) + (middle << 24) + low) % _MODULUS)

    def __add__(self, other: Checksum) -> Checksum:
        return Checksum(self.rows + other.rows, (self.value + other.value) % _MODULUS)

    def __sub__(self, other: Checksum) -> Checksum:
        return Checksum(self.rows - other.rows, (self.value - other.value) % _MODULUS)

    def __str__(self) -> str:
        return f"{self.rows}:{self.value:x}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What a publish has changed of an entity's rows: those that began or ended, as they are now, and those that ended
    as they were before."""

    now: Checksum
    before: Checksum


@dataclass(frozen=True, slots=True)
class Inexact:
    """A value that a target would have to round or change."""

    table: str
    key: str
    column: str


class Source:
    """The warehouse within one transaction, which sees one instant."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        rows = connection.execute("select entity, publish_id from ops.published").fetchall()
        self.visible: Mapping[str, int] = dict(rows)
        """By entity the publish that analysts see."""
        self.publishes: Sequence[tuple[int, datetime]] = connection.execute(
            "select publish_id, ended_at from ops.publish where state = 'published' order by publish_id"
        ).fetchall()
        self.newest = max((publish for publish, _ in self.publishes), default=0)
        """The newest publish, to which the rows of every entity go, whichever is visible."""
        (self.at,) = one_row(connection.execute("select now()"))
        (self._masks,) = one_row(
            connection.execute("select md5(prosrc) from pg_proc where oid = 'conformed.is_natural_person'::regproc")
        )

    def made_of(self, table: Table) -> str:
        """A fingerprint of what makes the table: its columns, its query, and who is taken for a natural person."""
        text = f"{_MADE} {table.columns} {table.query.as_string(self.connection)} {self._masks}"
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def has_changes(self, table: Table, held: int) -> bool:
        """Whether versions of the table's entity began or ended after this publish."""
        query = f"select exists (select from ({self._keyed(table)}) as v where {DIALECT.changed_after(held)})"
        return bool(one_row(self.connection.execute(query.encode()))[0])

    def checksum(self, table: Table) -> Checksum:
        """Of all rows of the table."""
        return self._checksum(table, f"({self._keyed(table)}) as v")

    def changes(self, table: Table, held: int) -> Changes:
        """What came after this publish, of an entity's table."""
        rows = self._keyed(table)
        names = ", ".join(f"k.{DIALECT.quote(each.name)}" for each in table.columns)
        ended = (
            f"(select k._key, k._from, null::bigint as _until, {names} from ({rows}) as k"
            f" where k._from <= {held} and k._until > {held}) as v"
        )
        now = self._checksum(table, f"({rows}) as v where {DIALECT.changed_after(held)}")
        return Changes(now, self._checksum(table, ended))

    def _checksum(self, table: Table, rows: str) -> Checksum:
        with translate_errors(_HERE):  # else it would be told as an error of the target, whose session is open
            return Checksum.of(one_row(self.connection.execute(DIALECT.checksum(table, rows).encode())))

    def hashes(self, table: Table, *, ids_alone: bool = False) -> Iterator[tuple[RowId, str]]:
        """The fingerprint of every row, or with `ids_alone` an empty one, in the order of the rows' ids."""
        value = "''" if ids_alone else DIALECT.span_hash(table)
        query = f'select v._key, v._from, {value} from ({self._keyed(table)}) as v order by v._key collate "C", v._from'
        for key, since, found in self._stream(query):
            yield (str(key), int(str(since))), str(found)

    def rows(self, table: Table, condition: str = "true") -> Iterator[Sequence[Text]]:
        """Rows as texts: _key, _from, _until and the columns. `condition` is about the row v."""
        yield from self._stream(f"select {self._texts(table)} from ({self._keyed(table)}) as v where {condition}")

    def rows_of(self, table: Table, ids: Iterable[RowId]) -> Iterator[Sequence[Text]]:
        """The rows with these ids, as rows() gives them."""
        remaining = iter(ids)
        while some := list(islice(remaining, _ROWS)):
            query = f"select {self._texts(table)} from ({self._keyed(table)}) as v".replace("%", "%%")
            which = " where (v._key, v._from) in (select * from unnest(%s::text[], %s::bigint[]))"
            keys, since = [key for key, _ in some], [version for _, version in some]
            with translate_errors(_HERE):
                found = self.connection.execute(f"{query}{which}".encode(), (keys, since)).fetchall()
            yield from found

    def ends(self, table: Table, held: int) -> Iterator[Sequence[Text]]:
        """Of the rows that a target holds, which has all of up to this version, those that have ended since."""
        query = (
            f"select v._key, v._from::text, v._until::text from ({table.query.as_string(self.connection)}) as v"
            f" where v._from <= {held} and v._until > {held}"
        )
        yield from self._stream(query)

    def inexact(self, table: Table, condition: str = "true", row_bytes: int | None = None) -> list[Inexact]:
        """The first values that not every target can hold exactly, and rows whose texts together are longer."""
        limits = {
            each.name: _LIMITS[each.type].format(f"v.{DIALECT.quote(each.name)}")
            for each in table.columns
            if each.type in _LIMITS
        }
        if row_bytes is not None:
            texts = [f"v.{DIALECT.quote(each.name)}" for each in table.columns if each.type == "text"]
            lengths = [f"coalesce(octet_length({text}), 0)" for text in ["v._key", *texts]]
            limits[_WHOLE] = f"{' + '.join(lengths)} + {_OTHER_BYTES * (len(table.columns) + 2)} > {row_bytes}"
        if not limits:
            return []
        wrong = ", ".join(f"coalesce({limit}, false)" for limit in limits.values())
        query = (
            f"select v._key, array[{wrong}] from ({self._keyed(table, hashed=False)}) as v"
            f" where ({condition}) and true = any (array[{wrong}]) limit 20"
        )
        with translate_errors(_HERE):
            found = self.connection.execute(query.encode()).fetchall()
        return [
            Inexact(table.name, key, column)
            for key, flags in found
            for column, flag in zip(limits, flags, strict=True)
            if flag
        ]

    def _keyed(self, table: Table, *, hashed: bool = True) -> str:
        """The table's rows with _key, _from and _until; a mart's key is its content, and which of several alike it
        is."""
        query = table.query.as_string(self.connection)
        if table.kind == "entity":
            return query
        if not hashed:
            return f"select (row_number() over ())::text as _key, 0::bigint as _from, v.* from ({query}) as v"
        return (
            f"select h._hash || '#' || row_number() over (partition by h._hash) as _key, 0::bigint as _from,"
            " null::bigint as _until, h.*"
            f" from (select {DIALECT.content_hash(table.columns)} as _hash, v.* from ({query}) as v) as h"
        )

    def _texts(self, table: Table) -> str:
        columns = [
            Column("_key", "text"),
            Column("_from", "bigint"),
            Column("_until", "bigint"),
            *table.columns,
        ]
        return ", ".join(DIALECT.text_of(f"v.{DIALECT.quote(each.name)}", each.type) for each in columns)

    def _stream(self, query: str) -> Iterator[tuple[Text, ...]]:
        with self.connection.cursor(name="rows") as cursor:
            with translate_errors(_HERE):
                cursor.execute(query.encode())
            while True:
                with translate_errors(_HERE):
                    some = cursor.fetchmany(_ROWS)
                if not some:
                    return
                yield from some


@contextmanager
def source_at_one_instant(url: str) -> Iterator[Source]:
    """The warehouse as it is now, however long it is read. It shows what a reader without onefold_pii sees."""
    with connect(url) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("select set_config('onefold.masked', 'on', true)")
        yield Source(connection)
        connection.rollback()
