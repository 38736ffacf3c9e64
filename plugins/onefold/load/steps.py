"""The three steps of a load: land, gate, publish; together (`run`) or each by itself.

Every step first makes sure that the step before it holds (a crash of the database empties landing), so a task can be
tried again, in another process or on another machine, and goes on where the last attempt stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Literal

import psycopg

from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, OnefoldError, Rejected
from onefold.load import audit_and_lineage, gate_step, landing, ledger, queue
from onefold.load import publish as publishing
from onefold.load.changes import ensure_changes_view
from onefold.load.checkpoints import stored_checkpoints
from onefold.load.extraction import Acknowledge, Confirm
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.page_extraction import extract
from onefold.load.plain_view import ensure_plain_views
from onefold.load.replayed_rows import land_chosen_rows, replay_window
from onefold.load.staging import ensure_staging
from onefold.load.stream_lag import lag_statement
from onefold.load.stream_lock import hold_stream, locked_stream, open_warehouse, record_failure
from onefold.load.unexpected import classify_unexpected
from onefold.load.usage import Usage
from onefold.load.window import overlap, resolve_window
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.post_commit import anchor_and_deliver
from onefold.warehouse.pre_commit import require_publishable

log = logging.getLogger(__name__)

Step = Literal["land", "gate", "publish"]
Observer = Callable[[Step], AbstractContextManager[object]]
"""Gives the block in which a step runs: a group of the task's log, a stopwatch."""


def run(job: Job, observe: Observer = lambda step: nullcontext()) -> Load:
    """Land, gate and publish over one connection, which holds the stream's lock all the time; returns the load.

    A retry (`job.is_retry`) goes on at the step that failed, and does nothing where the last attempt has published.
    The three states are in ops.load as when each step is run by itself. Raises what the steps raise; `step` of the
    error says which step it was.
    """
    with open_warehouse(job) as connection:
        with hold_stream(connection, job):
            load = _published_before(connection, job)
            if load is None:
                with _in_step("land", job, observe):
                    load = _land(connection, job, _resume(connection, job) or _begin(connection, job))
                with _in_step("gate", job, observe):
                    load = _gate(connection, job, load)
                with _in_step("publish", job, observe):
                    load = _publish(connection, job, load)
        with _in_step("publish", job):
            anchor_and_deliver(connection)
    return load


def land(job: Job) -> Load:
    """Bring the window's pages into landing; goes on after the last page of an attempt that died."""
    with locked_stream(job) as connection:
        return _land(connection, job, _resume(connection, job) or _begin(connection, job))


def gate(job: Job) -> Load:
    """Gate what has landed. Raises Rejected when the load is refused; single bad rows only go to quarantine."""
    with locked_stream(job) as connection:
        load = _latest(connection, job)
        return _gate(connection, job, _land(connection, job, load)) if load.in_progress else load


def dry_run(job: Job) -> Load:
    """Gate what has landed, and end the load there; what it would publish stays in landing until it is decided on."""
    with locked_stream(job) as connection:
        load = _latest(connection, job)
        if load.in_progress:
            load = _gate(connection, job, _land(connection, job, load))
            with connection.transaction():
                ledger.end_dry_run(connection, load)
                audit_and_lineage.record_dry_run(connection, job, load)
        return ledger.get(connection, load.load_id)


def publish(job: Job) -> Load:
    """Make the accepted rows visible, together with cursor, verdict, lineage and audit. Does nothing when done."""
    with open_warehouse(job) as connection:
        with hold_stream(connection, job):
            load = _latest(connection, job)
            if load.in_progress:
                load = _publish(connection, job, _gate(connection, job, _land(connection, job, load)))
        anchor_and_deliver(connection)
    return load


def reject(job: Job, why: Rejected) -> None:
    """End the run's load that is in progress, for a reason that only the caller could see; drop what it landed."""
    with locked_stream(job) as connection:
        record_failure(connection, job, why)


@contextmanager
def _in_step(step: Step, job: Job, observe: Observer = lambda step: nullcontext()) -> Iterator[None]:
    """Run a step where its observer sees it, and name it on the error that ends it."""
    with observe(step):
        try:
            with translate_errors(job.name), classify_unexpected(job.name):
                yield
        except OnefoldError as error:
            error.step = step
            raise


def _published_before(connection: psycopg.Connection, job: Job) -> Load | None:
    """What an earlier attempt of this task has published, when it ended before it could say so."""
    load = ledger.latest(connection, job.system.system, job.stream_name, job.run) if job.is_retry else None
    if load is None or load.state != "published" or _is_of_another_window(job, load):
        return None
    log.info("%s load %s was published by the attempt before this one", job.name, load.load_id)
    return load


def _resume(connection: psycopg.Connection, job: Job) -> Load | None:
    """This run's load, if it is in progress; one of another window than the run asks for now is closed.

    A run may load several windows of a stream one after the other, no two with the same end. Where a crash of the
    database has emptied what it had landed of the first ones, it begins with them again.
    """
    load = ledger.in_progress_of(connection, job.system.system, job.stream_name, job.run)
    if load and _is_of_another_window(job, load):
        ledger.reject(connection, load, "abandoned: its run has gone back to another window")
        return None
    return load


def _is_of_another_window(job: Job, load: Load) -> bool:
    return job.requested.exactly and job.requested.end not in (None, load.window_end)


