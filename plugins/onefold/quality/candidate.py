"""From landed pages to what the gate looks at: one row a key, only what differs from the current version, typed.

The typed table's columns are the fields' names in lower case: SQL in a suite then needs no quotes (and Great
Expectations does not quote them). Two columns are findings of our own, for the suites to assert on: `_unparsed` names
the fields whose value is not of the declared type, `_unmapped` the attributes whose value no mapping knows. Both are
NULL when all is well, and hold names only, never values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.system import FieldType, SourceField, Stream
from onefold.mapping.sql import field_sql, transform_sql, unmapped_sql
from onefold.quality.contract import field_value, of_type
from onefold.warehouse.ledger import Load
from onefold.warehouse.tables import StagingTable

_POSTGRES: dict[FieldType, str] = {
    "integer": "bigint",
    "numeric": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}


def make_candidates(connection: psycopg.Connection, load: Load, stream: Stream) -> int:
    """Reduce the landed records to the candidates and return how many there are.

    Of several readings of one key the one with the greatest cursor counts; at equal cursors the one read last. A
    reading is a candidate when its content differs from the current version (compared by hash first, as jsonb where
    the hashes differ: a source may write its keys in another order), is not older than it, and is not in quarantine
    already, unchanged. What the catalogue calls volatile is no content.

    A candidate points to its row in the pages (`_row`, its ctid: pages are never updated) instead of copying it.
    """
    staging = StagingTable(load.system, load.stream)
    names = {
        "candidate": load.tables.candidate,
        "newest": _newest(connection, load),
        "current": staging.current,
        "system": sql.Literal(load.system),
        "stream": sql.Literal(load.stream),
        "read": _content("read._payload", stream),
        "held": _content("held._payload", stream),
        "refused": _content("q.payload", stream),
    }
    connection.execute(sql.SQL("drop table if exists {candidate}").format(**names))
    connection.execute(
        sql.SQL(
            """
            create unlogged table {candidate} as
            select read._row, read._key, read._deleted, held._key is not null as _known
            from ({newest}) read
            left join {current} held on held._key = read._key
            where (
                held._key is null
                or (
                    held._hash <> read._hash
                    and (held._deleted, {held}) is distinct from (read._deleted, {read})
                    and (
                        held._cursor is null or read._cursor is null or read._cursor > held._cursor
                        or (read._cursor = held._cursor and read._extracted_at >= held._extracted_at)
                    )
                )
            )
            and not exists (
                select from ops.quarantine q
                where q.system = {system} and q.stream = {stream} and q._key = read._key and q.state = 'open'
                  and (q._hash = read._hash or {refused} = {read})
            )
            """
        ).format(**names)
    )
    return connection.execute(sql.SQL("select count(*) from {}").format(load.tables.candidate)).fetchone()[0]


def _newest(connection: psycopg.Connection, load: Load) -> sql.Composed:
    """One reading a key. Sorting them all is dear and mostly in vain: most loads read every key once."""
    pages = load.tables.pages
    repeated = connection.execute(
        sql.SQL("select exists (select from {} group by _key having count(*) > 1)").format(pages)
    ).fetchone()[0]
    if not repeated:
        return sql.SQL("select ctid as _row, * from {}").format(pages)
    return sql.SQL(
        "select distinct on (_key) ctid as _row, * from {}"
        " order by _key, _cursor desc nulls last, _extracted_at desc, _hash desc"
    ).format(pages)


def make_typed(connection: psycopg.Connection, load: Load, stream: Stream, entities: Mapping[str, Entity]) -> None:
    """Spread the candidates' payloads into one typed column a field, with the two findings."""
    columns = [
        sql.SQL("{} as {}").format(_typed(name, field), sql.Identifier(name.lower()))
        for name, field in stream.fields.items()
    ]
    unmapped = unmapped_sql(entities, load.system, load.stream, stream)
    connection.execute(sql.SQL("drop table if exists {}").format(load.tables.typed))
    connection.execute(
        sql.SQL(
            "create unlogged table {} as select read._key, read._cursor, {}, {} as _unparsed, {} as _unmapped"
            " from {} read join {} candidate on candidate._row = read.ctid where not read._deleted"
        ).format(
            load.tables.typed,
            sql.SQL(", ").join(columns),
            _unparsed(stream),
            sql.SQL(unmapped),
            load.tables.pages,
            load.tables.candidate,
        )
    )


