"""What a stream's surveyed records are like: keys, growth, fields, personal data; counts and masks, no value."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.fields import PersonalClass, SourceField
from onefold.catalog.system import System
from onefold.mapping.sql import field_sql, transform_sql
from onefold.survey.reading import StreamRead, table_of

LOOKED_AT = 500
"""Values of a field that are looked at to tell whether they are of a person."""
_LOOKS = {"email": "e-mail addresses", "pesel": "PESEL numbers", "iban": "bank accounts", "phone_e164": "telephones"}
_MASK = (
    "left(regexp_replace(regexp_replace(regexp_replace(regexp_replace({0}, '[0-9]', '9', 'g'),"
    " '[^[:ascii:]]|[a-z]', 'a', 'g'), '[A-Z]', 'A', 'g'), '(.)\\1{{4,}}', '\\1\\1\\1\\1…', 'g'), 30)"
)


@dataclass(frozen=True, slots=True)
class FieldFact:
    """One field: in which share of the records it holds something, how many different values that are, and how its
    usual value looks (letters as a, digits as 9). `looks_like` is personal data that nobody has classed."""

    name: str
    type: str
    personal: PersonalClass
    filled: float
    distinct: int
    mask: str
    looks_like: str | None


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What one stream's records are like. `repeated_keys` are keys that several of the records read have."""

    read: StreamRead
    title: str
    primary_key: tuple[str, ...]
    repeated_keys: int
    key_masks: tuple[str, ...]
    deleted: int
    months: tuple[tuple[str, int], ...]
    """Records by the month of their cursor, as the source counts them, else of those that were read."""
    fields: tuple[FieldFact, ...]

    @property
    def volume(self) -> str:
        """How many records there are: counted, read to the end, or at least."""
        if self.read.counted is not None:
            return f"{self.read.counted:,}"
        return f"{self.read.records:,}" if self.read.complete else f"at least {self.read.records:,}"


def stream_facts(connection: psycopg.Connection, system: System, read: StreamRead) -> StreamFacts:
    """Of the records in the stream's temporary table."""
    stream, table = system.streams[read.stream], table_of(system.system, read.stream)
    if not read.records:
        return StreamFacts(read, stream.title, tuple(stream.primary_key), 0, (), 0, read.monthly or (), ())
    row = connection.execute(
        sql.SQL("select count(_key) - count(distinct _key), count(*) filter (where _deleted) from {}").format(table)
    ).fetchone()
    repeated, deleted = row or (0, 0)
    masks = connection.execute(
        sql.SQL(
            "select {} as mask, count(*) from {} where _key is not null group by 1 order by 2 desc, 1 limit 3"
        ).format(sql.SQL(_MASK.format("_key")), table)
    ).fetchall()
    return StreamFacts(
        read,
        stream.title,
        tuple(stream.primary_key),
        repeated,
        tuple(mask for mask, _ in masks),
        deleted,
        read.monthly or _months(connection, table),
        tuple(_field(connection, table, name, source) for name, source in stream.fields.items()),
    )


def _months(connection: psycopg.Connection, table: sql.Composable) -> tuple[tuple[str, int], ...]:
    rows = connection.execute(
        sql.SQL(
            "select left(_cursor, 7), count(*) from {} where _cursor ~ '^[0-9]{{4}}-[0-9]{{2}}'"
            " group by 1 order by 1 desc limit 12"
        ).format(table)
    ).fetchall()
    return tuple(reversed([(month, count) for month, count in rows]))


def _field(connection: psycopg.Connection, table: sql.Composable, name: str, source: SourceField) -> FieldFact:
    raw = sql.SQL(field_sql(name, source))
    row = connection.execute(
        sql.SQL(
            "select count(*), count(raw), count(distinct raw), mode() within group (order by mask)"
            " from (select raw, {} as mask from (select nullif(btrim({}), '') as raw from {}) as given) as masked"
        ).format(sql.SQL(_MASK.format("raw")), raw, table)
    ).fetchone()
    records, filled, distinct, mask = row or (0, 0, 0, None)
    looks = (
        _looks_like(connection, table, raw) if source.type == "text" and source.personal == "none" and filled else None
    )
    return FieldFact(
        name, source.type, source.personal, filled / records if records else 0.0, distinct, mask or "", looks
    )


def _looks_like(connection: psycopg.Connection, table: sql.Composable, raw: sql.Composable) -> str | None:
    """What kind of personal data most of the values are; None where they are none."""
    counts = sql.SQL(", ").join(sql.SQL("count({})").format(sql.SQL(transform_sql(name, "raw"))) for name in _LOOKS)
    row = connection.execute(
        sql.SQL(
            "select count(*), {} from (select {} as raw from {} limit {}) as given where length(raw) between 5 and 200"
        ).format(counts, raw, table, sql.Literal(LOOKED_AT))
    ).fetchone()
    if not row or not row[0]:
        return None
    return next((what for what, count in zip(_LOOKS.values(), row[1:], strict=True) if count > 0.6 * row[0]), None)
