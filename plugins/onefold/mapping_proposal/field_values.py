"""What each transform makes of a field's real values: one bounded query a field, by the mapped models' own macros.

Everything stands in temporary tables of the session, which PostgreSQL drops at the transaction's end, a crash included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

import psycopg
from psycopg import sql

from onefold.catalog.fields import FieldType, SourceField
from onefold.catalog.stream import Stream
from onefold.errors import Fatal
from onefold.mapping.sql import dated_sql, field_sql, transform_sql, transform_types

RECORDS = 1000
"""Records of a stream that are looked at."""
LONGEST = 500
"""Characters of a value beyond which it is a document and no attribute."""

_DIGITS = frozenset({"nip", "regon", "krs", "ean", "pesel", "iban", "phone_e164", "cents", "date_unix", "date_unix_utc",
                     "timestamp_unix", "numeric", "integer", "text"})  # fmt: skip
_MOMENTS = frozenset({"text", "date_iso", "date_pl", "date_sap", "date_of_moment", "date_utc", "timestamp_utc",
                      "timestamp_pl"})  # fmt: skip
_OF_TYPE: Mapping[FieldType, frozenset[str] | None] = {
    "text": None,
    "json": frozenset({"text", "texts", "words"}),
    "integer": _DIGITS | {"boolean"},
    "numeric": _DIGITS,
    "boolean": frozenset({"text", "boolean"}),
    "date": _MOMENTS,
    "timestamp": _MOMENTS,
}
"""The transforms that could mean something for a field of a type; None: all."""


@dataclass(frozen=True, slots=True)
class FieldValues:
    """Of one field: in how many of the records that were looked at it holds something, how many different values it
    has, and which share of them each transform understands."""

    records: int
    filled: int
    distinct: int
    accepted: Mapping[str, float] = field(default_factory=dict)


@cache
def single_transforms() -> tuple[str, ...]:
    """The transforms that make something of one value alone."""
    return tuple(name for name in transform_types() if _takes_one(name))


def _takes_one(name: str) -> bool:
    try:
        transform_sql(name, "value")
    except Fatal:
        return False
    return name != "status_by_end_date"  # it makes a value of nothing


def transforms_for(source: SourceField) -> Iterator[str]:
    """The transforms to try on a field."""
    allowed = _OF_TYPE[source.type]
    return (name for name in single_transforms() if allowed is None or name in allowed)


def read_records(connection: psycopg.Connection, relation: sql.Composable, records: int = RECORDS) -> None:
    """Take so many current records of `relation` (_payload, _deleted) as the ones to look at."""
    connection.execute("drop table if exists proposal_record, proposal_value")
    connection.execute(
        sql.SQL(
            "create temp table proposal_record on commit drop as"
            " select row_number() over ()::int as place, _payload from {} where not _deleted limit {}"
        ).format(relation, sql.Literal(records))
    )
    connection.execute(
        "create temp table proposal_value (field text, transform text, place int, value text) on commit drop"
    )


def read_values(connection: psycopg.Connection, stream: Stream) -> dict[str, FieldValues]:
    """What the transforms make of each field of the records that read_records took; the values stay in the table
    proposal_value."""
    for name, source in stream.fields.items():
        connection.execute(_insert(name, source))
    connection.execute("analyze proposal_value")
    found: dict[str, FieldValues] = {}
    (records,) = connection.execute("select count(*) from proposal_record").fetchone() or (0,)
    rows = connection.execute(
        "select field, transform, count(*), count(distinct value) from proposal_value group by 1, 2"
    ).fetchall()
    counts = {(name, transform): (count, distinct) for name, transform, count, distinct in rows}
    for name in stream.fields:
        filled, distinct = counts.get((name, "text"), (0, 0))
        accepted = {t: counts[name, t][0] / filled for t in single_transforms() if (name, t) in counts}
        found[name] = FieldValues(records, filled, distinct, accepted)
    return found


def _insert(name: str, source: SourceField) -> sql.Composed:
    tried = sql.SQL(", ").join(
        sql.SQL("({}, {})").format(
            sql.Literal(transform), sql.SQL(comparable(transform_sql(transform, "raw"), transform))
        )
        for transform in transforms_for(source)
    )
    return sql.SQL(
        "insert into proposal_value select {name}, tried.transform, place, tried.value"
        " from (select place, {raw} as raw from proposal_record) as record"
        " cross join lateral (values {tried}) as tried (transform, value)"
        " where length(raw) <= {longest} and tried.value is not null"
    ).format(
        name=sql.Literal(name),
        raw=sql.SQL(dated_sql(field_sql(name, source), source)),
        tried=tried,
        longest=sql.Literal(LONGEST),
    )


def comparable(expression: str, transform: str) -> str:
    """The SQL text of a transform's value, the same for equal values."""
    return comparable_of_type(expression, transform_types()[transform])


def comparable_of_type(expression: str, kind: str) -> str:
    """The SQL text of a value of an attribute's type, the same for equal values."""
    return f"trim_scale({expression})::text" if kind == "numeric" else f"({expression})::text"
