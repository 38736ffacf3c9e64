"""How far streams that are read from a log or a queue are behind its end (ops.stream_lag): one row a stream, of the
last look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.limits import Limits
from onefold.catalog.system import System
from onefold.connectors.lag import Lag
from onefold.connectors.registry import connector_class
from onefold.load.ledger import Load
from onefold.text_table import mib, with_noun

LagAlert = Literal["lag", "retained_log"]
"""The kinds of alerts that a stream's lag opens."""


@dataclass(frozen=True, slots=True)
class StreamLag:
    """What the last look at the source's log has shown (connectors.lag), and when that was by the warehouse's clock."""

    system: str
    stream: str
    at: datetime
    position: str
    log_end: str
    lag_bytes: int | None
    lag_messages: int | None
    lag_seconds: float | None
    retained_bytes: int | None

    @property
    def behind(self) -> timedelta | None:
        return None if self.lag_seconds is None else timedelta(seconds=self.lag_seconds)

    @property
    def to_read(self) -> str:
        """What lies between position and end, as the source counts it: messages, or else bytes."""
        if self.lag_messages is not None:
            return with_noun(self.lag_messages, "message", "messages")
        return "an unknown number of messages" if self.lag_bytes is None else mib(self.lag_bytes)

    def over_limits(self, limits: Limits) -> dict[LagAlert, str]:
        """What to say of each limit of the system's YAML that the stream is over, by the kind of its alert."""
        found: dict[LagAlert, str] = {}
        if broken := list(self._too_far(limits)):
            found["lag"] = (
                f"the stream is behind its source by {' and '.join(broken)}. See why its loads fail or pause; if they "
                "do not, sync the system more often"
            )
        if self.retained_bytes is not None and self.retained_bytes > limits.retained_log_mib << 20:
            found["retained_log"] = (
                f"the source keeps {mib(self.retained_bytes)} of its log for this stream (limits.retained_log_mib: "
                f"{limits.retained_log_mib:,}), and its disk fills up as long as that goes on. Loads that publish let "
                "go of it: see why they fail or pause. If the stream is not needed any more, take it out of "
                "the catalogue and drop its slot (bin/onefold slots)"
            )
        return found

    def _too_far(self, limits: Limits) -> Iterator[str]:
        if limits.lag_messages is not None and (self.lag_messages or 0) > limits.lag_messages:
            text = with_noun(self.lag_messages or 0, "message", "messages")
            yield f"{text} (limits.lag_messages: {limits.lag_messages:,})"
        if limits.lag is not None and self.behind is not None and self.behind > limits.lag:
            minutes = self.behind.total_seconds() / 60
            yield f"{minutes:,.0f} minutes (limits.lag: {limits.lag.total_seconds() / 60:g} minutes)"


def lag_statement(load: Load, lag: Lag) -> sql.Composed:
    """Stores what a look has shown in place of the look before."""
    return _STORE.format(
        *(load.system, load.stream, lag.position, lag.log_end, lag.lag_bytes, lag.lag_messages),
        *(None if lag.behind is None else lag.behind.total_seconds(), lag.retained_bytes),
    )


_STORE = sql.SQL(
    """
    insert into ops.stream_lag
        (system, stream, position, log_end, lag_bytes, lag_messages, lag_seconds, retained_bytes)
    values ({}, {}, {}, {}, {}, {}, {}, {})
    on conflict (system, stream) do update
    set at = now(), position = excluded.position, log_end = excluded.log_end, lag_bytes = excluded.lag_bytes,
        lag_messages = excluded.lag_messages, lag_seconds = excluded.lag_seconds,
        retained_bytes = excluded.retained_bytes
    """
)


def stream_lags(connection: psycopg.Connection, systems: Mapping[str, System]) -> dict[tuple[str, str], StreamLag]:
    """By system and stream, the lag of every stream that has one; none of a system that is not read from a log any
    more."""
    with connection.cursor(row_factory=class_row(StreamLag)) as cursor:
        rows = cursor.execute("select * from ops.stream_lag where system = any (%s)", (list(systems),)).fetchall()
    return {
        (each.system, each.stream): each for each in rows if connector_class(systems[each.system]).capabilities.confirms
    }
