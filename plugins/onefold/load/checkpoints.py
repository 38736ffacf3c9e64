"""What a source gave us to go on from (ops.stream_checkpoint): handed over with the pages, stored with the publish."""

from __future__ import annotations

import psycopg

from onefold.load.ledger import Load


def stored_checkpoints(connection: psycopg.Connection, system: str, stream: str) -> dict[str, str]:
    """The checkpoints of the stream's partitions, by partition, as the load published last left them."""
    return dict(
        connection.execute(
            "select partition, checkpoint from ops.stream_checkpoint where system = %s and stream = %s",
            (system, stream),
        ).fetchall()
    )


def store_checkpoints(connection: psycopg.Connection, load: Load) -> None:
    """Store the checkpoints that the load's pages handed over, in the caller's transaction, which publishes its rows.

    A load that ends otherwise leaves them as they were: the next one reads the same changes again.
    """
    names = {"system": load.system, "stream": load.stream, "load_id": load.load_id}
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
        insert into ops.stream_checkpoint (system, stream, partition, checkpoint, load_id)
        select %(system)s, %(stream)s, partition, checkpoint, %(load_id)s from ended where checkpoint is not null
        on conflict (system, stream, partition) do update
        set checkpoint = excluded.checkpoint, load_id = excluded.load_id, moved_at = now()
        """,
        names,
    )
