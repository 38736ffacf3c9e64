"""What the comparisons of a run found, as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.text_table import table


@dataclass(frozen=True, slots=True)
class ComparisonLine:
    """The last comparison of one stream in a run: its method, what it found, and since when."""

    system: str
    stream: str
    state: str
    method: str | None
    counted: int
    read: int
    missing: int
    changed: int
    deleted: int
    oldest: datetime | None
    repaired: int
    reason: str | None

    def as_json(self) -> dict[str, object]:
        """The line as plain JSON containers."""
        return asdict(self) | {"oldest": self.oldest.isoformat() if self.oldest else None}


def comparisons_of_run(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[ComparisonLine]:
    """The comparisons of one DAG run, by stream."""
    with connection.cursor(row_factory=class_row(ComparisonLine)) as cursor:
        return cursor.execute(
            "select distinct on (system, stream) system, stream, state, method, windows_counted as counted,"
            " records_read as read, missing, changed, deleted,"
            " (select min(since) from ops.drift d where d.system = r.system and d.stream = r.stream) as oldest,"
            " repaired_windows as repaired, reason"
            " from ops.reconciliation r where dag_id = %s and run_id = %s"
            " order by system, stream, reconciliation_id desc",
            (dag_id, run_id),
        ).fetchall()


def comparison_table(lines: Iterable[ComparisonLine]) -> str:
    """A table with a line for each stream, and below it why streams were not compared."""
    lines = list(lines)
    heads = ("system", "stream", "method", "counted", "read", "missing", "changed", "deleted", "repaired", "oldest")
    rows = [
        (
            *(line.system, line.stream, line.method or line.state),
            *(f"{number:,}" for number in (line.counted, line.read, line.missing, line.changed, line.deleted)),
            *(f"{line.repaired:,}", f"{line.oldest:%F %H:%M}" if line.oldest else ""),
        )
        for line in lines
    ]
    why = [f"{line.system}.{line.stream}: {line.reason}" for line in lines if line.reason]
    return "\n".join([table(heads, rows, left=3), *([""] if why else []), *why])
