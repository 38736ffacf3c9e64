"""What a source gave us to go on from (ops.stream_checkpoint): handed over with the pages, stored with the publish."""

from __future__ import annotations

import psycopg

from onefold.connectors.window import BEGINNING
from onefold.load.ledger import Load
from onefold.warehouse.rows import one_row


def stored_checkpoints(connection: psycopg.Connection, system: str, stream: str) -> dict[str, str]:
    """The checkpoints of the stream's partitions, by partition, as the load published last left them."""
    return dict(
        connection.execute(
            "select partition, checkpoint from ops.stream_checkpoint where system = %s and stream = %s",
            (system, stream),
        ).fetchall()
    )


def rolled_back_before(connection: psycopg.Connection, system: str, stream: str) -> int | None:
    """The first load that was rolled back of those which the stream's checkpoints were reached by; None: all are there.

    A replay and a sweep have read nothing that a checkpoint counts.
    """
    first: int | None = one_row(
        connection.execute(
            """
            select min(l.load_id) from ops.stream_checkpoint held
            join ops.load l on l.system = held.system and l.stream = held.stream and l.load_id >= held.since_load
            where held.system = %s and held.stream = %s and l.state = 'rolled_back' and not l.sweep
              and not exists (select from ops.replay_row r where r.load_id = l.load_id)
            """,
            (system, stream),
        )
    )[0]
    return first


def store_checkpoints(connection: psycopg.Connection, load: Load) -> None:
    """Store the checkpoints that the load's pages handed over, in the caller's transaction, which publishes its rows.

    A load that ends otherwise leaves them as they were: the next one reads the same changes again. One whose window
    begins at the beginning has read all there was, and leans on no load before it.
    """
    names = {"system": load.system, "stream": load.stream, "load_id": load.load_id}
    names |= {"first": load.window_start <= BEGINNING}
    connection.execute(
        """
        with ended as (
            select distinct on (partition) partition, checkpoint from landing.partition where load_id = %(load_id)s
            order by partition, place desc
        ), forgotten as (
            delete from ops.stream_checkpoint held using ended
            where held.system = %(system)s and held.stream = %(stream)s and held.partition = ended.partition
              and ended.checkpoint is null
        )
        insert into ops.stream_checkpoint as held (system, stream, partition, checkpoint, load_id, since_load)
        select %(system)s, %(stream)s, partition, checkpoint, %(load_id)s, %(load_id)s from ended
        where checkpoint is not null
        on conflict (system, stream, partition) do update
        set checkpoint = excluded.checkpoint, load_id = excluded.load_id, moved_at = now(),
            since_load = case when %(first)s then excluded.since_load else held.since_load end
        """,
        names,
    )
