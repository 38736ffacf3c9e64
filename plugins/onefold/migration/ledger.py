"""The ledger of migrations: ops.migration, and ops.migration_chunk with how far each chunk has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NotRequired, TypedDict

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.audit.approval import withdraw
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.migration.control_totals import ChunkTotals, Totals
from onefold.migration.plan import Plan, PlanJson
from onefold.migration.request import MigrationRequest
from onefold.warehouse.rows import one_row

State = Literal["planned", "dry_run", "approved", "published", "refused", "failed"]
_IN_PROGRESS = ("planned", "dry_run", "approved")


class StreamReport(TypedDict):
    """What the dry run of one stream found: refused records by reason, withheld values by attribute; `counted` is
    compared with the source's own count."""

    read: int
    became: Totals
    quarantined: Mapping[str, int]
    withheld: NotRequired[Mapping[str, int]]
    counted: Mapping[str, int | str | None]


class MigrationReport(TypedDict):
    """What the dry run of a migration found, as stored in ops.migration."""

    streams: Mapping[str, StreamReport]
    publish_id: int
    entities: Sequence[Mapping[str, int | str | None]]


@dataclass(frozen=True, slots=True)
class Migration:
    """One row of ops.migration; times in UTC."""

    migration_id: int
    system: str
    streams: list[str]
    window_start: datetime
    window_end: datetime
    chunk: timedelta
    mode: str
    service_window: str | None
    rate: str | None
    reason: str
    actor: str
    run_id: str
    approver: str | None
    state: State
    plan: PlanJson
    report: MigrationReport | None
    error: str | None
    started_at: datetime
    ended_at: datetime | None

    @property
    def is_in_progress(self) -> bool:
        return self.state in _IN_PROGRESS

    @property
    def subject(self) -> str:
        """As audit events and approvals name it."""
        return f"migration:{self.migration_id}"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One row of ops.migration_chunk."""

    migration_id: int
    stream: str
    position: int
    window_start: datetime
    window_end: datetime
    dry_run_load: int | None
    load_id: int | None
    totals: ChunkTotals | None
    counted: Mapping[str, int] | None

    @property
    def window(self) -> Window:
        return Window(self.window_start, self.window_end)


def begin(connection: psycopg.Connection, request: MigrationRequest, plan: Plan, who: str, run_id: str) -> Migration:
    """Write the migration and its chunks down; the one that this run has begun already is given again.

    Raises Fatal when another migration of one of the streams is in progress.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtextextended('onefold migration', 0))")
        known = connection.execute("select migration_id from ops.migration where run_id = %s", (run_id,)).fetchone()
        if known:
            return get(connection, known[0])
        for other in in_progress(connection, request):
            raise overlap_error(other, request)
        inserted = connection.execute(
            """
            insert into ops.migration (system, streams, window_start, window_end, chunk, mode, service_window, rate,
                reason, actor, run_id, plan)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning migration_id
            """,
            (
                *(
                    request.system,
                    list(request.streams),
                    request.start,
                    request.end,
                    request.chunk,
                    request.mode,
                    request.service_window,
                ),
                *(request.rate, request.reason, who, run_id, Jsonb(plan.as_json())),
            ),
        )
        migration_id = one_row(inserted)[0]
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into ops.migration_chunk (migration_id, stream, position, window_start, window_end)"
                " values (%s, %s, %s, %s, %s)",
                [
                    (migration_id, stream, position, window.start, window.end)
                    for stream in request.streams
                    for position, window in enumerate(request.chunks(), 1)
                ],
            )
        migration = get(connection, migration_id)
        _record_event(
            connection, migration, "migration.begin", who, chunks=plan.chunks * len(request.streams), asked=plan.asked
        )
    return migration


def in_progress(connection: psycopg.Connection, request: MigrationRequest) -> list[Migration]:
    """The migrations that have one of the request's streams and have not ended."""
    with connection.cursor(row_factory=class_row(Migration)) as cursor:
        return cursor.execute(
            "select * from ops.migration where system = %s and streams && %s::text[] and state = any (%s)",
            (request.system, list(request.streams), list(_IN_PROGRESS)),
        ).fetchall()


def overlap_error(other: Migration, request: MigrationRequest) -> Fatal:
    """Why the request cannot be while another migration is in progress."""
    return Fatal(
        f"Migration {other.migration_id} (run {other.run_id}) of {request.system} is in progress and has one of "
        f"these streams ({', '.join(request.streams)}). Wait for it to end, turn it down, or mark its run as "
        "failed; nothing was changed."
    )


