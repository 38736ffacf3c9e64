"""The statements that read a table page by page in the order of its cursor and key."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from onefold.catalog.stream import Cursor, Stream
from onefold.connectors.sql.relation import Relation
from onefold.connectors.sql.values import TIMES, StampText, clock_text, number_or_text
from onefold.connectors.window import BEGINNING, ResumeCursor, Window
from onefold.errors import Fatal

_KINDS = {"timestamp": (TIMES, "a timestamp"), "integer": ((sa.Integer,), "an integer")}
_FIRST_STAMP = "0001-01-01 00:00:00"
_NO_STAMP = "9999-01-01 00:00:00"
"""From here on, and before the year 1, a stamp is no time at which anything changed: it says never, or unknown."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading stands: after this (cursor, key), or (without a cursor) after this key of the rows that have none.

    `values` is empty at the beginning.
    """

    stamped: bool
    values: tuple[object, ...] = ()


class Query:
    """Builds the statements of one stream over its relation."""

    def __init__(self, relation: Relation, stream: Stream, named: str) -> None:
        self._relation = relation
        self._dialect = relation.dialect
        self._first_stamp = self._dialect.stamp(_FIRST_STAMP)
        self._no_stamp = self._dialect.stamp(_NO_STAMP)
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
        lowest = self._first_stamp if window.start <= BEGINNING else stamp(window.start, lowest=True)
        return [column >= lowest, column < stamp(window.end)]

    def page(self, place: Place, bounds: Sequence[sa.ColumnElement[bool]], size: int) -> sa.Select[*tuple[Any, ...]]:
        """The rows after the place, at most `size` of them."""
        order, where = self._sorted_by(place), list(bounds if place.stamped else self._in_no_window())
        if place.values:
            where.append(_after(order, place.values, row_values=self._dialect.row_values))
        return sa.select(*self._relation.selection()).where(*where).order_by(*order).limit(size)

    def alike(self, place: Place, row: Sequence[object]) -> sa.Select[*tuple[Any, ...]] | None:
        """All rows that have the cursor and key of this one; None where the database lets there be no other."""
        if self._relation.unique:
            return None
        same = [
            column == sa.literal(value, column.type)
            for column, value in zip(self._sorted_by(place), self._values(place, row), strict=True)
        ]
        where = [] if place.stamped else self._in_no_window()
        return sa.select(*self._relation.selection()).where(*where, *same)

    def _sorted_by(self, place: Place) -> list[sa.ColumnElement[Any]]:
        columns = self._order if place.stamped or self._cursor is None else self._keys
        return [self._dialect.ordered(column) for column in columns]

    def _in_no_window(self) -> list[sa.ColumnElement[bool]]:
        """Rows whose cursor says nothing about when they were changed."""
        cursor = self._cursor
        if cursor is None:
            return []
        if not isinstance(cursor.type, TIMES):
            return [cursor.is_(None)]
        return [sa.or_(cursor.is_(None), cursor < self._first_stamp, cursor >= self._no_stamp)]

    def _values(self, place: Place, row: Sequence[object]) -> tuple[object, ...]:
        """What places the row among those that are read with it."""
        values = tuple(row[at] for at in self._at)
        if not place.stamped and self._cursor is not None:
            return values[len(self._order) - len(self._keys) :]
        return values

    def following(self, place: Place, last: Sequence[object] | None) -> Place | None:
        """The place of the next page, given the last row of a full one (None: there are no more of this kind)."""
        if last is not None:
            values = self._values(place, last)
            if None in values:
                raise Fatal(
                    f"{self._named}: a row has NULL in {', '.join(c.name for c in self._keys)}, its primary_key in the "
                    "YAML. Rows without a key cannot be read in pages: name columns that are never NULL, or leave "
                    "such rows out with a view."
                )
            return Place(place.stamped, values)
        if place.stamped and self._cursor is not None and self._may_be_in_no_window(self._cursor):
            return Place(stamped=False)
        return None

    def _may_be_in_no_window(self, cursor: sa.ColumnClause[Any]) -> bool:
        return cursor.name in self._relation.nullable or isinstance(cursor.type, TIMES)

    def token(self, place: Place) -> str:
        values = [clock_text(number_or_text(value)) for value in place.values]
        return msgspec.json.encode([place.stamped, *values], enc_hook=str).decode()

    def place(self, token: str) -> Place:
        """The place that a token names, its values of the columns' types again."""
        stamped, *values = msgspec.json.decode(token)
        order = self._order if stamped or self._cursor is None else self._keys
        return Place(stamped, tuple(map(_read, order, values)))


def _after(
    order: Sequence[sa.ColumnElement[Any]], values: Sequence[object], *, row_values: bool
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
    wanted, called = _KINDS.get(cursor.kind, ((), ""))
    if len(cursor.fields) > 1 or not wanted:
        raise Fatal(f"{named}: a table is read by a cursor of one column, of kind timestamp or integer.")
    if not isinstance(column.type, wanted):
        raise Fatal(
            f"{named}: the cursor {column.name} is {column.type} in the database and not {called}, as its kind says. "
            "Name a column of that kind, or offer one in a view; nothing was read."
        )


def _read(column: sa.ColumnClause[Any], value: object) -> object:
    """A token's value as the column has it; where Python has no type for it, as the text that the database takes."""
    if isinstance(column.type, StampText):
        return value
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return value
    if kind in (datetime, date):
        try:
            return kind.fromisoformat(str(value))
        except ValueError:
            return value
    if kind in (Decimal, UUID, float):
        return kind(str(value))
    return base64.b64decode(str(value)) if kind is bytes else value