def _content(payload: str, stream: Stream) -> sql.Composable:
    """The part of a record that counts when two readings are compared."""
    expression = sql.SQL(payload)
    for path in stream.volatile:
        expression = sql.SQL("({} #- {})").format(expression, sql.Literal(path.split(".")))
    return expression


def _text(name: str, field: SourceField) -> sql.SQL:
    return sql.SQL(field_sql(name, field))


def _valid(name: str, field: SourceField) -> sql.Composed:
    """Whether PostgreSQL's own input function takes the field's text for its type; NULL where there is no text."""
    return sql.SQL("pg_input_is_valid({}, {})").format(_text(name, field), sql.Literal(_POSTGRES[field.type]))


def _odata(name: str, field: SourceField) -> sql.Composed:
    """OData v2 writes a timestamp as /Date(ms)/; every other form is PostgreSQL's own."""
    instant = sql.SQL(transform_sql("timestamp_utc", field_sql(name, field)))
    return sql.SQL("case when {} like '/Date(%' then {} end").format(_text(name, field), instant)


def _typed(name: str, field: SourceField) -> sql.Composable:
    if field.type in ("text", "json"):
        return _text(name, field)
    otherwise = _odata(name, field) if field.type == "timestamp" else sql.SQL("null")
    return sql.SQL("case when {} then {}::{} else {} end").format(
        _valid(name, field), _text(name, field), sql.SQL(_POSTGRES[field.type]), otherwise
    )


def _unparsed(stream: Stream) -> sql.Composable:
    """What is wrong with the row, named field by field; first asked in one cheap condition whether anything is."""
    conditions, findings = [], []
    for name, field in stream.fields.items():
        conditions += _suspicions(name, field)
        findings += [_finding(wrong, text) for wrong, text in _faults(name, field)]
    if stream.cursor:
        names = " and ".join(stream.cursor.fields)
        conditions.append(sql.SQL("_cursor is null"))
        findings.append(_finding(sql.SQL("_cursor is null"), f"the cursor ({names}) cannot be read"))
    return sql.SQL("case when {} then nullif(concat_ws('; ', {}), '') end").format(
        sql.SQL(" or ").join(conditions), sql.SQL(", ").join(findings)
    )


def _suspicions(name: str, field: SourceField) -> Iterator[sql.Composable]:
    """True, never NULL, where one of the field's faults is: each value is taken out of the payload once."""
    verdict = sql.SQL("is not true" if field.required else "is false")
    yield sql.SQL("({}) {}").format(of_type(name, field), verdict)
    if field.type in _POSTGRES:
        yield sql.SQL("({} <> '' and not {}) is true").format(_text(name, field), _valid(name, field))


def _faults(name: str, field: SourceField) -> Iterator[tuple[sql.Composable, str]]:
    """What may be wrong with a field: a condition that is true when it is, and how it is then called."""
    if field.required:
        yield sql.SQL("{} is null").format(field_value(name, field)), f"{name} is missing"
    yield sql.SQL("({}) is false").format(of_type(name, field)), f"{name} is not {field.type}"
    if field.type in _POSTGRES:
        bad = sql.SQL("{} <> '' and not {}").format(_text(name, field), _valid(name, field))
        if field.type == "timestamp":
            bad = sql.SQL("{} and ({}) is null").format(bad, _odata(name, field))
        yield bad, f"{name} cannot be read as {field.type}"


def _finding(condition: sql.Composable, text: str) -> sql.Composed:
    return sql.SQL("case when {} then {} end").format(condition, sql.Literal(text))