def of_run(connection: psycopg.Connection, run_id: str) -> Migration:
    """The migration that a run has begun. Raises Fatal when it has begun none."""
    found = connection.execute("select migration_id from ops.migration where run_id = %s", (run_id,)).fetchone()
    if found is None:
        raise Fatal(f"Run {run_id} has planned no migration. Clear its task plan first.")
    return get(connection, found[0])


def get(connection: psycopg.Connection, migration_id: int) -> Migration:
    """One migration. Raises Fatal when there is none."""
    with connection.cursor(row_factory=class_row(Migration)) as cursor:
        found = cursor.execute("select * from ops.migration where migration_id = %s", (migration_id,)).fetchone()
    if found is None:
        raise Fatal(f"There is no migration {migration_id}; ops.migration has those there are.")
    return found


def chunks(connection: psycopg.Connection, migration: Migration, stream: str) -> list[Chunk]:
    """The chunks of one stream, the oldest window first."""
    with connection.cursor(row_factory=class_row(Chunk)) as cursor:
        return cursor.execute(
            "select * from ops.migration_chunk where migration_id = %s and stream = %s order by position",
            (migration.migration_id, stream),
        ).fetchall()


def record_dry_run(connection: psycopg.Connection, chunk: Chunk, load_id: int, totals: ChunkTotals) -> None:
    """The chunk has been read and judged by this load."""
    _update_chunk(connection, chunk, dry_run_load=load_id, totals=Jsonb(dict(totals)))


def record_published(connection: psycopg.Connection, chunk: Chunk, load_id: int) -> None:
    """The chunk has been published by this load."""
    _update_chunk(connection, chunk, load_id=load_id)


def record_source_count(connection: psycopg.Connection, chunk: Chunk, counted: Mapping[str, int]) -> None:
    """The source has counted the chunk."""
    _update_chunk(connection, chunk, counted=Jsonb(dict(counted)))


def _update_chunk(connection: psycopg.Connection, chunk: Chunk, **values: object) -> None:
    columns = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in values)
    connection.execute(
        sql.SQL("update ops.migration_chunk set {} where migration_id = %s and stream = %s and position = %s").format(
            columns
        ),
        (*values.values(), chunk.migration_id, chunk.stream, chunk.position),
    )


def stopped(connection: psycopg.Connection, migration: Migration, error: str, **facts: str | int) -> None:
    """A control total does not agree: it is said, and what was approved is so no longer. It stays in progress."""
    with connection.transaction():
        connection.execute(
            "update ops.migration set error = %s, state = 'planned'"
            " where migration_id = %s and state = any (%s)",  # whoever needed its streams may have ended it
            (error, migration.migration_id, list(_IN_PROGRESS)),
        )
        _record_event(connection, migration, "migration.compare", migration.actor, result="mismatch", **facts)
        withdraw(connection, migration.subject, migration.actor)


def record_report(connection: psycopg.Connection, migration: Migration, report: MigrationReport) -> None:
    """The dry run has ended; from here on a person decides. Raises Fatal when one has decided already."""
    with connection.transaction():
        kept = connection.execute(
            "update ops.migration set state = 'dry_run', report = %s, error = null"
            " where migration_id = %s and state in ('planned', 'dry_run')",
            (Jsonb(dict(report)), migration.migration_id),
        ).rowcount
        if not kept:
            state = get(connection, migration.migration_id).state
            raise Fatal(f"Migration {migration.migration_id} is {state}: what was approved is reported no more.")
        _record_event(connection, migration, "migration.dry_run", migration.actor)


def end(connection: psycopg.Connection, migration: Migration, state: State, who: str, error: str | None = None) -> None:
    """Close it: published, refused or failed. One that has ended stays as it is."""
    with connection.transaction():
        ended = connection.execute(
            "update ops.migration set state = %s, error = %s, ended_at = now()"
            " where migration_id = %s and state = any (%s)",
            (state, error, migration.migration_id, list(_IN_PROGRESS)),
        ).rowcount
        if ended:
            result = "ok" if state == "published" else state
            _record_event(connection, migration, f"migration.{state}", who, result=result)


def _record_event(
    connection: psycopg.Connection, migration: Migration, action: str, who: str, result: str = "ok", **facts: str | int
) -> None:
    payload = {"system": migration.system, "streams": migration.streams, "run_id": migration.run_id, **facts}
    event = AuditEvent(
        actor=who,
        action=action,
        subject=migration.subject,
        from_=migration.system,
        to="staging",
        payload=payload,
        result=result,
    )
    append(connection, event)
