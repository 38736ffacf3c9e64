"""The contract check: are the declared fields there, and of the declared type, in what was landed?

A field that is wrong in single rows costs those rows, or one value of them (withholding.py). A field that is wrong in
all of them means that the source changed its contract: the load is refused, naming the field; so it is when an
essential field is wrong in too many. So does an optional field that current versions hold and that not one of the
records just read has any more. A field that no mapping reads never refuses a load; its change is only recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import psycopg
from psycopg import sql

from onefold.catalog.fields import FieldType, SourceField
from onefold.catalog.partial_changes import MERGED
from onefold.catalog.stream import Stream
from onefold.foreign_text import shown_name
from onefold.mapping.sql import field_sql
from onefold.quality.partial import is_partial
from onefold.quality.withholding import Withholding
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import LandingTables, StagingTable

FEW = 10
"""So many bad rows never reject a load: in an hour with twenty changes, five percent is one row."""
_JSON_TYPES: dict[FieldType, tuple[str, ...]] = {
    "text": ("string",),
    "integer": ("number", "string"),
    "numeric": ("number", "string"),
    "boolean": ("boolean", "string"),
    "date": ("string",),
    "timestamp": ("string",),
    "json": ("object", "array", "string", "number", "boolean"),
}
_SAMPLE = 10_000
_FIRST = 1000
_NO_CHANCE = 1e-6
_NAME_BYTES, _NAMES = 100, 50
"""What is longer, or comes in larger numbers, are no names of fields but values: an object by e-mail address."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One field whose contract changed; `rows` is how many records show it. `refuses`: the load cannot be published.
    `fits` is the type of ours that holds what it is now."""

    field: str
    was: str
    is_now: str
    rows: int
    refuses: bool
    fits: FieldType | None = None

    def __str__(self) -> str:
        return f"field {self.field} was {self.was} and is now {self.is_now} ({self.rows} records)"


def payload_path(name: str, field: SourceField) -> list[str] | None:
    """The field's place in the payload as a list of keys; None for an SQL/JSON path."""
    path = field.path or name
    return None if path.startswith("$") else path.split(".") if field.path else [path]


def may_have_drifted(connection: psycopg.Connection, landing: LandingTables, stream: Stream, rows: int) -> bool:
    """Whether it is worth looking closer, where each value can be read: some record cannot, or none of the candidates
    (`rows`, deletions not counted) has some field.

    What is no candidate is as it was when it was published, so only the candidates have to be asked. Most fields are
    met in the first few of them; only those that are not are looked for in all.
    """
    unreadable = sql.SQL("select exists (select from landing.unreadable where load_id = {})").format(landing.load_id)
    if one_row(connection.execute(unreadable))[0]:
        return True
    if not rows:
        return False
    candidates = sql.SQL("{} where not _deleted").format(landing.candidate)
    first = sql.SQL("(select _payload from {} limit {}) first").format(candidates, _FIRST)
    not_met = _never_filled(connection, stream.fields, first)
    return bool(not_met and _never_filled(connection, not_met, candidates))


def _never_filled(
    connection: psycopg.Connection, fields: Mapping[str, SourceField], records: sql.Composable
) -> dict[str, SourceField]:
    """The fields that hold nothing in any of the records; none where there are no records."""
    filled = [sql.SQL("count({})").format(sql.SQL(field_sql(name, field))) for name, field in fields.items()]
    total, *counts = one_row(
        connection.execute(sql.SQL("select count(*), {} from {}").format(sql.SQL(", ").join(filled), records))
    )
    return {name: fields[name] for name, count in zip(fields, counts, strict=True) if total and not count}


