"""One run of retention: what is due everywhere, deleted batch by batch, and what was deleted in the audit chain.

Every batch is a transaction with its count (ops.retention_purge): a run that is killed has deleted what it says and
nothing else, the next one closes it in the audit chain and goes on. A batch never waits long for a lock: what is in use
is left to the next run.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.rows import class_row

from onefold.audit import AuditEvent, append
from onefold.catalog.data_protection import entity_periods, stream_periods
from onefold.catalog.privacy import DataProtection
from onefold.catalog.reader import Catalog
from onefold.retention.golden import golden_purges, record_horizon
from onefold.retention.golden_classes import golden_class_purges, record_class_horizons
from onefold.retention.horizon import Protected, protected_loads
from onefold.retention.inbox import inbox_purges
from onefold.retention.kept_by_law import KeptByLawPurge
from onefold.retention.landing import LandingPurge
from onefold.retention.lookups import lookup_purges
from onefold.retention.purge import Kept, Purge, Store
from onefold.retention.quarantine import quarantine_purges
from onefold.retention.records import record_purges
from onefold.retention.staging import drop_empty_child_tables, stream_purges
from onefold.warehouse.advisory_lock import advisory_lock
from onefold.warehouse.connection import connect
from onefold.warehouse.db_errors import translate_errors
from onefold.warehouse.pre_commit import require_publishable
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)

Counted = tuple[Store, str, str]
"""By what is counted: store, subject, and the class whose values were erased (empty: whole rows)."""
LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "10min"


@dataclass(frozen=True, slots=True)
class Purged:
    """How many rows of a subject a run has deleted, or emptied, from a store. busy: something else held them."""

    store: Store
    subject: str
    rows: int
    busy: bool = False
    data_class: str = ""
    """The class whose values were erased, where the rows stay."""


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What a run has deleted; only what was more than nothing, or was busy."""

    retention_id: int
    purged: tuple[Purged, ...]

    @property
    def rows(self) -> int:
        """Rows of all stores."""
        return sum(each.rows for each in self.purged)


def plan_retention(connection: psycopg.Connection, catalog: Catalog, said: DataProtection) -> list[Kept]:
    """What each store keeps, since when, and what is due now; nothing changes. Counting reads every store once."""
    now = datetime.now(UTC)
    kept: dict[Counted, Kept] = {}
    for purge in _purges(connection, catalog, said, now):
        found = purge.count(connection)
        key = (found.store, found.subject, found.data_class)
        kept[key] = _sum(there, found) if (there := kept.get(key)) else found
    return list(kept.values())


def execute_retention(url: str, catalog: Catalog, said: DataProtection, actor: str) -> RetentionReport:
    """Delete what is due. Raises Retriable when another run of retention is at work, Fatal when the warehouse is older
    than its anchors."""
    busy = "Another run of retention is at work; nothing was deleted. Wait for it to end and start again."
    with (
        translate_errors("retention"),
        connect(url, autocommit=True) as connection,
        advisory_lock(connection, "onefold retention", busy=busy),
    ):
        require_publishable(connection)
        _close_interrupted(connection)
        retention_id = _begin(connection, actor)
        now = datetime.now(UTC)
        held: set[Counted] = set()
        for entity in catalog.entities.values():
            periods = entity_periods(entity, catalog.systems, said)
            record_horizon(connection, entity, periods, now)
            record_class_horizons(connection, catalog, entity, periods, now)
        for purge in _purges(connection, catalog, said, now):
            if not _delete_all(connection, retention_id, purge):
                held.add((purge.store, purge.subject, purge.data_class))
        _drop_child_tables(connection, catalog, protected_loads(connection, now))
        counts = _end(connection, retention_id, "done")
    rows = Counter(counts)
    keys = sorted({*rows, *held})
    purged = (
        Purged(store, subject, rows[store, subject, data_class], (store, subject, data_class) in held, data_class)
        for store, subject, data_class in keys
    )
    return RetentionReport(retention_id, tuple(purged))


def _purges(connection: psycopg.Connection, catalog: Catalog, said: DataProtection, now: datetime) -> Iterator[Purge]:
    """Every kind of rows of every subject, in an order in which what refers to others goes first."""
    protected = protected_loads(connection, now)
    for system in catalog.systems.values():
        for name, stream in system.streams.items():
            periods = stream_periods(stream, said)
            whole = protected.get((system.system, name), Protected(0, 0))
            fed = [entity.entity for entity in catalog.entities.values() if f"{system.system}.{name}" in entity.streams]
            yield from stream_purges(connection, system.system, name, stream, fed, periods, whole, now)
            yield from quarantine_purges(system.system, name, stream, periods, whole, now)
            yield from lookup_purges(system.system, name, stream, periods, whole, now)
            yield from inbox_purges(system.system, name, stream, periods, whole, now)
            if stream.kept_by_law:
                years = timedelta(days=365 * stream.kept_by_law.years)
                yield KeptByLawPurge(catalog, system.system, name, years)
    for entity in catalog.entities.values():
        periods = entity_periods(entity, catalog.systems, said)
        yield from golden_purges(connection, entity, periods, now)
        yield from golden_class_purges(connection, catalog, entity, periods, now)
    yield LandingPurge(said.technical.landing, now)
    yield from record_purges(connection, said.technical, now)