def _begin(connection: psycopg.Connection, job: Job) -> Load:
    system, idle = job.system.system, job.system.limits.idle_run
    if job.yields_to_fresh:
        queue.yield_to_fresh(connection, system, job.stream_name, job.run_is_over, idle)
    ledger.close_abandoned(connection, system, job.stream_name, job.run, job.run_is_over, idle)
    ensure_staging(connection, job.table)
    ensure_plain_views(connection, [(job.table, job.stream)])
    if job.stream.versions == "every_change":
        ensure_changes_view(connection, job.table)
    if job.sweep:
        window = Window(BEGINNING, datetime.now(UTC))
    elif job.anew:
        window = Window(BEGINNING, job.requested.end or datetime.now(UTC))
    elif job.replay_id is not None:
        window = replay_window(connection, job.replay_id, system, job.stream_name)
    else:
        window = resolve_window(connection, system, job.stream_name, job.stream, job.requested)
    with connection.transaction():
        queue.dequeue(connection, system, job.stream_name, job.run)
        load = ledger.begin(connection, system, job.stream_name, window, job.run, sweep=job.sweep)
        audit_and_lineage.record_start(connection, job, load)
    log.info("%s load %s: window [%s, %s)", job.name, load.load_id, window.start, window.end)
    return load


def _latest(connection: psycopg.Connection, job: Job) -> Load:
    """This run's newest load. Raises Fatal when there is none yet, Rejected when it was refused."""
    load = ledger.latest(connection, job.system.system, job.stream_name, job.run)
    if load is None:
        raise Fatal(
            f"{job.name}: run {job.run.run_id} has not landed anything yet. Run the step land first: clear the task."
        )
    if load.state == "rejected":
        raise Rejected(f"{job.name} load {load.load_id} was rejected: {load.error} Clear the task to try again.")
    return load


def _land(connection: psycopg.Connection, job: Job, load: Load) -> Load:
    """Read what has not landed yet; nothing where all pages are there already."""
    progress = landing.read_progress(connection, load)
    if progress and progress.complete and load.state != "extracting":
        return load
    if progress is None:
        if not (
            job.dry_run_load and landing.take_over_dry_run(connection, load, ledger.get(connection, job.dry_run_load))
        ):
            landing.open_landing(connection, load)
        progress = landing.read_progress(connection, load)
    began = time.monotonic()
    if not (progress and progress.complete):
        if job.replay_id is not None:
            land_chosen_rows(connection, load, job.replay_id)
        else:
            extract(connection, job, load, token=progress.token if progress else None)
    seconds = job.cpu.uncharged
    with connection.transaction():
        landing.finish_landing(connection, load, time.monotonic() - began, seconds)
        load = ledger.get(connection, load.load_id)
        audit_and_lineage.record_landed(connection, job, load)
    job.cpu.charge(seconds)
    return load


def _gate(connection: psycopg.Connection, job: Job, load: Load) -> Load:
    """Gate the load, which has landed; nothing where it has passed the gate already."""
    if load.state == "gated" and landing.is_gated(connection, load):
        return load
    began = time.monotonic()
    gated = gate_step.run_gate(connection, job, load)
    seconds = job.cpu.uncharged
    with connection.transaction():
        landing.mark_gated(connection, load, job.stream, time.monotonic() - began, seconds)
        audit_and_lineage.record_gated(connection, job, load, gated)
    job.cpu.charge(seconds)
    return ledger.get(connection, load.load_id)


def _publish(connection: psycopg.Connection, job: Job, load: Load) -> Load:
    """Publish the load, which has passed the gate, and acknowledge it to the source."""
    require_publishable(connection)
    gated = load
    keys = landing.landed_keys(connection, gated) if job.acknowledge else []
    publishing.publish(
        connection,
        gated,
        job.stream,
        lambda inside, counts: audit_and_lineage.record_published(inside, job, gated, counts),
        overlap(job.stream),
        job.cpu,
        job.replay_id,
    )
    load = ledger.get(connection, gated.load_id)
    log.info(
        "%s load %s published: %s new, %s changed, %s deleted, %s quarantined (%s in conflict) of %s read;"
        " %s values withheld",
        *(job.name, load.load_id, load.rows_new, load.rows_changed, load.rows_deleted),
        *(load.rows_quarantined, load.rows_conflicting, load.rows_read, load.values_withheld),
    )
    if job.acknowledge and keys:
        _acknowledge(connection, job, load, job.acknowledge, keys)
    if job.confirm:
        _confirm(connection, job, load, job.confirm)
    return load


def _confirm(connection: psycopg.Connection, job: Job, load: Load, confirm: Confirm) -> None:
    """Tell the source up to where its log is published, so that it need not keep more of it.

    It follows the commit and cannot undo it: a source that did not hear of it is told by the next load.
    """
    usage = Usage()
    try:
        for checkpoint in stored_checkpoints(connection, load.system, load.stream).values():
            if lag := confirm(job.stream_name, usage, checkpoint):
                connection.execute(lag_statement(load, lag))
    except OnefoldError as error:
        log.warning(
            "%s load %s is published; the source hears with the next load up to where: %s",
            *(job.name, load.load_id, error),
        )
    usage.save(connection, load)


def _acknowledge(
    connection: psycopg.Connection, job: Job, load: Load, acknowledge: Acknowledge, keys: list[str]
) -> None:
    """Tell the source which records are published, quarantine included.

    It follows the commit and cannot undo it: a source that did not receive it (or we crashed before) gives the same
    records to the next load, and receives it after that one.
    """
    usage, result = Usage(), "ok"
    try:
        acknowledge(job.stream_name, usage, keys)
    except OnefoldError as error:
        result = "failed"
        log.warning(
            "%s load %s is published; the source gets its acknowledgement with the next: %s",
            *(job.name, load.load_id, error),
        )
    usage.save(connection, load)
    with connection.transaction():
        audit_and_lineage.record_acknowledged(connection, job, load, len(keys), result)
