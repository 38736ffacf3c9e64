"""Sources that are SQL databases, read by keyset: each page begins after the last (cursor, key) of the one before.

No OFFSET, which drifts and grows slower; no transaction that stays open while we write, which would keep a PostgreSQL
from cleaning up. A row that is changed between two pages moves to the end and is met there again.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from onefold.catalog.stream import Cursor, Stream
from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.sql.database import Database
from onefold.connectors.sql.relation import Relation, Rows, described
from onefold.connectors.window import BEGINNING, ResumeCursor, Window
from onefold.errors import Fatal

ROWS = 5000
"""Rows of a page where the YAML's next.size does not say."""
FETCH = 1000
_KINDS = {"timestamp": (sa.DateTime, "a timestamp"), "integer": (sa.Integer, "an integer")}


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading stands: after this (cursor, key), or (without a cursor) after this key of the rows that have none.

    `values` is empty at the beginning.
    """

    stamped: bool
    values: tuple[object, ...] = ()


def sql_reader(system: System, stream_name: str, database: Database, reached: ResumeCursor) -> PageReader:
    """Reads a table or view in the order of its cursor and key, then the rows whose cursor is NULL.

    A page's token names the row that it ended with. Rows without a cursor belong to no window: they come with every
    load, for the gate to see, and are few or a fault. Raises Fatal when the table does not fit the stream.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head = Head(named, stream)
    size = stream.next.size or ROWS

    def read(window: Window, token: str | None) -> Iterator[Page]:
        relation = database.ask(
            "DESCRIBE", stream.request.table or "", lambda connection: (described(connection, system, stream, named), 0)
        )
        query = Query(relation, stream, database.dialect, named)
        bounds = query.bounds(window, reached)
        write = Rows(relation, stream)
        place: Place | None = query.place(token) if token else Place(stamped=bool(stream.cursor))
        while place:
            at = datetime.now(UTC)
            statement = query.page(place, bounds, size)
            ask = partial(_page, statement=statement, write=write, head=head)
            records, last = database.ask("SELECT", stream.request.table or "", ask)
            following = query.following(place, last if len(records) == size else None)
            yield Page(records, at, query.token(following) if following else None)
            place = following

    return read


class Query:
    """Builds the statements of one stream over its relation."""

    def __init__(self, relation: Relation, stream: Stream, dialect: str, named: str) -> None:
        self._relation = relation
        self._row_values = dialect == "postgresql"
        self._cursor = _column(relation, stream, stream.cursor.fields[0]) if stream.cursor else None
        self._keys = [_column(relation, stream, name) for name in stream.primary_key]
        self._stream = stream
        if stream.cursor and self._cursor is not None:
            _check_kind(stream.cursor, self._cursor, named)
        order = [*([] if self._cursor is None else [self._cursor]), *self._keys]
        self._order = list({column.name: column for column in order}.values())
        names = [column.name for column in relation.table.c]
        self._at = [names.index(column.name) for column in self._order]
        self._named = named

    def bounds(self, window: Window, reached: ResumeCursor) -> list[sa.ColumnElement[bool]]:
        """What of the cursor belongs to the window. A window from the beginning has no lower end."""
        cursor, column = self._stream.cursor, self._cursor
        if cursor is None or column is None:
            return []
        if cursor.kind == "integer":
            published = reached(window)
            return [] if published is None else [column >= published.value - cursor.overlap]
        stamp = partial(self._relation.stamp, column.name)
        above = [] if window.start <= BEGINNING else [column >= stamp(window.start, lowest=True)]
        return [*above, column < stamp(window.end)]

    def page(self, place: Place, bounds: Sequence[sa.ColumnElement[bool]], size: int) -> sa.Select[*tuple[Any, ...]]:
        """The rows after the place, at most `size` of them."""
        order, where = self._order, list(bounds)
        if self._cursor is not None and not place.stamped:
            order, where = self._keys, [self._cursor.is_(None)]
        if place.values:
            where.append(_after(order, place.values, row_values=self._row_values))
        return sa.select(*self._relation.table.c).where(*where).order_by(*order).limit(size)

    def following(self, place: Place, last: Sequence[object] | None) -> Place | None:
        """The place of the next page, given the last row of a full one (None: there are no more of this kind)."""
        if last is not None:
            values = tuple(last[at] for at in self._at)
            if not place.stamped and self._cursor is not None:
                values = values[len(self._order) - len(self._keys) :]
            if None in values:
                raise Fatal(
                    f"{self._named}: a row has NULL in {', '.join(c.name for c in self._keys)}, its primary_key in the "
                    "YAML. Rows without a key cannot be read in pages: name columns that are never NULL, or leave "
                    "such rows out with a view."
                )
            return Place(place.stamped, values)
        if place.stamped and self._cursor is not None and self._cursor.name in self._relation.nullable:
            return Place(stamped=False)
        return None

    def token(self, place: Place) -> str:
        return msgspec.json.encode([place.stamped, *place.values]).decode()

    def place(self, token: str) -> Place:
        """The place that a token names, its values of the columns' types again."""
        stamped, *values = msgspec.json.decode(token)
        order = self._order if stamped or self._cursor is None else self._keys
        return Place(stamped, tuple(map(_read, order, values)))


def _page(
    connection: sa.Connection, *, statement: sa.Select[*tuple[Any, ...]], write: Rows, head: Head
) -> tuple[tuple[list[Record], Sequence[object] | None], int]:
    """One page's records and its last row, and the bytes of its JSON. Streamed, so that rows are not held twice."""
    records: list[Record] = []
    row: Sequence[object] | None = None
    streamed = {"stream_results": True, "max_row_buffer": FETCH}
    for row in connection.execute(statement, execution_options=streamed):
        records.append(head.record(write.json(row)))
    return (records, row), sum(len(record.payload) for record in records)


def _after(
    order: Sequence[sa.ColumnClause[Any]], values: Sequence[object], *, row_values: bool
) -> sa.ColumnElement[bool]:
    """Whether a row comes after these values. PostgreSQL finds the place of (a, b) > (1, 2) in an index; MariaDB and
    MySQL only that of a > 1 or (a = 1 and b > 2) (MySQL manual, "Row Constructor Expression Optimization")."""
    typed = [sa.literal(value, column.type) for column, value in zip(order, values, strict=True)]
    if row_values:
        return sa.tuple_(*order) > sa.tuple_(*typed)
    return sa.or_(
        *(
            sa.and_(*(c == v for c, v in zip(order[:place], typed[:place], strict=True)), order[place] > typed[place])
            for place in range(len(order))
        )
    )


def _column(relation: Relation, stream: Stream, name: str) -> sa.ColumnClause[Any]:
    return relation.column(stream.fields[name].path or name)


def _check_kind(cursor: Cursor, column: sa.ColumnClause[Any], named: str) -> None:
    wanted, called = _KINDS.get(cursor.kind, (None, ""))
    if len(cursor.fields) > 1 or wanted is None:
        raise Fatal(f"{named}: a table is read by a cursor of one column, of kind timestamp or integer.")
    if not isinstance(column.type, wanted):
        raise Fatal(
            f"{named}: the cursor {column.name} is {column.type} in the database and not {called}, as its kind says. "
            "Name a column of that kind, or offer one in a view; nothing was read."
        )


def _read(column: sa.ColumnClause[Any], value: object) -> object:
    """A token's value as the column has it."""
    kind = column.type.python_type
    if kind in (datetime, date):
        return kind.fromisoformat(str(value))
    if kind in (Decimal, UUID):
        return kind(str(value))
    return base64.b64decode(str(value)) if kind is bytes else value
