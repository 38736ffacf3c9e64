"""What may be wrong with the value of a field, as SQL conditions over a candidate."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from onefold.catalog.fields import FieldType, SourceField
from onefold.catalog.stream import Stream
from onefold.mapping.sql import dated_sql, field_sql
from onefold.quality.contract import field_value, is_of_type

POSTGRES: dict[FieldType, str] = {
    "integer": "bigint",
    "numeric": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
"""The SQL type of each declared type that is more than text."""


def field_faults(stream: Stream, name: str, field: SourceField) -> Iterator[tuple[sql.Composable, str, str]]:
    """What may be wrong with a field: a condition that is true when it is, how it is then called, what is allowed."""
    if field.required:
        yield sql.SQL("{} is null").format(field_value(name, field)), f"{name} is missing", "a value"
    yield sql.SQL("({}) is false").format(is_of_type(name, field)), f"{name} is not {field.type}", field.type
    if field.type in POSTGRES:
        yield _unreadable(stream, name, field), f"{name} cannot be read as {field.type}", field.type
    if _is_table(stream):
        allowed = "a text that no spreadsheet takes for a formula"
        yield _formula(stream, name, field), f"{name} begins like a formula", allowed


def suspicions(stream: Stream, name: str, field: SourceField, careful: bool) -> Iterator[sql.Composable]:
    """Cheap conditions, one of which holds when something is wrong with the field.

    Unless `careful`, every value is known to be readable as its type, and no date to be before the year 1.
    """
    verdict = sql.SQL("is not true" if field.required else "is false")
    wrong_type = sql.SQL("({}) {}").format(is_of_type(name, field), verdict)
    if field.type not in POSTGRES or careful or _is_table(stream):
        yield wrong_type
        if field.type in POSTGRES:
            yield _unreadable(stream, name, field)
    else:
        wrong = sql.SQL(" or ").join([wrong_type, *_beyond(name, field)])
        yield sql.SQL("not {} and ({})").format(_surely_good(name, field), wrong)
    if _is_table(stream):
        yield _formula(stream, name, field)


def _surely_good(name: str, field: SourceField) -> sql.Composable:
    """Whether one cheap look tells that nothing is wrong: a number of JSON is written in digits; what begins with a
    year of this century, and could be read, is a text and a date."""
    if field.type in ("integer", "numeric"):
        return sql.SQL("coalesce(jsonb_typeof({}) = 'number', false)").format(field_value(name, field))
    if field.type in ("date", "timestamp"):
        return sql.SQL("coalesce({} like '2___-%', false)").format(sql.SQL(field_sql(name, field)))
    return sql.SQL("false")


def _is_table(stream: Stream) -> bool:
    """Whether the records are the rows of a file that people open in a spreadsheet."""
    return stream.format is not None and stream.format.kind in ("csv", "xlsx")


def _unreadable(stream: Stream, name: str, field: SourceField) -> sql.Composable:
    """Whether the value is no text of the type, or means nothing in it; of a table also whether the file's reader could
    not read it."""
    text = field_text(name, field)
    bad: sql.Composable = sql.SQL("({} <> '' and not {}) is true").format(text, is_readable(name, field))
    if field.type == "timestamp":
        bad = sql.SQL("({} and ({}) is null)").format(bad, instant(name, field))
    wrong = [bad, *_beyond(name, field)]
    if _is_table(stream):
        unread = sql.Literal(["_file", "unread", field.path or name])
        wrong.append(sql.SQL("_payload #> {} is not null").format(unread))
    return sql.SQL("({})").format(sql.SQL(" or ").join(wrong))


def _beyond(name: str, field: SourceField) -> Iterator[sql.Composable]:
    """Whether PostgreSQL takes the field's text for a value that nobody means: `NaN`, `Infinity` and `0x1F` are numbers
    to it; `infinity`, `today`, and days before the year 1 or after 9999 are dates."""
    text = sql.SQL(field_sql(name, field))  # as it came: a date that means none, 0000-00-00, is none of these
    if field.type in ("integer", "numeric"):
        yield sql.SQL("({} ~ '[^ 0-9.eE+-]') is true").format(text)
    elif field.type in ("date", "timestamp"):
        # The year has four digits: nearly always the first four characters, which is cheap to ask.
        yield sql.SQL(
            "({text} <> '' and ({text} not like '____-%' or right({text}, 2) in ('BC', 'bc', 'Bc', 'bC'))"
            " and {text} not like '/Date(%'"
            " and {text} !~* '^[^0-9]*[0-9]{{1,4}}([^0-9].*[^bc])?$|^[0-9]{{8}}([^0-9].*[^bc])?$') is true"
        ).format(text=text)


def _formula(stream: Stream, name: str, field: SourceField) -> sql.Composed:
    """Whether a cell would be a formula to the spreadsheet into which somebody takes it (OWASP, CSV Injection).

    Such begins with = and more; or with + - @ and calls a function or another program. "-10% rabat", "- pozycja listy"
    and "@" are ordinary texts. What the workbook itself computed begins with a tab and is refused in every field.
    """
    patterns = ["^[\\t\\r]"]
    if stream.format and name not in stream.format.unguarded:
        patterns += [
            "^[=][[:space:]=]*[^[:space:]=]",
            "^[+@-](.*[-+*/^&=<>(,;])?[[:space:]+@-]*[[:alpha:]_.][[:alnum:]_.]*[(]",
            "^[+@-].*[|].*!",
        ]
    text = field_text(name, field)
    return sql.SQL("coalesce({}, false)").format(
        sql.SQL(" or ").join(sql.SQL("{} ~ {}").format(text, sql.Literal(each)) for each in patterns)
    )


def field_text(name: str, field: SourceField) -> sql.SQL:
    """The field's value as text; NULL where the record has none."""
    return sql.SQL(dated_sql(field_sql(name, field), field))


def is_readable(name: str, field: SourceField) -> sql.Composed:
    """Whether PostgreSQL's own input function takes the field's text for its type; NULL where there is no text."""
    return sql.SQL("pg_input_is_valid({}, {})").format(field_text(name, field), sql.Literal(POSTGRES[field.type]))


def instant(name: str, field: SourceField) -> sql.Composed:
    """OData v2 writes a timestamp as /Date(ms)/ or /Date(ms+minutes)/, always in UTC; NULL for every other form.

    Not the mapping's transform: that is a subquery, and with one PostgreSQL does not spread rows over several cores.
    """
    return sql.SQL(
        "case when {text} like '/Date(%' and {text} ~ '^/Date[(]-?[0-9]{{1,14}}([+-][0-9]{{4}})?[)]/$' then"
        " timestamptz '1970-01-01 00:00:00Z' + substring({text} from '-?[0-9]+')::bigint * interval '1 millisecond' end"
    ).format(text=sql.SQL(field_sql(name, field)))  # a date that means none begins with 0
