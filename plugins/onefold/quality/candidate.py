"""From landed pages to what the gate looks at: one row a key, only what differs from the current version, typed.

The typed table's columns are the fields' names in lower case: SQL in a suite then needs no quotes (and Great
Expectations does not quote them). Two columns are findings of our own, for the suites to assert on: `_unparsed` names
the fields whose value is not of the declared type, `_unmapped` the attributes whose value no mapping knows. Both are
NULL when all is well, and hold names only, never values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.system import FieldType, SourceField, Stream
from onefold.mapping.sql import field_sql, unmapped_sql
from onefold.quality.contract import field_value, of_type
from onefold.warehouse.landing import set_aside_unstorable
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
    """
    try:
        return _reduce(connection, load, stream)
    except psycopg.DataError:  # some record is no JSON that can be stored; hardly ever, so looked for only now
        set_aside_unstorable(connection, load)
        return _reduce(connection, load, stream)


def _reduce(connection: psycopg.Connection, load: Load, stream: Stream) -> int:
    """Keys, hashes and cursors decide first; a record is parsed only where they say that it may have changed."""
    _know_size(connection, load)
    staging = StagingTable(load.system, load.stream).versions
    first = not connection.execute(sql.SQL("select exists (select from {})").format(staging)).fetchone()[0]
    names = {
        "candidate": load.tables.candidate,
        "newest": _newest(connection, load),
        "not_waiting": _not_waiting(connection, load, stream),
        "staging": staging,
        "held": _content("version._payload", stream),
        "read": _content("read._payload::jsonb", stream),
    }
    connection.execute(sql.SQL("drop table if exists {candidate}").format(**names))
    return connection.execute((_ALL if first else _DIFFERENT).format(**names)).rowcount


_ALL = sql.SQL(
    """
    create unlogged table {candidate} as
    select _key, _cursor, _deleted, _hash, _extracted_at, _payload::jsonb as _payload, false as _known
    from ({newest}) read where {not_waiting}
    """
)
"""A first load has nothing to be compared with; as plain as this, PostgreSQL parses the records on several cores."""

_DIFFERENT = sql.SQL(
    """
    create unlogged table {candidate} as
    with read as materialized (
        select read.*, held._load_id as _held
        from ({newest}) read
        left join (
            select _key, _load_id, _hash, _cursor, _extracted_at from {staging} version
            where not exists (
                select from {staging} later where later._key = version._key and later._load_id > version._load_id
            )
        ) held on held._key = read._key
        where held._key is null
           or (
               held._hash <> read._hash
               and (
                   held._cursor is null or read._cursor is null or read._cursor > held._cursor
                   or (read._cursor = held._cursor and read._extracted_at >= held._extracted_at)
               )
           )
    )
    select _key, _cursor, _deleted, _hash, _extracted_at, _payload::jsonb as _payload, _held is not null as _known
    from read
    where (
        _held is null
        or (
            select (version._deleted, {held}) is distinct from (read._deleted, {read})
            from {staging} version where version._key = read._key and version._load_id = _held
        )
    )
    and {not_waiting}
    """
)
"""The join takes no payloads of what is held, so that a million versions fit into memory; they are looked up one by
one for what is left, which is little."""


def _know_size(connection: psycopg.Connection, load: Load) -> None:
    """A small sample is enough for a good plan; without one PostgreSQL thinks of five times as many, narrow rows."""
    with connection.transaction():
        connection.execute("set local default_statistics_target = 10")
        connection.execute(sql.SQL("analyze {}").format(load.tables.pages))


def _not_waiting(connection: psycopg.Connection, load: Load, stream: Stream) -> sql.Composable:
    """Whether the same content waits in quarantine already; asked only where anything waits there."""
    waiting = sql.SQL("ops.quarantine q where q.system = {} and q.stream = {} and q.state = 'open'").format(
        load.system, load.stream
    )
    if not connection.execute(sql.SQL("select exists (select from {})").format(waiting)).fetchone()[0]:
        return sql.SQL("true")
    return sql.SQL("not exists (select from {} and q._key = read._key and (q._hash = read._hash or {} = {}))").format(
        waiting, _content("q.payload", stream), _content("read._payload::jsonb", stream)
    )


def _newest(connection: psycopg.Connection, load: Load) -> sql.Composed:
    """One reading a key. Sorting them all is dear and mostly in vain: most loads read every key once."""
    pages = load.tables.pages
    repeated = connection.execute(sql.SQL("select count(distinct _key) < count(*) from {}").format(pages)).fetchone()[0]
    if not repeated:
        return sql.SQL("select * from {}").format(pages)
    return sql.SQL(
        "select pages.* from {pages} pages join (select distinct on (_key) ctid as _row from {pages}"
        " order by _key, _cursor desc nulls last, _extracted_at desc, _hash desc) newest on newest._row = pages.ctid"
    ).format(pages=pages)