def find_drift(
    connection: psycopg.Connection,
    landing: LandingTables,
    staging: StagingTable,
    stream: Stream,
    withholding: Withholding,
) -> list[Drift]:
    """The fields of this load's records that break the catalogue's contract in too many of them.

    A required field that all of them lack, however few they are, is renamed where they have one that none had before.
    """
    columns: list[sql.Composable] = [sql.SQL("count(*)")]
    for name, field in stream.fields.items():
        columns += _counts(name, field)
    row = one_row(
        connection.execute(sql.SQL("select {} from {}").format(sql.SQL(", ").join(columns), _read(landing, stream)))
    )
    total, evidence = row[0], row[1:]
    drifts = []

    @cache
    def has_new_fields() -> bool:
        return bool(find_new_fields(connection, landing, staging, stream))

    for position, (name, field) in enumerate(stream.fields.items()):
        absent, wrong, present, wrong_type = evidence[4 * position : 4 * position + 4]
        essential, refuses = name in withholding.essential, withholding.attributes(name) != (name,)
        if _too_many(wrong, present, stream, essential):
            drifts.append(Drift(name, field.type, wrong_type, wrong, refuses))
        elif field.vanished:
            continue
        elif (field.required and _too_many(absent, total, stream, essential)) or (
            absent == total > 0
            and (_has_vanished(connection, staging, name, field, total) or (field.required and has_new_fields()))
        ):
            is_now = f"absent{_renamed(connection, landing, stream)}"
            drifts.append(Drift(name, field.type, is_now, absent, refuses))
    return drifts


def find_new_fields(
    connection: psycopg.Connection, landing: LandingTables, staging: StagingTable, stream: Stream
) -> list[Drift]:
    """Top-level keys that records have now and current versions do not, and that the stream's YAML does not know.

    They change no field that is read, so they refuse nothing; but all records that have them become new versions.
    """
    candidates = sql.SQL("(select _payload from {} where not _deleted limit {}) first").format(
        landing.candidate, _FIRST
    )
    now = _types_by_key(connection, candidates)
    known = known_keys(stream)
    unknown = {key: found for key, found in now.items() if key not in known and len(key.encode()) <= _NAME_BYTES}
    if not 0 < len(unknown) <= _NAMES:
        return []
    held = sql.SQL("(select _payload from {} where not _deleted limit {}) held").format(staging.current, _FIRST)
    before = _types_by_key(connection, held)
    return [
        Drift(shown_name(key), "absent", found.kind, found.rows, refuses=False, fits=found.fits)
        for key, found in unknown.items()
        if before and key not in before
    ]


@dataclass(frozen=True, slots=True)
class _Met:
    """One JSON type that a key has, in how many records it is, and the type of ours that holds its values."""

    kind: str
    rows: int
    fits: FieldType


def _types_by_key(connection: psycopg.Connection, records: sql.Composable) -> dict[str, _Met]:
    """What is met of each top-level key of the records."""
    rows = connection.execute(_TYPES.format(records=records)).fetchall()
    return {key: _Met(*met) for key, *met in rows}


_TYPES = sql.SQL(
    r"""
    select key, max(kind), count(*), case
        when count(distinct kind) filter (where kind <> 'null') > 1 then 'json'
        when max(kind) filter (where kind <> 'null') = 'boolean' then 'boolean'
        when max(kind) filter (where kind <> 'null') in ('object', 'array') then 'json'
        when bool_and(kind = 'number' and value::text ~ '^-?\d+$') filter (where kind <> 'null') then 'integer'
        when bool_and(kind = 'number') filter (where kind <> 'null') then 'numeric'
        when bool_and(value #>> '{{}}' ~ '^\d{{4}}-\d\d-\d\d$') filter (where kind <> 'null') then 'date'
        when bool_and(value #>> '{{}}' ~ '^\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d+)?)?(Z|[+-]\d\d:?\d\d)$')
             filter (where kind <> 'null') then 'timestamp'
        else 'text' end
    from (
        select key, value, jsonb_typeof(value) as kind from {records},
        jsonb_each(case jsonb_typeof(_payload) when 'object' then _payload else '{{}}' end)
    ) each
    group by key order by key
    """
)


