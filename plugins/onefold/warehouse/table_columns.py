"""Which columns a table has, from the system catalogue."""

from __future__ import annotations

import psycopg
from psycopg import sql

_TYPES = {"timestamp with time zone": "timestamptz"}
"""The types that the catalogue calls by a shorter name."""


def table_columns(connection: psycopg.Connection, table: sql.Identifier) -> dict[str, str]:
    """The table's columns in their order, each with its SQL type; none where there is no such table."""
    rows = connection.execute(
        "select attname, format_type(atttypid, null) from pg_attribute"
        " where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        (table.as_string(connection),),
    )
    return {str(name): _TYPES.get(str(kind), str(kind)) for name, kind in rows}
