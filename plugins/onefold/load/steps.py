"""The three steps of a load.

Every step first makes sure that the step before it holds (a crash of the database empties landing), so each task can be
tried again, in another process or on another machine, and goes on where the last attempt stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from onefold.connectors.page import Window
from onefold.errors import Busy, Fatal, OnefoldError, Rejected, Retriable
from onefold.load import audit_and_lineage, gate_step, landing, ledger, queue
from onefold.load import publish as publishing
from onefold.load.checkpoints import held_states
from onefold.load.extraction import Confirm
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.replayed_rows import land_chosen, replay_window
from onefold.load.staging import ensure_staging
from onefold.load.usage import Usage
from onefold.load.window import overlap, resolve_window
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import as_onefold_error, translate_errors
from onefold.warehouse.post_commit import after_commit

log = logging.getLogger(__name__)

_LET_GO_SECONDS = 10
"""How long the server may take to notice that a connection which holds the stream's lock is gone."""


def land(job: Job) -> Load:
    """Bring the window's pages into landing; goes on after the last page of an attempt that died."""
    with _stream_of(job) as connection:
        return _landed(connection, job, _of_its_window(connection, job) or _begun(connection, job))


def gate(job: Job) -> Load:
    """Judge what has landed. Raises Rejected when the load is refused; single bad rows only go to quarantine."""
    with _stream_of(job) as connection:
        load = _taken_up(connection, job) or _ended(connection, job)
        return _gated(connection, job, load) if load.on_its_way else load


def rehearse(job: Job) -> Load:
    """Judge what has landed, and end the load there; what it would publish is kept in landing for who must decide."""
    with _stream_of(job) as connection:
        load = _taken_up(connection, job) or _ended(connection, job)
        if load.on_its_way:
            load = _gated(connection, job, load)
            with connection.transaction():
                ledger.rehearsed(connection, load)
                audit_and_lineage.rehearsed(connection, job, load)
        return ledger.get(connection, load.load_id)


def publish(job: Job) -> Load:
    """Make the accepted rows visible, together with cursor, verdict, lineage and audit. Does nothing when done."""
    with _stream_of(job) as connection:
        load = _taken_up(connection, job) or _ended(connection, job)
        if load.on_its_way:
            load = _gated(connection, job, load)
            judged = load
            keys = landing.landed_keys(connection, load) if job.confirm else []
            publishing.publish(
                connection,
                load,
                lambda inside, counts: audit_and_lineage.published(inside, job, judged, counts),
                overlap(job.stream),
                job.replay_id,
            )
            load = ledger.get(connection, load.load_id)
            log.info(
                "%s load %s published: %s new, %s changed, %s deleted, %s quarantined of %s read",
                *(job.name, load.load_id, load.rows_new, load.rows_changed, load.rows_deleted),
                *(load.rows_quarantined, load.rows_read),
            )
            if job.confirm and keys:
                _confirm(connection, job, load, job.confirm, keys)
    with translate_errors(job.name):
        after_commit(job.warehouse_url)
    return load


def refuse(job: Job, why: Rejected) -> None:
    """End the run's load that is on its way, for a reason that only the caller could see. What it landed is dropped."""
    with _stream_of(job) as connection:
        _keep_failure(connection, job, why)


def _confirm(connection: psycopg.Connection, job: Job, load: Load, confirm: Confirm, keys: list[str]) -> None:
    """Tell the source what is published, quarantine included. It follows the commit and cannot undo it: a source that
    did not hear of it (or we crashed before) gives the same records to the next load, and is told after that one."""
    usage, result = Usage(), "ok"
    try:
        confirm(job.stream_name, usage, keys)
    except OnefoldError as error:
        result = "failed"
        log.warning("%s load %s is published; the source is told with the next: %s", job.name, load.load_id, error)
    usage.save(connection, load)
    with connection.transaction():
        audit_and_lineage.confirmed(connection, job, load, len(keys), result)


@contextmanager
def _stream_of(job: Job) -> Iterator[psycopg.Connection]:
    """A connection that holds the stream's lock. A failure is written down before it is raised again."""
    with (
        translate_errors(job.name),
        connect(job.warehouse_url, autocommit=True) as connection,
        _in_turn(connection, job),
    ):
        ledger.hold(connection, job.system.system, job.stream_name)
        try:
            with translate_errors(job.name):
                yield connection
                # A connection's locks go some time after it is closed; the next step may come sooner.
                connection.execute("select pg_advisory_unlock_all()")
        except OnefoldError as error:
            _write_down(connection, job, error)
            raise


@contextmanager
def _in_turn(connection: psycopg.Connection, job: Job) -> Iterator[None]:
    """Who finds the stream busy and does not give way is written down, for those who do."""
    try:
        yield
    except Busy:
        if not job.gives_way:
            queue.wait(connection, job.system.system, job.stream_name, job.run)
        raise


def _taken_up(connection: psycopg.Connection, job: Job) -> Load | None:
    """This run's load, if it is on its way."""
    load = ledger.latest(connection, job.system.system, job.stream_name, job.run)
    return load if load and load.on_its_way else None


def _of_its_window(connection: psycopg.Connection, job: Job) -> Load | None:
    """This run's load, if it is on its way; one of another window than the run wants now is closed.

    A run may load several windows of a stream one after the other, no two with the same end. Where a crash of the
    database has emptied what it had landed of the first ones, it begins with them again.
    """
    load = _taken_up(connection, job)
    if load and job.wanted.exactly and job.wanted.end not in (None, load.window_end):
        ledger.reject(connection, load, "abandoned: its run has gone back to another window")
        return None
    return load


