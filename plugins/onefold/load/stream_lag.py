"""How far streams that are read from a log are behind its end (ops.stream_lag): one row a stream, of the last look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.system import System
from onefold.connectors.lag import Lag
from onefold.load.ledger import Load
from onefold.text_table import mib


@dataclass(frozen=True, slots=True)
class StreamLag:
    """What the last look at the source's log has shown (connectors.lag), and when that was by the warehouse's clock."""

    system: str
    stream: str
    at: datetime
    position: str
    log_end: str
    lag_bytes: int
    lag_seconds: float | None
    retained_bytes: int

    @property
    def behind(self) -> timedelta | None:
        return None if self.lag_seconds is None else timedelta(seconds=self.lag_seconds)

    def keeps_more_than(self, limit_mib: int) -> bool:
        """Whether the source keeps more of its log for the stream than the limit."""
        return self.retained_bytes > limit_mib << 20

    def too_much(self, limit_mib: int) -> str:
        """What to say where it does."""
        return (
            f"the source keeps {mib(self.retained_bytes)} of its log for this stream (limits.retained_log_mib: "
            f"{limit_mib:,}), and its disk fills up as long as that goes on. Loads that publish let go of it: see why "
            "they fail or pause. If the stream is not needed any more, drop its slot at the source"
        )


def lag_statement(load: Load, lag: Lag) -> sql.Composed:
    """Stores what a look has shown in place of the look before."""
    return _STORE.format(
        *(load.system, load.stream, lag.position, lag.log_end, lag.lag_bytes),
        *(None if lag.behind is None else lag.behind.total_seconds(), lag.retained_bytes),
    )


_STORE = sql.SQL(
    """
    insert into ops.stream_lag (system, stream, position, log_end, lag_bytes, lag_seconds, retained_bytes)
    values ({}, {}, {}, {}, {}, {}, {})
    on conflict (system, stream) do update
    set at = now(), position = excluded.position, log_end = excluded.log_end, lag_bytes = excluded.lag_bytes,
        lag_seconds = excluded.lag_seconds, retained_bytes = excluded.retained_bytes
    """
)


def stream_lags(connection: psycopg.Connection, systems: Mapping[str, System]) -> dict[tuple[str, str], StreamLag]:
    """By system and stream, the lag of every stream that has one; none of a system that is not read from its log any
    more."""
    names = [name for name, system in systems.items() if system.protocol == "cdc"]
    with connection.cursor(row_factory=class_row(StreamLag)) as cursor:
        rows = cursor.execute(
            "select system, stream, at, position, log_end, lag_bytes, lag_seconds, retained_bytes from ops.stream_lag"
            " where system = any (%s)",
            (names,),
        )
        return {(each.system, each.stream): each for each in rows}
