"""The value that stands in a field which is wrong, where engineers may read it: where it is not personal."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.insight.waiting import Row
from onefold.load.plain_view import plain_fields
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

LONGEST = 60
"""Characters of a value that are shown: a longer one is no number, code or date, and nobody knows what is in it."""


def plain_values(connection: psycopg.Connection, row: Row, stream: Stream | None) -> Mapping[str, str]:
    """By field, what stands in the record that waits, or from which a value is withheld: only of fields that are not
    personal and that the row's reason names."""
    fields = [name for name in plain_fields(stream) if _names(row.reason, name)] if stream else []
    table = StagingTable(row.system, row.stream)
    view, which, given = (
        (table.plain, sql.SQL("_key = %s and _load_id = %s"), (row.key, row.load_id))
        if row.attribute
        else (table.waiting, sql.SQL("quarantine_id = %s"), (row.quarantine_id,))
    )
    there = "select to_regclass(%s)"
    if not fields or not one_row(connection.execute(there, (view.as_string(connection),)))[0]:
        return {}
    found = connection.execute(
        sql.SQL("select {} from {} where {}").format(sql.SQL(", ").join(map(sql.Identifier, fields)), view, which),
        given,
    ).fetchone()
    values = dict(zip(fields, found or (), strict=False))
    return {name: value for name, value in values.items() if value and len(value) <= LONGEST}


def _names(reason: str, field: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(field)}(?!\w)", reason, re.IGNORECASE) is not None
