"""What a source gave us to go on from (ops.stream_state): handed over with the pages, kept with the publish."""

from __future__ import annotations

import psycopg

from onefold.load.ledger import Load


def stored_checkpoints(connection: psycopg.Connection, system: str, stream: str) -> dict[str, str]:
    """The states of the stream's parts, by part, as the load published last left them."""
    return dict(
        connection.execute(
            "select part, state from ops.stream_state where system = %s and stream = %s", (system, stream)
        ).fetchall()
    )


def store_checkpoints(connection: psycopg.Connection, load: Load) -> None:
    """Keep the states that the load's pages handed over, inside the caller's transaction, which publishes its rows.

    A load that ends otherwise leaves them as they were: the next one reads the same changes again.
    """
    names = {"system": load.system, "stream": load.stream, "load_id": load.load_id}
    connection.execute(
        """
        with ended as (
            select distinct on (part) part, state from landing.part where load_id = %(load_id)s
            order by part, place desc
        ), forgotten as (
            delete from ops.stream_state held using ended
            where held.system = %(system)s and held.stream = %(stream)s and held.part = ended.part
              and ended.state is null
        )
        insert into ops.stream_state (system, stream, part, state, load_id)
        select %(system)s, %(stream)s, part, state, %(load_id)s from ended where state is not null
        on conflict (system, stream, part) do update
        set state = excluded.state, load_id = excluded.load_id, moved_at = now()
        """,
        names,
    )
