"""The candidates' payloads spread into typed columns, for the suite to look at.

The columns are the fields' names in lower case: SQL in a suite then needs no quotes (and Great Expectations does not
quote them). Two columns are findings of our own, for the suites to assert on: `_unparsed` names the fields whose value
is not of the declared type, `_unmapped` the attributes whose value no mapping knows. Both are NULL when all is well,
and hold names only, never values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.fields import FieldType, SourceField
from onefold.catalog.stream import Stream
from onefold.mapping.sql import dated_sql, field_sql, unmapped_sql
from onefold.quality.contract import field_value, is_of_type
from onefold.quality.suite import Suite
from onefold.warehouse.tables import LandingTables, StagingTable

_POSTGRES: dict[FieldType, str] = {
    "integer": "bigint",
    "numeric": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}


def make_typed(
    connection: psycopg.Connection,
    landing: LandingTables,
    staging: StagingTable,
    stream: Stream,
    entities: Mapping[str, Entity],
    suite: Suite,
) -> int:
    """Make the load's typed table: a column for every field that the suite names or that is more than text.

    Returns how many rows it has: the candidates that are no deletions.

    Nearly always every value can be read as its type, so it is simply read; only when that fails is each value asked
    first whether it can be.
    """
    fields = {
        name: field for name, field in stream.fields.items() if field.type in _POSTGRES or suite.names(name.lower())
    }
    unmapped = sql.SQL(unmapped_sql(entities, staging.system, staging.stream, stream))

    def spread(careful: bool) -> int:
        read = _read_if_valid if careful else _read
        columns = [
            sql.SQL("_key, _cursor"),
            *(sql.SQL("{} as {}").format(read(name, f), sql.Identifier(name.lower())) for name, f in fields.items()),
            sql.SQL("{} as _unparsed, {} as _unmapped").format(_unparsed(stream, careful), unmapped),
        ]
        connection.execute(sql.SQL("drop table if exists {}").format(landing.typed))
        return connection.execute(
            sql.SQL("create unlogged table {} as select {} from {} where not _deleted").format(
                landing.typed, sql.SQL(", ").join(columns), landing.candidate
            )
        ).rowcount

    try:
        return spread(careful=False)
    except psycopg.DataError:
        return spread(careful=True)


def _text(name: str, field: SourceField) -> sql.SQL:
    return sql.SQL(dated_sql(field_sql(name, field), field))


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
    conditions: list[sql.Composable] = []
    findings: list[sql.Composable] = []
    for name, field in stream.fields.items():
        verdict = sql.SQL("is not true" if field.required else "is false")
        conditions.append(sql.SQL("({}) {}").format(is_of_type(name, field), verdict))
        table = stream.format is not None and stream.format.kind != "xml"
        if field.type in _POSTGRES:
            conditions += [_unreadable(name, field, table)] if careful or table else _beyond(name, field)
        findings += [_finding(wrong, text) for wrong, text in _faults(name, field, table)]
        if stream.format and table:
            formula = _formula(name, field, guarded=name not in stream.format.unguarded)
            conditions.append(formula)
            findings.append(_finding(formula, f"{name} begins like a formula"))
    if stream.cursor:
        names = " and ".join(stream.cursor.fields)
        conditions.append(sql.SQL("_cursor is null"))
        findings.append(_finding(sql.SQL("_cursor is null"), f"the cursor ({names}) cannot be read"))
    return sql.SQL("case when {} then nullif(array_to_string(array[{}]::text[], '; '), '') end").format(
        sql.SQL(" or ").join(conditions), sql.SQL(", ").join(findings)
    )


def _formula(name: str, field: SourceField, *, guarded: bool) -> sql.Composed:
    """Whether a cell would be a formula to the spreadsheet into which somebody takes it (OWASP, CSV Injection).

    Such begins with = and more; or with + - @ and calls a function or another program. "-10% rabat", "- pozycja listy"
    and "@" are ordinary texts. What the workbook itself computed begins with a tab and is refused in every field.
    """
    patterns = ["^[\\t\\r]"]
    if guarded:
        patterns += [
            "^[=][[:space:]=]*[^[:space:]=]",
            "^[+@-](.*[-+*/^&=<>(,;])?[[:space:]+@-]*[[:alpha:]_.][[:alnum:]_.]*[(]",
            "^[+@-].*[|].*!",
        ]
    text = _text(name, field)
    return sql.SQL("coalesce({}, false)").format(
        sql.SQL(" or ").join(sql.SQL("{} ~ {}").format(text, sql.Literal(each)) for each in patterns)
    )


def _faults(name: str, field: SourceField, table: bool) -> Iterator[tuple[sql.Composable, str]]:
    """What may be wrong with a field: a condition that is true when it is, and how it is then called."""
    if field.required:
        yield sql.SQL("{} is null").format(field_value(name, field)), f"{name} is missing"
    yield sql.SQL("({}) is false").format(is_of_type(name, field)), f"{name} is not {field.type}"
    if field.type in _POSTGRES:
        yield _unreadable(name, field, table), f"{name} cannot be read as {field.type}"


def _unreadable(name: str, field: SourceField, table: bool) -> sql.Composable:
    """Whether the value is no text of the type, or means nothing in it; of a table also whether the file's reader could
    not read it."""
    bad: sql.Composable = sql.SQL("({} <> '' and not {}) is true").format(_text(name, field), _valid(name, field))
    if field.type == "timestamp":
        bad = sql.SQL("({} and ({}) is null)").format(bad, _instant(name, field))
    wrong = [bad, *_beyond(name, field)]
    if table:
        unread = sql.Literal(["_file", "unread", field.path or name])
        wrong.append(sql.SQL("_payload #> {} is not null").format(unread))
    return sql.SQL("({})").format(sql.SQL(" or ").join(wrong))


def _beyond(name: str, field: SourceField) -> Iterator[sql.Composable]:
    """Whether PostgreSQL takes the field's text for a value that nobody means: `NaN`, `Infinity` and `0x1F` are numbers
    to it; `infinity`, `today`, and days before the year 1 or after 9999 are dates."""
    text = _text(name, field)
    if field.type in ("integer", "numeric"):
        yield sql.SQL("(translate({}, ' 0123456789+-.eE', '') <> '') is true").format(text)
    elif field.type in ("date", "timestamp"):
        # The year has four digits: nearly always the first four characters, which is cheap to ask.
        yield sql.SQL(
            "({text} <> '' and {text} not like '/Date(%' and ({text} not like '____-%' or {text} ilike '%bc')"
            " and {text} !~* '^[^0-9]*[0-9]{{1,4}}([^0-9].*[^bc])?$|^[0-9]{{8}}([^0-9].*[^bc])?$') is true"
        ).format(text=text)


def _finding(condition: sql.Composable, text: str) -> sql.Composed:
    return sql.SQL("case when {} then {} end").format(condition, sql.Literal(text))
