"""The state that a load leaves besides rows: cursor, checkpoints, lookup results, and what conform has taken in."""

from __future__ import annotations

from datetime import datetime

import psycopg

from onefold.load.lookup_cache import restore_lookup_cache
from onefold.rollback.stream_change import StreamChange
from onefold.warehouse.rows import one_row

_CURSOR = """
select max(cursor_value), max(window_end), max(load_id) from ops.load
where system = %(system)s and stream = %(stream)s and moved_cursor
  and case when load_id = any (%(loads)s) then %(restoring)s else state = 'published' end
"""


def cursor_after(
    connection: psycopg.Connection, change: StreamChange
) -> tuple[str | None, datetime | None, int | None]:
    """The cursor as the loads that are to be there leave it: value, end of the last window, and the last load.

    The window of a load that is rolled back is not read again by itself, or its mistake would come back. The plan says
    how to load it.
    """
    value, window_end, load_id = one_row(connection.execute(_CURSOR, _names(change)))
    return value, window_end, load_id


def cursor_now(connection: psycopg.Connection, change: StreamChange) -> tuple[str | None, datetime] | None:
    """The cursor as it is: value and end of the last window."""
    return connection.execute(
        "select value, window_end from ops.cursor where system = %s and stream = %s",
        (change.system, change.stream_name),
    ).fetchone()


def restore_stream_state(
    connection: psycopg.Connection, change: StreamChange, other_loads: tuple[int, ...], *, keeps_checkpoint: bool
) -> None:
    """Set the loads' states, and the stream's state that follows from them, inside the caller's transaction.

    A checkpoint that one of the loads got from the source is deleted, and not restored by an undo: that is always safe,
    because the stream is then read from its beginning. Of a source that has let go of what comes before
    (`keeps_checkpoint`) it stays, and loads refuse to go on from it until the rollback is undone or the stream is
    loaded anew (load/checkpoints.py). `other_loads` have other versions now, so conform takes them in once more.
    """
    names = _names(change)
    connection.execute("update ops.load set state = %s where load_id = any (%s)", (change.target, list(change.loads)))
    value, window_end, load_id = cursor_after(connection, change)
    if load_id is None:
        connection.execute("delete from ops.cursor where system = %(system)s and stream = %(stream)s", names)
    else:
        connection.execute(
            """
            insert into ops.cursor (system, stream, value, window_end, load_id)
            values (%(system)s, %(stream)s, %(value)s, %(window_end)s, %(load_id)s)
            on conflict (system, stream) do update
            set value = excluded.value, window_end = excluded.window_end, load_id = excluded.load_id, moved_at = now()
            """,
            {**names, "value": value, "window_end": window_end, "load_id": load_id},
        )
    if not keeps_checkpoint:
        connection.execute(
            "delete from ops.stream_checkpoint"
            " where system = %(system)s and stream = %(stream)s and load_id = any (%(loads)s)",
            names,
        )
        connection.execute(
            "delete from ops.stream_lag lag where system = %(system)s and stream = %(stream)s and not exists (select"
            " from ops.stream_checkpoint held where held.system = lag.system and held.stream = lag.stream)",
            names,
        )
    restore_lookup_cache(connection, change.system, change.stream_name, list(change.loads))
    connection.execute(
        "update ops.publish_load set outdated = true where load_id = any (%s) and not outdated", (list(other_loads),)
    )


def _names(change: StreamChange) -> dict[str, object]:
    return {
        "system": change.system,
        "stream": change.stream_name,
        "loads": list(change.loads),
        "restoring": change.target == "published",
    }
