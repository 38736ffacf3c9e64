"""The value that stands in a field which is wrong, where engineers may read it: of a record that is published."""

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
    """By field, what stands in the record from which a value is withheld: only of fields that are not personal and that
    the row's reason names. Nothing for a record that waits: nobody but onefold_pii reads it."""
    fields = [name for name in plain_fields(stream) if _names(row.reason, name)] if stream and row.attribute else []
    table = StagingTable(row.system, row.stream)
    view = table.plain.as_string(connection)
    if not fields or not one_row(connection.execute("select to_regclass(%s)", (view,)))[0]:
        return {}
    found = connection.execute(
        sql.SQL("select {} from {} where _key = %s and _load_id = %s").format(
            sql.SQL(", ").join(map(sql.Identifier, fields)), table.plain
        ),
        (row.key, row.load_id),
    ).fetchone()
    values = dict(zip(fields, found or (), strict=False))
    return {name: value for name, value in values.items() if value and len(value) <= LONGEST}


def _names(reason: str, field: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(field)}(?!\w)", reason, re.IGNORECASE) is not None
