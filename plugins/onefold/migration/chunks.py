"""A migration's two passes over its chunks: a dry run of each, and, once approved, publish each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

import psycopg
from psycopg import sql

from onefold.errors import Fatal, Rejected
from onefold.load import landing, steps
from onefold.load import ledger as loads
from onefold.load.extraction import CountSource
from onefold.load.job import Job
from onefold.load.ledger import Load, Run
from onefold.load.window import WindowRequest
from onefold.migration import ledger
from onefold.migration.approval import require_approved
from onefold.migration.control_totals import ChunkTotals, Totals, dry_run_totals, overall, published_totals
from onefold.migration.ledger import Chunk, Migration
from onefold.migration.request import MigrationRequest
from onefold.migration.source_counts import land_and_count
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)

MakeJob = Callable[[WindowRequest, int | None], Job]
"""The job that loads a window of the stream; the second argument is the load of the dry run that has read it."""


def dry_run_chunks(
    url: str,
    migration: Migration,
    stream: str,
    make_job: MakeJob,
    may_go_on: Callable[[], None],
    counts: CountSource,
) -> None:
    """Land and judge every chunk that has not been yet. `may_go_on` is asked before each; what it raises ends the pass.

    Tried again after whatever ended it, it goes on with the chunk, and within the chunk with the page, that it was at.
    Raises Rejected when the source's own count of a chunk is not what was read of it.
    """
    with translate_errors(f"migration {migration.migration_id}"), connect(url, autocommit=True) as connection:
        for chunk in ledger.chunks(connection, migration, stream):
            if not is_dry_run_done(connection, chunk):
                job = make_job(_exactly(chunk), None)
                load = _ended_already(connection, job.run, migration, chunk, "dry_run")
                if load is None or not landing.is_gated(connection, load):
                    may_go_on()
                    land_and_count(connection, job, migration, chunk, counts)
                    steps.gate(job)
                    load = steps.dry_run(job)
                ledger.record_dry_run(connection, chunk, load.load_id, _found(connection, job, load))


def publish_chunks(
    url: str, migration: Migration, stream: str, make_job: MakeJob, may_go_on: Callable[[], None]
) -> list[Load]:
    """Publish every chunk that has not been yet, from what its dry run has read; returns the loads of all chunks. As
    dry_run_chunks otherwise.

    Raises Rejected before anything of a chunk is published when what was read is not what was shown, and so
    approved: it is gone, and the source gives something else by now. All that is not published must then get a dry run
    anew. (What becomes of the same records may have changed: others have loaded meanwhile, or a suite was fixed.)
    Raises Rejected too when the versions that a load has brought are not what it was to bring, and Fatal when the
    approval has been withdrawn meanwhile.
    """
    with translate_errors(f"migration {migration.migration_id}"), connect(url, autocommit=True) as connection:
        published = []
        for chunk in ledger.chunks(connection, migration, stream):
            if chunk.load_id is not None:
                published.append(loads.get(connection, chunk.load_id))
            else:
                job = make_job(_exactly(chunk), chunk.dry_run_load)
                load = _ended_already(connection, job.run, migration, chunk, "published")
                if load is None:
                    require_approved(connection, migration)
                    may_go_on()
                    steps.land(job)
                    gated = steps.gate(job)
                    totals = dry_run_totals(connection, gated, job.system, job.entities)
                    if overall(totals) != overall(_dry_run_of(chunk)["became"]):
                        raise _take_back(connection, migration, job, chunk, totals)
                    load = steps.publish(job)
                    _require_equal(connection, job, load, totals.get("accepted", {}))
                ledger.record_published(connection, chunk, load.load_id)
                published.append(load)
        return published


def close_abandoned(
    connection: psycopg.Connection, request: MigrationRequest, who: str, run_is_over: Callable[[str, str], bool]
) -> None:
    """End the migrations of these streams that are in progress while the runs that began them are over."""
    for other in ledger.in_progress(connection, request):
        if run_is_over("migrate", other.run_id):
            log.warning("migration %s is ended: its run %s is over", other.migration_id, other.run_id)
            discard_dry_run(connection, other)
            ledger.end(connection, other, "failed", who, other.error or "given up: its run has ended")


def discard_dry_run(connection: psycopg.Connection, migration: Migration) -> None:
    """Drop what the dry run has landed and no load has taken over."""
    for stream in migration.streams:
        _drop(connection, ledger.chunks(connection, migration, stream))


def quarantined(chunks: Iterable[Chunk]) -> Mapping[str, int]:
    """How many records the dry run's gates refused, by reason."""
    reasons: Counter[str] = Counter()
    for chunk in chunks:
        reasons.update(chunk.totals["reasons"] if chunk.totals else {})
    return dict(reasons)


