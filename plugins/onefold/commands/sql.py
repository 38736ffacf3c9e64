"""onefold sql: ask the warehouse, as one of its roles."""

from __future__ import annotations

import csv
import functools
import itertools
import json
import math
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import click
import psycopg
from psycopg import adapters

from onefold.audit import actor
from onefold.commands.safe_output import json_visible, spreadsheet_text, visible
from onefold.errors import Fatal
from onefold.platform.warehouse import Role, connect_as
from onefold.privacy.recorded_read import RecordedRead
from onefold.warehouse.exact_values import load_intervals_as_text, load_json_as_text, load_unfit_times_as_text

TABLE_ROWS = 1000
_JSON_TYPES = frozenset({adapters.types[name].oid for name in ("json", "jsonb")})
_TEXT_TYPES = frozenset({adapters.types[name].oid for name in ("text", "varchar", "bpchar", "name")})
PIPE_WIDTH = 10_000
"""A pipe has no edge to wrap at: a value that is cut there is lost."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the result, and whether its values are JSON or any text."""

    name: str
    is_json: bool
    is_text: bool


Show = Callable[[Sequence[Column], Iterator[Sequence[object]]], None]


@click.command(
    # A query may begin with a comment, "-- …", which is no option.
    context_settings={"ignore_unknown_options": True},
    epilog='Example: onefold sql "select count(*) from conformed.customer" --csv',
)
@click.argument("query", type=click.UNPROCESSED)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values with a header; any number of rows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row and line; any number of rows.")
@click.option(
    "--raw",
    is_flag=True,
    help="With --csv: every text as it is, also what a terminal carries out or a spreadsheet takes for a formula.",
)
@click.option(
    "--as",
    "role",
    type=click.Choice(["loader", "engineer", "analyst", "auditor"]),
    default="engineer",
    show_default=True,
    help="The role whose rights apply.",
)
def sql(query: str, as_csv: bool, as_json: bool, raw: bool, role: Role) -> None:
    """Run one SQL statement in the warehouse and show its rows.

    Each query is in the audit chain: who asked, as which role, the statement without its values, which personal
    columns it reads, how many rows came, and whether as CSV.

    Control characters in a text are written out; in CSV, an apostrophe stands before a text that a spreadsheet
    would take for a formula.
    """
    if as_csv and as_json:
        raise click.UsageError("Choose one of --csv and --json.")
    if raw and not as_csv:
        raise click.UsageError("--raw needs --csv.")
    connection = connect_as(role, autocommit=True)
    load_intervals_as_text(connection)
    load_unfit_times_as_text(connection)
    load_json_as_text(connection)
    show = functools.partial(_print_csv, raw) if as_csv else _print_json if as_json else _print_table
    read = RecordedRead(connection, query, "csv" if as_csv else "json" if as_json else "table", actor())
    with connection:
        read.begin()
        result: Literal["ok", "failed"] = "failed"
        try:
            _show(connection, query, show, read)
            result = "ok"
        finally:
            read.end(result)


def _show(connection: psycopg.Connection, query: str, show: Show, read: RecordedRead) -> None:
    with connection.cursor() as cursor, closing(_stream(cursor, query)) as rows:
        try:
            counted = read.count(rows)
            first = next(counted, None)
            header = [
                Column(column.name, column.type_code in _JSON_TYPES, column.type_code in _TEXT_TYPES)
                for column in cursor.description or ()
            ]
            show(header, itertools.chain([] if first is None else [first], counted))
        except psycopg.Error as error:
            if error.sqlstate is None and not connection.broken:  # the client's, not the server's: no rows to stream
                click.echo("Done.", err=True)
                return
            raise Fatal(f"SQL failed: {_explain(error, query)}") from error


def _stream(cursor: psycopg.Cursor, query: str) -> Generator[Sequence[object]]:
    """The rows as they come; a generator, so that closing it ends the statement."""
    yield from cursor.stream(query.encode())


def _explain(error: psycopg.Error, query: str) -> str:
    diagnosis = error.diag
    if not diagnosis.message_primary:
        return str(error).strip()
    parts = [diagnosis.message_primary]
    if diagnosis.statement_position:
        position = int(diagnosis.statement_position) - 1
        parts.append(f"at: …{query[max(position - 10, 0) : position]}→{query[position : position + 30]}")
    if diagnosis.message_hint:
        parts.append(f"Hint: {diagnosis.message_hint}")
    return " — ".join(parts)


def _print_csv(raw: bool, header: Sequence[Column], rows: Iterator[Sequence[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(column.name if raw else spreadsheet_text(column.name) for column in header)
    for row in rows:
        writer.writerow(
            _text(value) if raw else _cell(column, _text(value)) for column, value in zip(header, row, strict=True)
        )


def _cell(column: Column, text: str) -> str:
    return spreadsheet_text(text) if column.is_text else visible(text)


def _print_json(header: Sequence[Column], rows: Iterator[Sequence[object]]) -> None:
    for row in rows:
        members = (f"{_json(c.name)}: {_json_value(c, value)}" for c, value in zip(header, row, strict=True))
        click.echo(json_visible(f"{{{', '.join(members)}}}"))


def _json_value(column: Column, value: object) -> str:
    """The value as JSON; what is JSON already stays as PostgreSQL wrote it, digit for digit."""
    if column.is_json and isinstance(value, str):
        return value
    return _json(_text(value) if isinstance(value, float) and not math.isfinite(value) else value)


def _json(value: object) -> str:
    return json.dumps(value, default=_text, ensure_ascii=False)


def _print_table(header: Sequence[Column], rows: Iterator[Sequence[object]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(*(escape(visible(column.name)) for column in header), box=box.SIMPLE_HEAD)
    for row in itertools.islice(rows, TABLE_ROWS):
        table.add_row(*(Text(visible(_text(value))) for value in row))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)
    more = next(rows, None) is not None
    plural = "" if table.row_count == 1 else "s"
    click.echo(f"The first {TABLE_ROWS} rows; --csv gives all." if more else f"{table.row_count} row{plural}")


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, default=_text, ensure_ascii=False)
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
