"""The row of a query that always has one: an aggregate, an `exists`, an `insert … returning`."""

from __future__ import annotations

from typing import TypeVar

import psycopg

from onefold.errors import Fatal

Row = TypeVar("Row")


def one_row(cursor: psycopg.Cursor[Row]) -> Row:
    """The next row of the query that was executed. Raises Fatal when there is none: the query is wrong then."""
    row = cursor.fetchone()
    if row is None:
        raise Fatal("The warehouse returned no row to a query that always has one. Please report it as a bug.")
    return row
