"""A replay's load: its rows come out of quarantine instead of from the source, and each of them gets its outcome.

Between the landing and the publish no other load of the stream can come in, so what was landed is what is settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from psycopg import sql

from onefold.connectors.window import Window
from onefold.load.ledger import Load
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable


def replay_window(connection: psycopg.Connection, replay_id: int, system: str, stream: str) -> Window:
    """From when to when the rows that the replay chose of the stream were quarantined: the window of its load."""
    first, last = one_row(
        connection.execute(
            "select min(quarantined_at), max(quarantined_at)"
            " from ops.replay_row join ops.quarantine using (quarantine_id)"
            " where replay_id = %s and system = %s and stream = %s",
            (replay_id, system, stream),
        )
    )
    return Window(first, last + timedelta(microseconds=1))


def land_chosen_rows(connection: psycopg.Connection, load: Load, replay_id: int) -> None:
    """Copy the chosen rows that still wait into the load's pages, of each key the newest, as they were received.

    Of a withheld value that is the version in staging which lacks it.

    One transaction, inside the server: after a crash there is nothing or all of it, and memory stays flat.
    """
    names = {"replay": replay_id, "load": load.load_id, "system": load.system, "stream": load.stream}
    with connection.transaction(), without_nested_loops(connection):
        connection.execute(
            """
            update ops.replay_row r set load_id = case
                when newest.quarantine_id is not null or (q.attribute is not null and q.state = 'open')
                then %(load)s end
            from ops.quarantine q
            left join (
                select distinct on (q._key) q.quarantine_id
                from ops.replay_row join ops.quarantine q using (quarantine_id)
                where replay_id = %(replay)s and q.system = %(system)s and q.stream = %(stream)s and q.state = 'open'
                  and q.attribute is null
                order by q._key, q._cursor desc nulls last, q._extracted_at desc, q.quarantine_id desc
            ) newest using (quarantine_id)
            where r.replay_id = %(replay)s and r.quarantine_id = q.quarantine_id
              and q.system = %(system)s and q.stream = %(stream)s and r.outcome is null
            """,
            names,
        )
        landed = connection.execute(
            sql.SQL(
                """
                insert into {pages} (_key, _cursor, _deleted, _hash, _extracted_at, _payload)
                select distinct on (q._key) q._key, q._cursor, false, q._hash, q._extracted_at,
                       coalesce(q.payload, version._payload)::text
                from ops.replay_row r join ops.quarantine q using (quarantine_id)
                left join {versions} version
                    on q.attribute is not null and version._key = q._key and version._load_id = q.load_id
                where r.replay_id = {replay} and r.load_id = {load}
                order by q._key, q._cursor desc nulls last, q._extracted_at desc, q.quarantine_id desc
                """
            ).format(
                pages=load.tables.pages,
                versions=StagingTable(load.system, load.stream).versions,
                replay=sql.Literal(replay_id),
                load=sql.Literal(load.load_id),
            )
        ).rowcount
        connection.execute("update ops.load set pages = 1, rows_read = %s where load_id = %s", (landed, load.load_id))
        connection.execute("update landing.resume_token set complete = true where load_id = %s", (load.load_id,))


def record_outcomes(connection: psycopg.Connection, load: Load, replay_id: int) -> int:
    """Give every row that the replay chose of the stream its outcome and close it; returns how many were superseded.

    Inside the transaction that publishes the load, once what was refused again is in quarantine as the load's own. A
    withheld value whose record is refused now stays as it is: the version that lacks it is still the current one.
    """
    with without_nested_loops(connection):
        superseded: int = one_row(
            connection.execute(
                sql.SQL(
                    """
                with outcomes as (
                    select q.quarantine_id, q.attribute is not null and f._key is not null as stays, case
                        when q.state <> 'open' or r.load_id is null or c._key is null then 'superseded'
                        when f._key is not null or jsonb_exists(c._withheld, q.attribute) then 'refused'
                        else 'published' end as outcome
                    from ops.replay_row r
                    join ops.quarantine q using (quarantine_id)
                    left join {candidate} c on c._key = q._key
                    left join (select distinct _key from {refused}) f on f._key = q._key
                    where r.replay_id = {replay} and r.outcome is null and q.system = {system} and q.stream = {stream}
                ), recorded as (
                    update ops.replay_row r set outcome = outcomes.outcome from outcomes
                    where r.replay_id = {replay} and r.quarantine_id = outcomes.quarantine_id
                ), closed as (
                    update ops.quarantine q set closed_at = now(), closed_by_load = {load},
                           state = case outcome when 'superseded' then 'superseded' else 'replayed' end
                    from outcomes where q.quarantine_id = outcomes.quarantine_id and q.state = 'open' and not stays
                )
                select count(*) filter (where outcome = 'superseded') from outcomes
                """
                ).format(
                    replay=sql.Literal(replay_id),
                    load=sql.Literal(load.load_id),
                    system=sql.Literal(load.system),
                    stream=sql.Literal(load.stream),
                    candidate=load.tables.candidate,
                    refused=load.tables.refused,
                )
            )
        )[0]
        return superseded


@contextmanager
def without_nested_loops(connection: psycopg.Connection) -> Iterator[None]:
    """Of rows that have just come in PostgreSQL has no figures, and would join them one by one; not in this block.

    Inside a transaction.
    """
    connection.execute("set local enable_nestloop = off")
    yield
    connection.execute("set local enable_nestloop = on")