def make_typed(connection: psycopg.Connection, load: Load, stream: Stream, entities: Mapping[str, Entity]) -> None:
    """Spread the candidates' payloads into one typed column a field, with the two findings.

    Nearly always every value can be read as its type, so it is simply read; only when that fails is each value asked
    first whether it can be.
    """
    try:
        _spread(connection, load, stream, entities, _read)
    except psycopg.DataError:
        _spread(connection, load, stream, entities, _read_if_valid)


def _spread(
    connection: psycopg.Connection,
    load: Load,
    stream: Stream,
    entities: Mapping[str, Entity],
    read: Callable[[str, SourceField], sql.Composable],
) -> None:
    columns = [
        sql.SQL("{} as {}").format(read(name, field), sql.Identifier(name.lower()))
        for name, field in stream.fields.items()
    ]
    unmapped = unmapped_sql(entities, load.system, load.stream, stream)
    connection.execute(sql.SQL("drop table if exists {}").format(load.tables.typed))
    connection.execute(
        sql.SQL(
            "create unlogged table {} as select _key, _cursor, {}, {} as _unparsed, {} as _unmapped"
            " from {} where not _deleted"
        ).format(
            load.tables.typed,
            sql.SQL(", ").join(columns),
            _unparsed(stream, careful=read is _read_if_valid),
            sql.SQL(unmapped),
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


def _instant(name: str, field: SourceField) -> sql.Composed:
    """OData v2 writes a timestamp as /Date(ms)/ or /Date(ms+minutes)/, always in UTC; NULL for every other form.

    Not the mapping's transform: that is a subquery, and with one PostgreSQL does not spread rows over several cores.
    """
    return sql.SQL(
        "case when {text} like '/Date(%' and {text} ~ '^/Date[(]-?[0-9]{{1,14}}([+-][0-9]{{4}})?[)]/$' then"
        " timestamptz '1970-01-01 00:00:00Z' + substring({text} from '-?[0-9]+')::bigint * interval '1 millisecond' end"
    ).format(text=_text(name, field))


def _read(name: str, field: SourceField) -> sql.Composable:
    """The field's value as its type; fails when it cannot be read as that."""
    if field.type in ("text", "json"):
        return _text(name, field)
    value = sql.SQL("nullif({}, '')::{}").format(_text(name, field), sql.SQL(_POSTGRES[field.type]))
    return sql.SQL("coalesce({}, {})").format(_instant(name, field), value) if field.type == "timestamp" else value


def _read_if_valid(name: str, field: SourceField) -> sql.Composable:
    """The field's value as its type; NULL when it cannot be read as that."""
    if field.type in ("text", "json"):
        return _text(name, field)
    return sql.SQL("case when {} then {}::{} else {} end").format(
        _valid(name, field),
        _text(name, field),
        sql.SQL(_POSTGRES[field.type]),
        _instant(name, field) if field.type == "timestamp" else sql.SQL("null"),
    )


def _unparsed(stream: Stream, careful: bool) -> sql.Composable:
    """What is wrong with the row, named field by field; first asked in one cheap condition whether anything is.

    Unless `careful`, every value is known to be readable as its type.
    """
    conditions, findings = [], []
    for name, field in stream.fields.items():
        verdict = sql.SQL("is not true" if field.required else "is false")
        conditions.append(sql.SQL("({}) {}").format(of_type(name, field), verdict))
        if careful and field.type in _POSTGRES:
            conditions.append(_unreadable(name, field))
        findings += [_finding(wrong, text) for wrong, text in _faults(name, field)]
    if stream.cursor:
        names = " and ".join(stream.cursor.fields)
        conditions.append(sql.SQL("_cursor is null"))
        findings.append(_finding(sql.SQL("_cursor is null"), f"the cursor ({names}) cannot be read"))
    return sql.SQL("case when {} then nullif(concat_ws('; ', {}), '') end").format(
        sql.SQL(" or ").join(conditions), sql.SQL(", ").join(findings)
    )


def _faults(name: str, field: SourceField) -> Iterator[tuple[sql.Composable, str]]:
    """What may be wrong with a field: a condition that is true when it is, and how it is then called."""
    if field.required:
        yield sql.SQL("{} is null").format(field_value(name, field)), f"{name} is missing"
    yield sql.SQL("({}) is false").format(of_type(name, field)), f"{name} is not {field.type}"
    if field.type in _POSTGRES:
        yield _unreadable(name, field), f"{name} cannot be read as {field.type}"


def _unreadable(name: str, field: SourceField) -> sql.Composable:
    bad = sql.SQL("({} <> '' and not {}) is true").format(_text(name, field), _valid(name, field))
    return sql.SQL("{} and ({}) is null").format(bad, _instant(name, field)) if field.type == "timestamp" else bad


def _finding(condition: sql.Composable, text: str) -> sql.Composed:
    return sql.SQL("case when {} then {} end").format(condition, sql.Literal(text))
