"""One connection to the warehouse that holds a stream's lock, and the record of what failed meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from onefold.errors import Busy, Fatal, OnefoldError, Rejected, Retriable, storable_message
from onefold.load import audit_and_lineage, ledger, queue
from onefold.load.job import Job
from onefold.load.unexpected import as_failure, classify_unexpected
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import as_onefold_error, translate_errors
from onefold.warehouse.overdue_readers import end_overdue_readers

log = logging.getLogger(__name__)

_LOST_LOCK_SECONDS = 10
"""How long the server may take to notice that a connection which holds the stream's lock is gone."""


@contextmanager
def locked_stream(job: Job) -> Iterator[psycopg.Connection]:
    """A connection that holds the stream's lock within the block, and no lock after it, where it is closed."""
    with open_warehouse(job) as connection, hold_stream(connection, job):
        yield connection


@contextmanager
def open_warehouse(job: Job) -> Iterator[psycopg.Connection]:
    """A connection for the job, in autocommit; errors of PostgreSQL are raised as warehouse/db_errors.py classes them.

    Raises Retriable when the warehouse cannot be reached.
    """
    with translate_errors(job.name), connect(job.warehouse_url, autocommit=True) as connection:
        end_overdue_readers(connection)
        yield connection


@contextmanager
def hold_stream(connection: psycopg.Connection, job: Job) -> Iterator[None]:
    """Hold the stream's lock. Whatever ends the block is recorded in ops.load before it is raised again; what nobody
    foresaw is raised as an error of ours.

    Raises Busy when another process loads the stream.
    """
    with _queue_when_busy(connection, job):
        ledger.lock_stream(connection, job.system.system, job.stream_name)
        job.cpu.restart()
        try:
            with translate_errors(job.name), classify_unexpected(job.name):
                yield
                # A connection's locks go some time after it is closed; the next step may come sooner.
                connection.execute("select pg_advisory_unlock_all()")
        except BaseException as error:
            _record_failure_surely(connection, job, as_failure(error, job.name))
            raise


@contextmanager
def _queue_when_busy(connection: psycopg.Connection, job: Job) -> Iterator[None]:
    """A run that finds the stream busy and does not yield to fresh data is recorded, for those that do."""
    try:
        yield
    except Busy:
        if not job.yields_to_fresh:
            queue.enqueue(connection, job.system.system, job.stream_name, job.run)
        raise


def _record_failure_surely(connection: psycopg.Connection, job: Job, error: OnefoldError) -> None:
    """Record the failure, over a new connection where this one is lost.

    Where no connection can be made either, the load stays as it was last committed, which is true as well; this run's
    next attempt takes it up, or another run closes it as abandoned.
    """
    if not connection.closed:
        try:
            record_failure(connection, job, error)
            return
        except psycopg.Error as failed:
            log.warning("%s Its failure is recorded over a new connection.", as_onefold_error(failed, job.name))
            connection.close()  # its lock goes with it
    try:
        with open_warehouse(job) as another:
            _hold_when_free(another, job)
            record_failure(another, job, error)
    except OnefoldError as unreachable:
        log.warning("%s: why the load failed could not be written into ops.load: %s", job.name, unreachable)


def record_failure(connection: psycopg.Connection, job: Job, error: OnefoldError) -> None:
    """Reject the run's load in progress when it will not be tried again; else write into it why it waits."""
    load = ledger.in_progress_of(connection, job.system.system, job.stream_name, job.run)
    if load is None:
        return
    final = job.last_attempt or isinstance(error, Fatal | Rejected)
    seconds = job.cpu.uncharged
    with connection.transaction():
        if final:
            ledger.reject(connection, load, storable_message(error), seconds)
        else:
            connection.execute(
                "update ops.load set error = %s, last_active = now(), cpu_seconds = cpu_seconds + %s"
                " where load_id = %s",
                (storable_message(error), seconds, load.load_id),
            )
        audit_and_lineage.record_failed(connection, job, load, error, final)
    job.cpu.charge(seconds)


@retry(
    retry=retry_if_exception_type(Retriable),
    stop=stop_after_delay(_LOST_LOCK_SECONDS),
    wait=wait_fixed(0.1),
    reraise=True,
)
def _hold_when_free(connection: psycopg.Connection, job: Job) -> None:
    """Take the stream's lock, which the connection that was lost may still hold for a moment."""
    ledger.lock_stream(connection, job.system.system, job.stream_name)
