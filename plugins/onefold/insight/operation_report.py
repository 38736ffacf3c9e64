"""What one operation planned, what it found and what it did, as text that people read (Markdown)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row, dict_row
from pydantic import TypeAdapter

from onefold.change import ledger as plan_ledger
from onefold.change.text import plan_page
from onefold.erasure.plan import ErasurePlan
from onefold.erasure.plan import PlanJson as ErasureJson
from onefold.insight.operations import Kind, Operation
from onefold.migration import ledger as migration_ledger
from onefold.migration.plan_text import plan_text
from onefold.migration.report import report_text
from onefold.replay.ledger import FIGURES, find_replay
from onefold.rollback.plan import StreamPlan
from onefold.rollback.stream_change import Target
from onefold.text_table import markdown_table, number
from onefold.warehouse.rows import one_row

_STREAMS = TypeAdapter(list[StreamPlan])
_ASKED = 20
_CHUNKS = 500


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands below it, in Markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One plan that was asked about: when, by whom, its text, and what was decided; people as audit events name
    them."""

    approval_id: int
    requested_at: datetime
    requested_by: str | None
    plan: str
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None


def asked(connection: psycopg.Connection, subject: str) -> list[Asked]:
    """The plans of an operation ("rollback:41") that were asked about, the newest first."""
    with connection.cursor(row_factory=class_row(Asked)) as cursor:
        return cursor.execute(
            "select approval_id, requested_at, requested_by, plan, decision, decided_by, decided_at from ops.approval"
            " where subject = %s order by approval_id desc limit %s",
            (subject, _ASKED),
        ).fetchall()


def report(connection: psycopg.Connection, found: Operation) -> list[Part]:
    """What the engine has recorded of it, beside the plans that were asked about."""
    return [each for each in _OF[found.kind](connection, found) if each.text]


def _migration(connection: psycopg.Connection, found: Operation) -> Iterator[Part]:
    migration = migration_ledger.get(connection, found.number)
    yield Part("Plan", plan_text(migration))
    if migration.report is not None:
        yield Part("Report of the dry run", report_text(migration))
    chunks = connection.execute(
        "select stream, position, window_start, window_end, dry_run_load, load_id from ops.migration_chunk"
        " where migration_id = %s order by stream, position limit %s",
        (found.number, _CHUNKS),
    ).fetchall()
    rows = [
        [stream, number(position), f"{start:%F %H:%M}", f"{end:%F %H:%M}", str(dry_run or ""), str(load or "")]
        for stream, position, start, end, dry_run, load in chunks
    ]
    head = ["stream", "chunk", "from (UTC)", "to", "dry run's load", "published by load"]
    yield Part("Chunks" + (f", the first {_CHUNKS}" if len(rows) == _CHUNKS else ""), markdown_table(head, rows))


def _rollback(connection: psycopg.Connection, found: Operation) -> Iterator[Part]:
    undoes, plan, outcome = one_row(
        connection.execute("select undoes, plan, outcome from ops.rollback where rollback_id = %s", (found.number,))
    )
    yield Part("Plan", _streams(plan, undoes))
    yield Part("What was done", _streams(outcome or (), undoes))


def _streams(stored: object, undoes: int | None) -> str:
    target: Target = "rolled_back" if undoes is None else "published"
    streams = _STREAMS.validate_python(stored)
    return "\n".join(f"- {line.strip()}" for stream in streams for line in stream.lines(target))


def _replay(connection: psycopg.Connection, found: Operation) -> Iterator[Part]:
    replay = find_replay(connection, str(found.dag_id), str(found.run_id))
    if replay is None:
        return
    rows = [[each.name, *(number(each.figures[figure]) for figure in FIGURES)] for each in replay.streams]
    totals = replay.totals
    rows.append(["all", *(number(totals[figure]) for figure in FIGURES)])
    yield Part("What became of the rows", markdown_table(["stream", *FIGURES], rows))
    rows = [
        [f"{each.system}.{each.stream}", each.reason, number(each.rows), each.why_not or ""]
        for each in replay.not_replayable
    ]
    if rows:
        yield Part("What cannot be replayed", markdown_table(["stream", "reason", "rows", "why not"], rows))


def _reconciliation(connection: psycopg.Connection, found: Operation) -> Iterator[Part]:
    with connection.cursor(row_factory=dict_row) as cursor:
        figures = cursor.execute(
            "select method, windows_counted, windows_read, records_read, missing, changed, deleted, repaired_windows"
            " from ops.reconciliation where reconciliation_id = %s",
            (found.number,),
        ).fetchone()
    rows = [
        [name.replace("_", " "), "none" if value is None else value if name == "method" else number(value)]
        for name, value in (figures or {}).items()
    ]
    yield Part("What was compared, and what differs", markdown_table(["", ""], rows))


def _erasure(connection: psycopg.Connection, found: Operation) -> Iterator[Part]:
    stored: Sequence[ErasureJson | None] = one_row(
        connection.execute("select plan, outcome from ops.erasure where erasure_id = %s", (found.number,))
    )
    for title, content in zip(("Plan", "What was erased"), stored, strict=True):
        if content:
            yield Part(title, "\n".join(f"- {line}" for line in ErasurePlan.from_json(content).text.splitlines()))


def _plan(connection: psycopg.Connection, found: Operation) -> Iterator[Part]:
    yield Part("Plan", plan_page(connection, plan_ledger.get(connection, found.number)))


def _alert(connection: psycopg.Connection, found: Operation) -> Iterator[Part]:
    last, times, opened, resolved = one_row(
        connection.execute(
            "select last_seen, occurrences, notified_open, notified_resolved from ops.alert where alert_id = %s",
            (found.number,),
        )
    )
    rows = [
        ["seen last (UTC)", f"{last:%F %H:%M}"],
        ["times seen", number(times)],
        ["told to", ", ".join(opened) or "nobody: no receiver is set"],
        ["told that it is over", ", ".join(resolved)],
    ]
    yield Part("How often, and who was told", markdown_table(["", ""], rows))


def _none(_: psycopg.Connection, __: Operation) -> Iterator[Part]:
    yield from ()


_OF: Mapping[Kind, Callable[[psycopg.Connection, Operation], Iterator[Part]]] = {
    "migration": _migration,
    "rollback": _rollback,
    "replay": _replay,
    "reconciliation": _reconciliation,
    "erasure": _erasure,
    "plan": _plan,
    "restore": _none,
    "alert": _alert,
}