def _sum(one: Kept, other: Kept) -> Kept:
    """Two kinds of rows of one subject; what there is of it is the larger table."""
    oldest = min((each.oldest for each in (one, other) if each.oldest is not None), default=None)
    return Kept(
        *(one.store, one.subject, one.period, max(one.rows, other.rows), oldest, one.due + other.due, one.data_class)
    )


def _delete_all(connection: psycopg.Connection, retention_id: int, purge: Purge) -> bool:
    """Delete what is due, batch by batch; False when something else holds it for longer than the lock time-out."""
    try:
        while _delete_batch(connection, retention_id, purge):
            log.debug("retention: a batch of %s of %s", purge.store, purge.subject)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.ForeignKeyViolation, psycopg.errors.DeadlockDetected):
        log.info("retention: %s of %s is in use; left to the next run", purge.store, purge.subject)
        return False
    return True


def _delete_batch(connection: psycopg.Connection, retention_id: int, purge: Purge) -> int:
    with connection.transaction():
        _set_timeouts(connection)
        rows = purge.delete_batch(connection)
        if rows:
            connection.execute(
                "insert into ops.retention_purge (retention_id, store, subject, data_class, period, rows)"
                " values (%s, %s, %s, %s, %s, %s) on conflict (retention_id, store, subject, data_class)"
                " do update set rows = retention_purge.rows + excluded.rows",
                (retention_id, purge.store, purge.subject, purge.data_class, purge.period, rows),
            )
    return rows


def _set_timeouts(connection: psycopg.Connection) -> None:
    connection.execute(
        "select set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
        (LOCK_TIMEOUT, STATEMENT_TIMEOUT),
    )


def _drop_child_tables(
    connection: psycopg.Connection, catalog: Catalog, protected: dict[tuple[str, str], Protected]
) -> None:
    for (system, stream), whole in protected.items():
        if system in catalog.systems and stream in catalog.systems[system].streams:
            try:
                with connection.transaction():
                    _set_timeouts(connection)
                    drop_empty_child_tables(connection, system, stream, whole)
            except psycopg.errors.LockNotAvailable:
                log.info("retention: %s.%s is in use; its empty tables are left to the next run", system, stream)


def _begin(connection: psycopg.Connection, actor: str) -> int:
    query = "insert into ops.retention (actor) values (%s) returning retention_id"
    return int(one_row(connection.execute(query, (actor,)))[0])


def _close_interrupted(connection: psycopg.Connection) -> None:
    """Runs that died: what they have deleted is in the audit chain from now on. The caller holds the lock."""
    for (retention_id,) in connection.execute(
        "select retention_id from ops.retention where state = 'running'"
    ).fetchall():
        _end(connection, retention_id, "interrupted")


@dataclass(frozen=True, slots=True)
class _Row:
    store: Store
    subject: str
    data_class: str
    days: int
    rows: int


def _end(connection: psycopg.Connection, retention_id: int, state: str) -> dict[Counted, int]:
    """Close a run, with an audit event for each store and subject of which it has deleted something, and one of all."""
    with connection.transaction():
        (actor,) = one_row(
            connection.execute(
                "update ops.retention set state = %s, ended_at = clock_timestamp() where retention_id = %s"
                " returning actor",
                (state, retention_id),
            )
        )
        with connection.cursor(row_factory=class_row(_Row)) as cursor:
            purged = cursor.execute(
                "select store, subject, data_class, (extract(epoch from period) / 86400)::int as days, rows"
                " from ops.retention_purge where retention_id = %s order by store, subject, data_class",
                (retention_id,),
            ).fetchall()
        result = "ok" if state == "done" else state
        for row in purged:
            payload: dict[str, str | int] = {"store": row.store, "rows": row.rows, "period_days": row.days}
            if row.data_class:
                payload["erased_class"] = row.data_class
            append(
                connection,
                AuditEvent(
                    actor,
                    "retention.purge",
                    f"retention:{retention_id}",
                    from_=row.subject,
                    payload=payload,
                    result=result,
                ),
            )
        rows = sum(row.rows for row in purged)
        append(
            connection,
            AuditEvent(actor, "retention.end", f"retention:{retention_id}", payload={"rows": rows}, result=result),
        )
    return {(row.store, row.subject, row.data_class): row.rows for row in purged}
