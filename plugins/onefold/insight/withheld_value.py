"""What stands in a record of the quarantine: the values that are wrong, where engineers may read them because they are
not personal, and the whole record for members of onefold_pii."""

from __future__ import annotations

import re
from collections.abc import Mapping

import psycopg
from psycopg import sql

from onefold.audit.personal import looks_personal
from onefold.catalog.stream import Stream
from onefold.insight.waiting import Row
from onefold.load.plain_view import plain_fields
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

LONGEST = 60
"""Characters of a value that are shown: a longer one is no number, code or date, and nobody knows what is in it."""
MOST_LETTERS, MOST_FIELDS = 2000, 500
"""Of a whole record as it is shown."""


def plain_values(connection: psycopg.Connection, row: Row, stream: Stream | None) -> Mapping[str, str]:
    """By field, what stands in the record that waits, or from which a value is withheld: only of fields that are not
    personal and that the row's reason names. What looks personal there, as an e-mail address or a PESEL does, is not
    given: it stands in the wrong field."""
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
    return {
        name: value for name, value in values.items() if value and len(value) <= LONGEST and not looks_personal(value)
    }


_OF_PUBLISHED = "(select _payload as payload, null::text as raw from {current} where _key = %s and _load_id = %s)"
_OF_WAITING = "(select payload, raw from ops.quarantine where quarantine_id = %s)"
_FIELDS = """
select field.key, left(field.value, {longest}) from {record} as record
cross join lateral jsonb_each_text(case jsonb_typeof(payload) when 'object' then payload
    else jsonb_build_object('record', coalesce(to_jsonb(payload), to_jsonb(raw))) end) as field
order by field.key limit {fields}"""


def all_values(connection: psycopg.Connection, row: Row) -> Mapping[str, str | None]:
    """By field, the record that waits, or from which a value is withheld, as it was received; each value shortened.
    Empty where it is gone. Needs a member of onefold_pii."""
    record, given = (
        (sql.SQL(_OF_PUBLISHED).format(current=StagingTable(row.system, row.stream).current), (row.key, row.load_id))
        if row.attribute
        else (sql.SQL(_OF_WAITING), (row.quarantine_id,))
    )
    query = sql.SQL(_FIELDS).format(record=record, longest=sql.Literal(MOST_LETTERS), fields=sql.Literal(MOST_FIELDS))
    return dict(connection.execute(query, given).fetchall())


def _names(reason: str, field: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(field)}(?!\w)", reason, re.IGNORECASE) is not None