def withheld(chunks: Iterable[Chunk]) -> Mapping[str, int]:
    """How many values the records that the dry run's gates accepted would lack, by attribute."""
    values: Counter[str] = Counter()
    for chunk in chunks:
        values.update(chunk.totals.get("withheld", {}) if chunk.totals else {})
    return dict(values.most_common())


def _drop(connection: psycopg.Connection, chunks: Iterable[Chunk]) -> None:
    for chunk in chunks:
        if chunk.dry_run_load is not None and chunk.load_id is None:
            with connection.transaction():
                loads.discard_landing(connection, loads.get(connection, chunk.dry_run_load).tables)


def is_dry_run_done(connection: psycopg.Connection, chunk: Chunk) -> bool:
    """Whether it is, and what was read is still there: a crash of the database empties landing, but not the ledger."""
    if chunk.dry_run_load is None or chunk.load_id is not None:
        return chunk.load_id is not None
    return landing.is_gated(connection, loads.get(connection, chunk.dry_run_load))


def _exactly(chunk: Chunk) -> WindowRequest:
    return WindowRequest(chunk.window_start, chunk.window_end, exactly=True, whole_feed=True)


def _ended_already(
    connection: psycopg.Connection, run: Run, migration: Migration, chunk: Chunk, state: str
) -> Load | None:
    """The load of an attempt that ended its work and died before it could write that into the chunk."""
    found = connection.execute(
        "select max(load_id) from ops.load where dag_id = %s and run_id = %s and system = %s and stream = %s"
        " and window_start = %s and window_end = %s and state = %s",
        (
            *(run.dag_id, run.run_id, migration.system, chunk.stream),
            *(chunk.window_start, chunk.window_end, state),
        ),
    )
    load_id = one_row(found)[0]
    return None if load_id is None else loads.get(connection, load_id)


def _dry_run_of(chunk: Chunk) -> ChunkTotals:
    if chunk.totals is None:
        raise Fatal(f"{chunk.stream}, chunk {chunk.position} has no dry run. Clear the first task of its stream.")
    return chunk.totals


def _found(connection: psycopg.Connection, job: Job, load: Load) -> ChunkTotals:
    reasons = connection.execute(
        sql.SQL(
            "select reason, count(*) from (select string_agg(distinct reason, '; ') as reason from {} group by _key) r"
            " group by 1 union all select reason, count(*) from landing.unreadable where load_id = {} group by 1"
        ).format(load.tables.refused, load.load_id)
    ).fetchall()
    withheld = connection.execute(
        sql.SQL(
            "select attribute, count(*) from {} c cross join lateral jsonb_object_keys(c._withheld) attribute"
            " where not exists (select from {} r where r._key = c._key) group by 1 order by 2 desc, 1"
        ).format(load.tables.candidate, load.tables.refused)
    ).fetchall()
    return {
        "read": load.rows_read,
        "became": dry_run_totals(connection, load, job.system, job.entities),
        "reasons": dict(reasons),
        "withheld": dict(withheld),
    }


def _take_back(
    connection: psycopg.Connection, migration: Migration, job: Job, chunk: Chunk, totals: Totals
) -> Rejected:
    """Drop what the dry run has read of the stream and is not published; why."""
    now, approved = overall(totals), overall(_dry_run_of(chunk)["became"])
    different = sorted(name for name in {*now, *approved} if now.get(name) != approved.get(name))
    why = Rejected(
        f"{job.name}, chunk {chunk.position}: what would be published is not what was approved "
        f"({', '.join(different)}). Nothing of the chunk was published. Clear the task dry_run and all that follow "
        "it: what is not published is read anew, and must be approved anew."
    )
    steps.reject(job, why)
    _drop(connection, ledger.chunks(connection, migration, chunk.stream))
    ledger.stopped(connection, migration, str(why), stream=chunk.stream, chunk=chunk.position)
    return why


def _require_equal(connection: psycopg.Connection, job: Job, load: Load, expected: Mapping[str, str]) -> None:
    brought = published_totals(connection, load, job.system, job.entities).get("accepted", {})
    if brought != expected:
        different = sorted(name for name in {*brought, *expected} if brought.get(name) != expected.get(name))
        raise Rejected(
            f"{job.name}: load {load.load_id} brought other control totals into staging than were accepted "
            f"({', '.join(different)}). Roll it back and look into it before the migration goes on."
        )
