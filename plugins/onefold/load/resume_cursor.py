"""How far a stream with an integer cursor is published: no window of time can say where its next load begins."""

from __future__ import annotations

import psycopg

from onefold.catalog.stream import Stream
from onefold.connectors.position import IntegerPosition
from onefold.connectors.window import ResumeCursor, Window
from onefold.errors import Retriable
from onefold.settings import current_login


def resume_cursor(url: str, system: str, stream_name: str, stream: Stream) -> ResumeCursor:
    """What tells, for a window that goes on from what is published, the greatest cursor there; else None.

    A window that begins earlier (a backfill) has no such place: all is read. Raises Retriable when the warehouse cannot
    be asked.
    """
    lookback = stream.cursor.lookback if stream.cursor else stream.freshness

    def ask(window: Window) -> IntegerPosition | None:
        try:
            with psycopg.connect(current_login(url), application_name="onefold cursor") as connection:
                found = connection.execute(
                    "select value from ops.cursor where system = %s and stream = %s and window_end - %s <= %s",
                    (system, stream_name, lookback, window.start),
                ).fetchone()
        except psycopg.OperationalError as error:
            raise Retriable(
                f"{system}.{stream_name}: the cursor in the warehouse (ops.cursor) could not be read: "
                f"{type(error).__name__}. Check that the warehouse is up (bin/onefold status)."
            ) from error
        return IntegerPosition(int(found[0])) if found and found[0] and found[0].isdecimal() else None

    return ask
