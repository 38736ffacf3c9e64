"""One delivery: what changed since the last one is written beyond the pointer, compared with PostgreSQL, and shown at
one instant by the one row that is the pointer.

A crash anywhere leaves readers at the delivery before; the next attempt does away with what was written and begins
again. One that dies after the pointer moved is recorded by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.catalog.entity import Entity
from onefold.deliver import bookkeeping, ledger
from onefold.deliver.bookkeeping import Delivered, Visible
from onefold.deliver.compare import Cell
from onefold.deliver.conformance import Trial, try_target
from onefold.deliver.layout import layout_of
from onefold.deliver.ledger import DeliveryReport, Mode, State, TableReport
from onefold.deliver.source import Source, source_at_one_instant
from onefold.deliver.target import Target
from onefold.deliver.verify import compare_tables, difference_text, require_same
from onefold.deliver.work import Plan, plan_work
from onefold.deliver.write import Step, ensure_views, forget_past_rows, gather_statistics, remove_tables, write_table
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.load.ledger import Run
from onefold.warehouse.advisory_lock import advisory_lock
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors

Recorded = Callable[[psycopg.Connection, Run, DeliveryReport], None]
"""Called in the transaction that records a delivery: its audit event and lineage."""


def deliver(
    url: str,
    target: Target,
    said: DeliveryTarget,
    entities: Mapping[str, Entity],
    run: Run,
    *,
    recorded: Recorded,
    full: bool = False,
    step: Step = lambda name: None,
) -> DeliveryReport:
    """Deliver what changed since the last delivery; `full` compares every row and repairs what differs.

    Raises Retriable when another delivery to the target runs or it cannot be reached, Fatal for a value that it cannot
    hold and where it differs from PostgreSQL afterwards. Readers of the target then see the delivery before.
    """
    mode: Mode = "full" if full else "changes"
    with _alone(url, target) as connection:
        died = ledger.unfinished(connection, target.name)
        delivery_id = ledger.begin(connection, target.name, said.kind, target.place, mode, run)
        with _failure_recorded(connection, delivery_id, run, recorded):
            with target.reading() as session:
                delivered = bookkeeping.read_delivered(session) if session else Delivered()
            _close_unfinished(connection, target, delivered, died, run, recorded)
            with source_at_one_instant(url) as source:
                layout = layout_of(source.connection, said, entities)
                plan = plan_work(source, layout, delivered, full=full)
                if not plan.changes:
                    report = _unchanged(connection, source, plan, delivery_id)
                else:
                    report = _write(connection, source, target, plan, delivery_id, step)
            step("shown")
            with connection.transaction():
                ledger.plan_report(connection, report)
                ledger.end(connection, delivery_id, report.state)
                if report.state == "delivered":
                    recorded(connection, run, report)
            return ledger.read_report(connection, delivery_id)


def _write(
    connection: psycopg.Connection, source: Source, target: Target, plan: Plan, delivery_id: int, step: Step
) -> DeliveryReport:
    """Write, compare, point. The pointer's move is the one statement by which readers see any of it."""
    anew = target.forgets_only_anew and (plan.erased or bool(plan.removed))
    if anew:
        plan = plan_work(source, plan.layout, Delivered(), full=False)
    before = plan.delivered
    with target.writing(anew=anew) as session:
        bookkeeping.prepare(session)
        bookkeeping.forget_unfinished(session, before)
        step("prepared")
        written = {}
        for work in plan.work:
            written[work.table.stored] = write_table(source, session, work, before.delivery_id, delivery_id)
            step(work.table.stored)
        checksums = require_same(source, session, plan.work, delivery_id)
        step("compared")
        visible = {
            table.stored: Visible(
                plan.version(source, table, delivery_id),
                delivery_id if table.kind == "mart" else source.newest,
                checksums.get(table.stored) or plan.checksum(table),
                source.made_of(table),
            )
            for table in plan.layout.tables
        }
        tables = {
            name: TableReport(written.get(name, 0), each.checksum.rows, f"{each.checksum.value:x}")
            for name, each in visible.items()
        }
        shown = max(source.visible.values(), default=0)
        report = replace(
            ledger.read_report(connection, delivery_id),
            state="delivered",
            publish_id=shown,
            read_at=source.at,
            tables=tables,
        )
        bookkeeping.announce(session, report, plan.layout.fingerprint, visible, source.publishes)
        step("announced")
        if plan.removed or plan.layout.fingerprint != before.layout:
            remove_tables(session, plan.removed)
            ensure_views(session, plan.layout)
            step("views")
        ledger.plan_report(connection, report)
        if not bookkeeping.point(session, before.delivery_id, delivery_id):
            raise Retriable(
                f"{target.name}: somebody else has moved the pointer (onefold.published) since this delivery began. "
                "Readers see what it names now. Find who else delivers there, then try again."
            )
        step("pointed")
        oldest = delivery_id if plan.erased else bookkeeping.oldest_kept(session)
        forget_past_rows(session, plan.layout, oldest)
        if plan.erased:  # what a target has gathered of the values of a table has those of the erased
            for work in plan.work:
                gather_statistics(session, work.table)
    return report