def _begun(connection: psycopg.Connection, job: Job) -> Load:
    system = job.system.system
    if job.gives_way:
        queue.give_way(connection, system, job.stream_name, job.run_is_over)
    ledger.make_way(connection, system, job.stream_name, job.run, job.run_is_over)
    ensure_staging(connection, job.table)
    if job.replays:
        window = replay_window(connection, job.replay_id, system, job.stream_name)
    else:
        window = resolve_window(connection, system, job.stream_name, job.stream, job.wanted)
    with connection.transaction():
        queue.taken(connection, system, job.stream_name, job.run)
        load = ledger.begin(connection, system, job.stream_name, window, job.run)
        audit_and_lineage.started(connection, job, load)
    log.info("%s load %s: window [%s, %s)", job.name, load.load_id, window.start, window.end)
    return load


def _ended(connection: psycopg.Connection, job: Job) -> Load:
    load = ledger.latest(connection, job.system.system, job.stream_name, job.run)
    if load is None:
        raise Fatal(f"{job.name}: run {job.run.run_id} has not landed anything yet. Clear its land task first.")
    if load.state == "rejected":
        raise Rejected(f"{job.name} load {load.load_id} was rejected: {load.error} Clear the land task to try again.")
    return load


def _landed(connection: psycopg.Connection, job: Job, load: Load) -> Load:
    reached = landing.checkpoint(connection, load)
    if reached and reached[1] and load.state != "extracting":
        return load
    if reached is None:
        if not (job.rehearsed and landing.take_over(connection, load, ledger.get(connection, job.rehearsed))):
            landing.open_landing(connection, load)
        reached = landing.checkpoint(connection, load)
    began = time.monotonic()
    if not (reached and reached[1]):
        if job.replays:
            land_chosen(connection, load, job.replay_id)
        else:
            _read(connection, job, load, token=reached[0] if reached else None)
    with connection.transaction():
        landing.finish_landing(connection, load, time.monotonic() - began)
        load = ledger.get(connection, load.load_id)
        audit_and_lineage.landed(connection, job, load)
    return load


def _read(connection: psycopg.Connection, job: Job, load: Load, token: str | None) -> None:
    """Bring in the source's pages that come after the token."""
    usage = Usage()
    try:
        with (
            job.source(job.stream_name, usage) as pages,
            landing.Landing(connection, load, job.stream.primary_key) as landed,
        ):
            for number, page in enumerate(pages(_window(connection, job, load), token), start=1):
                landed.add(page)
                log.info("%s load %s: page %s, %s records", job.name, load.load_id, number, len(page.records))
    finally:
        usage.save(connection, load)


def _window(connection: psycopg.Connection, job: Job, load: Load) -> Window:
    """The load's window with what the source gave us to go on from; a window that a run names goes on from nothing."""
    if job.wanted.exactly:
        return replace(load.window, scope=job.wanted.scope)
    return replace(load.window, states=held_states(connection, job.system.system, job.stream_name))


def _gated(connection: psycopg.Connection, job: Job, load: Load) -> Load:
    load = _landed(connection, job, load)
    if load.state == "gated" and landing.is_gated(connection, load):
        return load
    began = time.monotonic()
    findings = gate_step.inspect(connection, job, load)
    with connection.transaction():
        landing.mark_gated(connection, load, time.monotonic() - began)
        audit_and_lineage.judged(connection, job, load, findings)
    return ledger.get(connection, load.load_id)


def _write_down(connection: psycopg.Connection, job: Job, error: OnefoldError) -> None:
    """The ledger never lies: a load that will not be tried again is rejected, one that will be says why it waits.

    Over a new connection where this one is lost. Where that is not to be had either, the load stays as it was last
    committed, which is true as well; this run's next attempt takes it up, or another run closes it as abandoned.
    """
    if not connection.closed:
        try:
            _keep_failure(connection, job, error)
            return
        except psycopg.Error as failed:
            log.warning("%s Its failure is written down over a new connection.", as_onefold_error(failed, job.name))
            connection.close()  # its lock goes with it
    try:
        with translate_errors(job.name), connect(job.warehouse_url, autocommit=True) as another:
            _hold_soon(another, job)
            _keep_failure(another, job, error)
    except OnefoldError as unreachable:
        log.warning("%s: why the load failed could not be written into ops.load: %s", job.name, unreachable)


def _keep_failure(connection: psycopg.Connection, job: Job, error: OnefoldError) -> None:
    load = _taken_up(connection, job)
    if load is None:
        return
    final = job.last_attempt or isinstance(error, Fatal | Rejected)
    with connection.transaction():
        if final:
            ledger.reject(connection, load, str(error))
        else:
            connection.execute("update ops.load set error = %s where load_id = %s", (str(error), load.load_id))
        audit_and_lineage.failed(connection, job, load, error, final)


@retry(
    retry=retry_if_exception_type(Retriable),
    stop=stop_after_delay(_LET_GO_SECONDS),
    wait=wait_fixed(0.1),
    reraise=True,
)
def _hold_soon(connection: psycopg.Connection, job: Job) -> None:
    """Take the stream's lock, which the connection that was lost may still hold for a moment."""
    ledger.hold(connection, job.system.system, job.stream_name)
