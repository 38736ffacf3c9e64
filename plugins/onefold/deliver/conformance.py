"""Tries out a target with values of every kind and at every limit, in a table of its own that is dropped afterwards.
So an account says for itself what an emulator, where only that was at hand, cannot say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from onefold.deliver import bookkeeping
from onefold.deliver.compare import Cell, differing_cells
from onefold.deliver.source import Source
from onefold.deliver.table import Column, Table
from onefold.deliver.target import Session, Target
from onefold.deliver.verify import checksum_there
from onefold.deliver.write import SPAN, end_rows, ensure_table, remove_rows

_STORED = "conformance"
_COLUMNS = {
    "text": "text",
    "integer": "bigint",
    "numeric": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
VALUES: dict[str, tuple[str, ...]] = {
    "text": (
        *(
            "",
            " ",
            "NULL",
            "\\N",
            "\\",
            "'",
            '"',
            "a,b;c|d",
            "a\tb",
            "a\nb",
            "a\r\nb",
            "\x01\x1f\x7f",
            "Łódź",
            "Ło\u0301dz\u0301",
        ),
        *("\U0001f9d1\u200d\U0001f4bb", "\u202eabc", "ß", "ﬁ", "\ufeffx", "x" * 100_000, "{}", "$$", "%s", "?"),
    ),
    "integer": ("0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993"),
    "numeric": (
        *("0", "0.000000001", "-0.000000001", "1.10", "99999999999999999999999999999.999999999"),
        *("-99999999999999999999999999999.999999999", "0.1", "123456789012345678.123456789", "1e10"),
    ),
    "boolean": ("true", "false"),
    "date": ("0001-01-01", "1582-10-10", "1900-02-28", "1969-12-31", "2000-02-29", "9999-12-31"),
    "timestamp": (
        *("0001-01-02 00:00:00+00", "1900-01-01 00:00:00.000001+00", "1969-12-31 23:59:59.999999+00"),
        *("2026-03-29 02:30:00+02", "2026-10-25 00:59:59.5+00", "9999-12-30 23:59:59.999999+00"),
    ),
}
"""By type the values that are tried, as PostgreSQL reads them; and NULL of each."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that was tried. `wrong` says what came of it; empty where it is as it has to be."""

    what: str
    wrong: str = ""

    def __str__(self) -> str:
        return f"{'FAILED ' if self.wrong else 'ok     '} {self.what}{': ' + self.wrong if self.wrong else ''}"


def try_target(source: Source, target: Target) -> list[Trial]:
    """Try everything that a delivery relies on. Nothing of what analysts see is touched."""
    with target.writing() as session:
        table = _table(session.dialect.row_bytes)
        bookkeeping.prepare(session)
        name = session.dialect.table(_STORED)
        session.execute(f"drop table if exists {name}")
        try:
            ensure_table(session, table)
            trials = list(_try(source, session, table))
        finally:
            session.execute(f"drop table if exists {name}")
        return trials


def _try(source: Source, session: Session, table: Table) -> Iterator[Trial]:
    quote, name = session.dialect.quote, session.dialect.table(_STORED)
    with session.transaction():
        written = session.load(_STORED, [*SPAN, *table.columns], source.rows(table))
    yield Trial("rows are loaded", "" if written == source.checksum(table).rows else f"{written} were")
    there = checksum_there(session, table, 0)
    yield Trial("counts and checksums agree", "" if there == source.checksum(table) else str(there))
    cells: list[Cell] = list(differing_cells(source, session, table, 0))
    for column in table.columns:
        wrong = [each.key for each in cells if each.column in ("", column.name)]
        yield Trial(f"every value of type {column.name} is kept exactly", ", ".join(wrong[:5]))
    ended = end_rows(session, table, iter([("text 0", "1", "7")]))
    found = list(session.rows(f"select {quote('_until')} from {name} where {quote('_key')} = 'text 0'"))
    yield Trial("the end of a row is set", "" if ended == 1 and str(found[0][0]) == "7" else f"{ended}, {found}")
    remove_rows(session, table, [("text 0", 1)])
    left = list(session.rows(f"select count(*) from {name} where {quote('_key')} = 'text 0'"))
    yield Trial("a row is deleted", "" if int(str(left[0][0])) == 0 else "it is still there")
    move = f"update {name} set {quote('_from')} = {{}} where {quote('_key')} = 'text 1' and {quote('_from')} = {{}}"
    moves = [session.execute(move.format(2, 1)), session.execute(move.format(3, 1))]
    yield Trial("an update says how many rows it has changed", "" if moves == [1, 0] else str(moves))
    try:
        with session.transaction():
            session.execute(f"delete from {name}")
            raise _GivenUpError
    except _GivenUpError:
        left = list(session.rows(f"select count(*) from {name}"))
    yield Trial("a transaction that is given up changes nothing", "" if int(str(left[0][0])) else "the rows are gone")


class _GivenUpError(Exception):
    """Ends a transaction that is tried."""


def _table(row_bytes: int | None) -> Table:
    """A row for each value that the target says it can hold, in the column of its type, and one of NULLs alone."""
    rows = [
        sql.SQL("select {} as _key, {}").format(
            sql.Literal(f"{kind} {at}"),
            sql.SQL(", ").join(
                sql.SQL("cast({} as {})").format(
                    sql.Literal(value if column == kind else None), sql.SQL(_COLUMNS[column])
                )
                for column in _COLUMNS
            ),
        )
        for kind, values in VALUES.items()
        for at, value in enumerate([*values, None])
        if value is None or row_bytes is None or len(value.encode()) < row_bytes
    ]
    names = sql.SQL(", ").join(map(sql.Identifier, ["_key", *_COLUMNS]))
    query = sql.SQL("select _key, 1::bigint as _from, null::bigint as _until, {} from ({}) as v ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)), sql.SQL(" union all ").join(rows), names
    )
    columns = tuple(Column(name, kind) for name, kind in _COLUMNS.items())
    return Table(_STORED, _STORED, "entity", columns, query)
