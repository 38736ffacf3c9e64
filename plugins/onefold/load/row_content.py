"""What of a record counts as its content."""

from __future__ import annotations

from psycopg import sql

from onefold.catalog.partial_changes import MERGED
from onefold.catalog.stream import Stream


def content_sql(payload: str, stream: Stream) -> sql.Composable:
    """The part of a record that counts when two readings are compared."""
    expression: sql.Composable = sql.SQL(payload)
    for path in stream.volatile:
        expression = sql.SQL("({} #- {})").format(expression, sql.Literal(path.split(".")))
    if stream.partial_changes:
        expression = sql.SQL("({} - {})").format(expression, sql.Literal(MERGED))
    return expression
