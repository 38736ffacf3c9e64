"""Changes that carry only some of a record's fields, as the contract check and the gate know them."""

from __future__ import annotations

from psycopg import sql

from onefold.catalog.partial_changes import UNCHANGED_FIELDS, PartialChanges
from onefold.catalog.stream import Stream

WAITS = "it carries only some of its fields, and the record that it changes (or takes the others from) was never read"


def is_partial(stream: Stream, payload: str) -> sql.Composable:
    """The SQL condition that this jsonb record carries only some of its fields."""
    if stream.partial_changes is None:
        return sql.SQL("false")
    return sql.SQL("not {}").format(is_whole(stream.partial_changes, payload))


def is_whole(rule: PartialChanges, payload: str) -> sql.Composed:
    """The SQL condition that this jsonb record carries all of its fields."""
    if rule.marked:
        return sql.SQL("(not {} ? {})").format(sql.SQL(payload), sql.Literal(UNCHANGED_FIELDS))
    return sql.SQL("({} ?| {})").format(sql.SQL(payload), sql.Literal(rule.lacks))