def known_keys(stream: Stream) -> set[str]:
    """The top-level keys that the stream's YAML names."""
    known = {MERGED, *stream.ignore}
    for name, field in stream.fields.items():
        if path := payload_path(name, field):
            known.add(path[0])
        elif field.path and field.path.startswith("$."):
            known.add(field.path[2:].split(".")[0])
    return known


def _read(landing: LandingTables, stream: Stream) -> sql.Composed:
    """Every record that was read and is not deleted: also the unreadable ones, whose key is missing.

    Not those that carry only some of their fields on purpose.
    """
    return sql.SQL(
        "(select _payload::jsonb as _payload from {} where not _deleted and not ({}) union all"
        " select case when pg_input_is_valid(raw, 'jsonb') then raw::jsonb end from landing.unreadable"
        " where load_id = {}) read"
    ).format(landing.pages, is_partial(stream, "_payload::jsonb"), sql.Literal(landing.load_id))


def field_value(name: str, field: SourceField) -> sql.Composable:
    """The field's value in the payload, as jsonb."""
    if place := payload_path(name, field):
        if len(place) == 1:
            return sql.SQL("_payload -> {}").format(sql.Literal(place[0]))
        return sql.SQL("_payload #> {}").format(sql.Literal(place))
    return sql.SQL("jsonb_path_query_first(_payload, {}, '{{}}', true)").format(sql.Literal(field.path))


def is_of_type(name: str, field: SourceField) -> sql.Composable:
    """Whether the field's value is of the JSON types that its declared type may come as; NULL where there is none."""
    allowed = sql.SQL(", ").join(map(sql.Literal, (*_JSON_TYPES[field.type], "null")))
    return sql.SQL("jsonb_typeof({}) in ({})").format(field_value(name, field), allowed)


def _counts(name: str, field: SourceField) -> list[sql.Composable]:
    value = field_value(name, field)
    wrong = sql.SQL("({}) is false").format(is_of_type(name, field))
    return [
        sql.SQL("count(*) filter (where {} is null)").format(value),
        sql.SQL("count(*) filter (where {})").format(wrong),
        sql.SQL("count(*) filter (where jsonb_typeof({}) <> 'null')").format(value),
        sql.SQL("max(jsonb_typeof({})) filter (where {})").format(value, wrong),
    ]


def _has_vanished(
    connection: psycopg.Connection, staging: StagingTable, name: str, field: SourceField, total: int
) -> bool:
    """Whether so many records without the field are no chance, going by how often current versions have it.

    A few may well be alike (invoices of one day, all to buyers abroad), so they prove nothing.
    """
    if total <= FEW:
        return False
    held: int
    filled: int
    held, filled = one_row(
        connection.execute(
            sql.SQL(
                "select count(*), count({}) from (select _payload from {} where not _deleted limit {}) sample"
            ).format(field_value(name, field), staging.current, sql.Literal(_SAMPLE))
        )
    )
    return held > 0 and filled > 0 and (1 - filled / (held + 1)) ** total < _NO_CHANCE


def _too_many(bad: int, total: int, stream: Stream, essential: bool) -> bool:
    """All of them, when they are more than a few; of an essential field two that are all, or more than the stream's
    share and more than a few."""
    if not essential:
        return bad == total > FEW
    return bad > 0 and (bad == total > 1 or (bad > FEW and bad > stream.gate.max_quarantined_share * total))


def _renamed(connection: psycopg.Connection, landing: LandingTables, stream: Stream) -> str:
    known = known_keys(stream)
    rows = connection.execute(
        sql.SQL(
            "select distinct key from (select _payload from {} limit 1000) p,"
            " jsonb_object_keys(case jsonb_typeof(_payload) when 'object' then _payload else '{{}}' end) key"
        ).format(_read(landing, stream))
    ).fetchall()
    new = sorted(key for (key,) in rows if key not in known and len(key.encode()) <= _NAME_BYTES)
    return f" (unknown fields there now: {', '.join(map(shown_name, new[:5]))})" if new else ""