def _unchanged(connection: psycopg.Connection, source: Source, plan: Plan, delivery_id: int) -> DeliveryReport:
    known = plan.delivered.tables or {}
    tables = {name: TableReport(0, each.checksum.rows, f"{each.checksum.value:x}") for name, each in known.items()}
    begun = ledger.read_report(connection, delivery_id)
    return replace(begun, state="unchanged", publish_id=plan.delivered.publish_id, read_at=source.at, tables=tables)


def _close_unfinished(
    connection: psycopg.Connection,
    target: Target,
    delivered: Delivered,
    unfinished: Iterable[int],
    run: Run,
    recorded: Recorded,
) -> None:
    """Close the attempts that have died. The one that the pointer names was delivered; what it had to delete after it
    had moved the pointer is deleted now."""
    for delivery_id in unfinished:
        named = delivery_id == delivered.delivery_id
        if named:
            with target.writing() as session:
                forget_past_rows(session, None, delivery_id)
        died = Fatal("The run died before the target showed anything of it; the next one delivers the same.")
        with connection.transaction():
            ledger.end(connection, delivery_id, "delivered" if named else "failed", None if named else died)
            if named:
                recorded(connection, run, ledger.read_report(connection, delivery_id))


@contextmanager
def _alone(url: str, target: Target) -> Iterator[psycopg.Connection]:
    """A connection that holds the right to deliver to the target."""
    busy = f"Another delivery to {target.name} is running; nothing was changed. Wait for it to end and start again."
    with (
        translate_errors(f"delivery to {target.name}"),
        connect(url, autocommit=True) as connection,
        advisory_lock(connection, f"onefold deliver {target.name}", busy=busy),
    ):
        yield connection


@contextmanager
def _failure_recorded(connection: psycopg.Connection, delivery_id: int, run: Run, recorded: Recorded) -> Iterator[None]:
    try:
        yield
    except OnefoldError as error:
        with connection.transaction():
            ledger.end(connection, delivery_id, "failed", error)
            recorded(connection, run, replace(ledger.read_report(connection, delivery_id), state="failed"))
        raise


def verify(
    url: str, target: Target, said: DeliveryTarget, entities: Mapping[str, Entity], run: Run, *, recorded: Recorded
) -> tuple[DeliveryReport, list[Cell]]:
    """Compare every row of the target with what PostgreSQL has of the same publish, and change nothing; returns the
    cells that differ. Raises Fatal where nothing was delivered yet, or PostgreSQL has changed since."""
    with _alone(url, target) as connection:
        delivery_id = ledger.begin(connection, target.name, said.kind, target.place, "verify", run)
        with _failure_recorded(connection, delivery_id, run, recorded), source_at_one_instant(url) as source:
            with target.reading() as session:
                delivered = bookkeeping.read_delivered(session) if session else Delivered()
                if session is None or not delivered.delivery_id:
                    raise Fatal(f"Nothing was delivered to {target.name} yet: bin/onefold deliver {target.name}.")
                layout = layout_of(source.connection, said, entities)
                stale = [each.table.name for each in plan_work(source, layout, delivered, full=False).work]
                tables = [each for each in layout.tables if each.name not in stale]
                checksums, cells = compare_tables(source, session, tables, delivered.delivery_id)
            reports = {name: TableReport(0, each.rows, f"{each.value:x}") for name, each in checksums.items()}
            state: State = "failed" if cells else "verified"
            report = replace(
                ledger.read_report(connection, delivery_id),
                state=state,
                publish_id=delivered.publish_id,
                read_at=source.at,
                tables=reports,
            )
            error = Fatal(difference_text(target.name, cells)) if cells else None
            with connection.transaction():
                ledger.plan_report(connection, report)
                ledger.end(connection, delivery_id, state, error)
                recorded(connection, run, report)
            return ledger.read_report(connection, delivery_id), cells


def try_out(url: str, target: Target, said: DeliveryTarget, run: Run, *, recorded: Recorded) -> list[Trial]:
    """Try what every delivery relies on, in a table of its own at the target; what was tried, and how it went.

    Raises Fatal, naming what failed."""
    with _alone(url, target) as connection:
        delivery_id = ledger.begin(connection, target.name, said.kind, target.place, "conformance", run)
        with _failure_recorded(connection, delivery_id, run, recorded):
            with source_at_one_instant(url) as source:
                trials = try_target(source, target)
            if failed := [str(each) for each in trials if each.wrong]:
                raise Fatal(
                    f"{target.name} is not what a delivery relies on: {'; '.join(failed)}. Nothing that analysts see "
                    f"was touched. Do not deliver there; please report it, with the version of {said.kind}."
                )
            with connection.transaction():
                ledger.end(connection, delivery_id, "verified")
                recorded(connection, run, ledger.read_report(connection, delivery_id))
            return trials
