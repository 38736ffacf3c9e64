"""Publishing: rows, cursor, verdict, quarantine, answers, lineage and audit in one transaction, or none of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.connectors.window import BEGINNING
from onefold.load.changes import store_changes
from onefold.load.checkpoints import store_checkpoints
from onefold.load.cpu_time import CpuTime
from onefold.load.key_conflicts import quarantine_key_conflicts
from onefold.load.ledger import Load, discard_landing
from onefold.load.lookup_cache import store_lookup_results
from onefold.load.newer_wins import cursors_differ_in_kind, is_not_older
from onefold.load.replayed_rows import record_outcomes
from onefold.load.staging import CHILD_TABLE_ROWS, attach_child_table, ensure_key_index
from onefold.load.superseded import set_rollback_until, store_superseded
from onefold.load.withheld import close_withheld, quarantine_withheld
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable


@dataclass(frozen=True, slots=True)
class Published:
    """How many records a load published, quarantined or stored as superseded; `content` says what was published,
    whatever its order. `rows_conflicting` are those of the quarantined that stand under one key with a different row.

    `rows_superseded` is of a replay alone: rows that it chose and that something newer had overtaken.
    """

    rows_new: int
    rows_changed: int
    rows_deleted: int
    rows_quarantined: int
    values_withheld: int
    rows_conflicting: int
    content: str
    rows_superseded: int = 0


def publish(
    connection: psycopg.Connection,
    load: Load,
    stream: Stream,
    record: Callable[[psycopg.Connection, Published], None],
    overlap: timedelta,
    cpu: CpuTime,
    replay_id: int | None = None,
) -> Published:
    """Make the load's accepted rows visible and end the load. `record` adds lineage and audit inside the transaction.

    The caller holds the stream's lock and has seen the load's checkpoint as gated. `overlap` is how much of what is
    published a run that goes on from it reads again. A replay settles the rows that it chose; it says nothing of the
    source, so cursor, lookup results and checkpoints stay as they are; so they do after a sweep.
    """
    with connection.transaction():
        candidates, new, changed, deleted, withholding, content = _count(connection, load)
        conflicting = 0 if replay_id else quarantine_key_conflicts(connection, load, stream)
        quarantined = (_quarantine_refused(connection, load) if candidates else 0) + conflicting
        quarantined += _quarantine_unreadable(connection, load) + _quarantine_parts(connection, load)
        withheld = quarantine_withheld(connection, load) if withholding else 0
        superseded = 0 if replay_id is None else record_outcomes(connection, load, replay_id)
        published = Published(new, changed, deleted, quarantined, withheld, conflicting, content, superseded)
        if candidates:
            _close_quarantined(connection, load)
            close_withheld(connection, load)
            _write_versions(connection, load, new + changed + deleted)
        if replay_id is None and not load.sweep:
            store_lookup_results(connection, load)
            store_checkpoints(connection, load)
        landed, read = _greatest_cursors(connection, load)
        moved = replay_id is None and not load.sweep and _move_cursor(connection, load, landed, overlap)
        set_rollback_until(connection, load, read, moved_cursor=moved)
        store_superseded(connection, load)
        store_changes(connection, load)
        seconds = cpu.uncharged
        connection.execute(
            "update ops.load set state = 'published', verdict = 'passed', error = null, ended_at = now(),"
            " rows_new = %s, rows_changed = %s, rows_deleted = %s, rows_quarantined = %s, values_withheld = %s,"
            " rows_conflicting = %s, cpu_seconds = cpu_seconds + %s,"
            " seconds_publishing = extract(epoch from clock_timestamp() - now()) where load_id = %s",
            (new, changed, deleted, quarantined, withheld, conflicting, seconds, load.load_id),
        )
        discard_landing(connection, load.tables)
        record(connection, published)
    cpu.charge(seconds)
    return published


def _names(load: Load) -> dict[str, sql.Composable]:
    staging = StagingTable(load.system, load.stream)
    return {
        "staging": staging.versions,
        "pages": load.tables.pages,
        "candidate": load.tables.candidate,
        "accepted": sql.SQL(
            "(select * from {} c where not exists (select from {} r where r._key = c._key)) accepted"
        ).format(load.tables.candidate, load.tables.refused),
        "refused": load.tables.refused,
        "load": sql.Literal(load.load_id),
        "system": sql.Literal(load.system),
        "stream": sql.Literal(load.stream),
    }


def _count(connection: psycopg.Connection, load: Load) -> tuple[bool, int, int, int, int, str]:
    """Whether there are candidates; of the accepted ones the new, changed and deleted records, those of them with a
    withheld value, and a digest of all of them that does not depend on their order."""
    return one_row(
        connection.execute(
            sql.SQL(
                """
            select exists (select from {candidate}),
                   count(*) filter (where not _known and not _deleted),
                   count(*) filter (where _known and not _deleted),
                   count(*) filter (where _deleted),
                   count(_withheld),
                   format(
                       '%s:%s:%s', count(*),
                       bit_xor(substring(_hash from 1 for 8)::bigint), bit_xor(substring(_hash from 9)::bigint)
                   )
            from {accepted}
            """
            ).format(**_names(load))
        )
    )


def _write_versions(connection: psycopg.Connection, load: Load, count: int) -> None:
    staging = StagingTable(load.system, load.stream)
    if count >= CHILD_TABLE_ROWS:
        connection.execute(
            sql.SQL("delete from {candidate} c using {refused} r where r._key = c._key").format(**_names(load))
        )
        attach_child_table(connection, staging, load.tables)
    else:
        connection.execute(
            sql.SQL(
                """
                insert into {staging} (_key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, _withheld)
                select _key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, _withheld from {accepted}
                """
            ).format(**_names(load))
        )
        ensure_key_index(connection, staging)


def _quarantine_refused(connection: psycopg.Connection, load: Load) -> int:
    """Store every refused record with its reason."""
    return connection.execute(
        sql.SQL(
            """
            insert into ops.quarantine
                (load_id, system, stream, _key, _hash, payload, _cursor, _extracted_at, suite, expectation, reason,
                 mapping_versions)
            select {load}, {system}, {stream}, c._key, c._hash, c._payload, c._cursor, c._extracted_at,
                   r.suite, r.expectation, r.reason, r.mapping_versions
            from {candidate} c
            join (
                select _key, min(suite) as suite, string_agg(distinct expectation, ', ') as expectation,
                       string_agg(distinct reason, '; ') as reason, any_value(mapping_versions) as mapping_versions
                from {refused} group by _key
            ) r on r._key = c._key
            """
        ).format(**_names(load))
    ).rowcount


def _quarantine_unreadable(connection: psycopg.Connection, load: Load) -> int:
    """Store every record that could not be read; one that waits there unchanged is not doubled."""
    return connection.execute(
        """
        insert into ops.quarantine
            (load_id, system, stream, _hash, raw, _extracted_at, suite, expectation, reason)
        select distinct on (u._hash) u.load_id, l.system, l.stream, u._hash, u.raw, u._extracted_at,
               'landing', 'readable record', u.reason
        from landing.unreadable u join ops.load l using (load_id)
        where u.load_id = %s and not exists (
            select from ops.quarantine q
            where q.system = l.system and q.stream = l.stream and q._key is null and q._hash = u._hash
              and q.state = 'open'
        )
        order by u._hash, u._extracted_at
        """,
        (load.load_id,),
    ).rowcount


def _quarantine_parts(connection: psycopg.Connection, load: Load) -> int:
    """Store the name of every refused partition of the stream, a bad file; one that came again is superseded."""
    connection.execute(
        """
        update ops.quarantine q set state = 'superseded', closed_at = now(), closed_by_load = %(load_id)s
        from landing.partition p
        where p.load_id = %(load_id)s and q.system = %(system)s and q.stream = %(stream)s and q.raw = p.partition
          and q.suite = 'landing' and q.expectation = 'readable partition' and q.state = 'open'
        """,
        {"load_id": load.load_id, "system": load.system, "stream": load.stream},
    )
    return connection.execute(
        """
        insert into ops.quarantine
            (load_id, system, stream, _hash, raw, _extracted_at, suite, expectation, reason)
        select %(load_id)s, %(system)s, %(stream)s, sha256(convert_to(partition, 'UTF8')), partition, now(),
               'landing', 'readable partition', refused
        from (
            select distinct on (partition) partition, refused from landing.partition where load_id = %(load_id)s
            order by partition, place desc
        ) last
        where refused is not null
        """,
        {"load_id": load.load_id, "system": load.system, "stream": load.stream},
    ).rowcount


def _close_quarantined(connection: psycopg.Connection, load: Load) -> None:
    """A refused record whose newer version has now arrived, good or bad, is superseded; one that is older leaves it
    open, and is itself superseded where it is refused. By the source's clock; at the same time what was read later is
    newer."""
    connection.execute(
        sql.SQL(
            """
            update ops.quarantine q set state = 'superseded', closed_at = now(), closed_by_load = {load}
            from {candidate} c
            where q.system = {system} and q.stream = {stream} and q._key = c._key and q.state = 'open'
              and q.attribute is null and q.load_id <> {load} and {is_not_older}
            """
        ).format(**_names(load), is_not_older=is_not_older("c", "q"))
    )
    connection.execute(
        """
        update ops.quarantine q set state = 'superseded', closed_at = now(), closed_by_load = q.load_id
        from ops.quarantine newer
        where q.load_id = %s and q.state = 'open' and q.attribute is null and newer.attribute is null
          and not q.key_conflict
          and newer.system = q.system and newer.stream = q.stream
          and newer._key = q._key and newer.state = 'open' and newer.load_id <> q.load_id
        """,
        (load.load_id,),
    )


def _greatest_cursors(connection: psycopg.Connection, load: Load) -> tuple[str | None, str | None]:
    """The greatest cursor that was landed, and that the load itself read: a detected deletion has that of the version.

    Looked for once, in a plain query that PostgreSQL spreads over the cores. The year 9999 says never: after such a
    cursor nothing would be read any more.
    """
    return one_row(
        connection.execute(
            sql.SQL(
                "select max(_cursor), max(_cursor) filter (where not (_deleted"
                " and _hash = decode(md5('gone' || _payload), 'hex'))) from {pages} where _cursor not like '9999-%'"
            ).format(**_names(load))
        )
    )


def _move_cursor(connection: psycopg.Connection, load: Load, landed: str | None, overlap: timedelta) -> bool:
    """Forward only: a backfill of the past must not make the next load read everything again. And without a gap: one
    that begins later than the next run would, or not at the beginning where nothing is published, leaves the cursor
    alone, or nobody would ever read what lies between, or was stamped late. (The value of a cursor that is no time is a
    number.) Returns whether it moved."""
    moved = connection.execute(
        sql.SQL(
            """
            insert into ops.cursor (system, stream, value, window_end, load_id)
            select {system}, {stream}, {landed}, {window_end}, {load}
            where {window_start} <= {beginning}
                or exists (select from ops.cursor where system = {system} and stream = {stream})
            on conflict (system, stream) do update
            set value = case when {other_kind} then excluded.value else greatest(ops.cursor.value, excluded.value) end,
                window_end = greatest(ops.cursor.window_end, excluded.window_end),
                load_id = excluded.load_id, moved_at = now()
            where {window_start} <= case when ops.cursor.value like '____-%' and ({other_kind}) is not true
                                         then ops.cursor.value::timestamptz else ops.cursor.window_end end - {overlap}
            """
        ).format(
            other_kind=cursors_differ_in_kind(sql.SQL("ops.cursor.value"), sql.SQL("excluded.value")),
            window_start=sql.Literal(load.window_start),
            window_end=sql.Literal(load.window_end),
            beginning=sql.Literal(BEGINNING),
            landed=sql.Literal(landed),
            overlap=sql.Literal(overlap),
            **_names(load),
        )
    )
    return moved.rowcount > 0
