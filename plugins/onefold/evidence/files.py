"""Writes rows as CSV and as JSON, both at once and row by row, so that memory stays flat however many there are."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg.rows import tuple_row

Cell = str | int | bool | datetime | None
Row = Sequence[Cell]
_ROWS_PER_FETCH = 2_000


def write_rows(folder: Path, name: str, heads: Sequence[str], rows: Iterable[Row], safe: Callable[[str], str]) -> int:
    """Write <name>.csv and <name>.json and return how many rows there were.

    `safe` is what a text becomes in a CSV cell. Times are UTC, with six digits, in both.
    """
    count = 0
    with (
        (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as table,
        (folder / f"{name}.json").open("w", encoding="utf-8", newline="\n") as objects,
    ):
        out = csv.writer(table, lineterminator="\n")
        out.writerow(heads)
        objects.write("[")
        for row in rows:
            cells = [_time(cell) if isinstance(cell, datetime) else cell for cell in row]
            out.writerow([safe(cell) if isinstance(cell, str) else _plain(cell) for cell in cells])
            objects.write(
                ("," if count else "") + "\n" + json.dumps(dict(zip(heads, cells, strict=True)), ensure_ascii=False)
            )
            count += 1
        objects.write("\n]\n")
    return count


def write_query(
    connection: psycopg.Connection,
    folder: Path,
    name: str,
    query: str,
    period: dict[str, object],
    safe: Callable[[str], str],
) -> int:
    """Write what a query of ours gives, streamed. The connection is in a transaction."""
    with connection.cursor(f"evidence_{name}", row_factory=tuple_row) as cursor:
        cursor.itersize = _ROWS_PER_FETCH
        cursor.execute(query.encode(), period)
        heads = [column.name for column in cursor.description or ()]
        return write_rows(folder, name, heads, cursor, safe)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain(cell: int | bool | None) -> str:
    if cell is None:
        return ""
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
