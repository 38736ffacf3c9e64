"""What runs have done, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.text_table import table


@dataclass(frozen=True, slots=True)
class LoadLine:
    """One load: rows by what became of them, the gate's verdict, and seconds of work by step."""

    system: str
    stream: str
    load_id: int
    state: str
    read: int
    new: int
    changed: int
    deleted: int
    quarantined: int
    verdict: str
    seconds: float
    error: str | None

    @property
    def gate(self) -> str:
        """The gate's verdict on a load that came to its end; else the state that it is in."""
        return self.verdict if self.state == "published" else self.state

    def as_json(self) -> dict[str, object]:
        """The line as plain JSON containers."""
        return asdict(self)


_LOADS = sql.SQL("""
select system, stream, load_id, state, rows_read as read, rows_new as new, rows_changed as changed,
       rows_deleted as deleted, rows_quarantined as quarantined, coalesce(verdict, 'none') as verdict,
       round((seconds_extracting + seconds_gating + seconds_publishing)::numeric, 1)::float8 as seconds, error
from ops.load
""")
_OF_RUN = _LOADS + sql.SQL("where dag_id = %s and run_id = %s order by system, stream, load_id")
_NEWEST = _LOADS + sql.SQL(
    "where load_id in (select max(load_id) from ops.load group by system, stream) order by system, stream"
)


def loads_of_run(connection: psycopg.Connection, dag_id: str, run_id: str) -> list[LoadLine]:
    """The loads of one DAG run, by stream; of a stream that was loaded again, the last."""
    with connection.cursor(row_factory=class_row(LoadLine)) as cursor:
        rows = cursor.execute(_OF_RUN, (dag_id, run_id)).fetchall()
    return list({(row.system, row.stream): row for row in rows}.values())


def newest_loads(connection: psycopg.Connection) -> list[LoadLine]:
    """The newest load of every stream."""
    with connection.cursor(row_factory=class_row(LoadLine)) as cursor:
        return cursor.execute(_NEWEST).fetchall()


def every_stream(loads: Iterable[LoadLine], streams: Iterable[tuple[str, str]]) -> list[LoadLine]:
    """The loads, and a line for each of the streams (system, stream) that was never loaded; by system and stream."""
    known = {(load.system, load.stream): load for load in loads}
    never = {
        name: LoadLine(*name, 0, "never loaded", 0, 0, 0, 0, 0, "none", 0.0, None)
        for name in streams
        if name not in known
    }
    return [load for _, load in sorted({**known, **never}.items())]


def load_table(loads: Iterable[LoadLine]) -> str:
    """A table of loads, one line each."""
    heads = ("system", "stream", "read", "new", "changed", "deleted", "quarantined", "gate", "seconds")
    rows = [
        (
            *(load.system, load.stream, f"{load.read:,}", f"{load.new:,}", f"{load.changed:,}", f"{load.deleted:,}"),
            *(f"{load.quarantined:,}", load.gate, f"{load.seconds:.1f}"),
        )
        for load in loads
    ]
    return table(heads, rows, left=2)


def last_publish(connection: psycopg.Connection) -> Mapping[str, object]:
    """The report of the newest published conform run; empty when there was none yet."""
    row = connection.execute(
        "select report from ops.publish where state = 'published' order by publish_id desc limit 1"
    ).fetchone()
    return row[0] if row else {}


def entity_lines(report: Mapping[str, object]) -> list[str]:
    """One line an entity: how many golden records there are, and how many systems each of them joins."""
    if not report:
        return ["Nothing has been published yet."]
    lines = []
    for entity in report["entities"]:
        joined = ", ".join(
            f"{count:,} from {systems} system{'s' if int(systems) > 1 else ''}"
            for systems, count in sorted(entity["by_sources"].items())
        )
        lines.append(f"conformed.{entity['entity']}: {entity['golden']:,} golden records ({joined})")
    return lines
