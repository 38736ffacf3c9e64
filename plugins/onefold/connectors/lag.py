"""How far a stream is behind the end of its source's log or queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Lag:
    """What one look at the source's log or queue has shown. What the source does not count is None.

    `position`: the stream is published up to there; `log_end`: the log ends there. `behind` is how long ago it ended at
    the position, by the source's clock. `lag_bytes` and `lag_messages` are what lies between; where the log is that of
    the whole server, it need not be of the stream's table. `retained_bytes`: what the source keeps of its log because
    the stream has not confirmed it.
    """

    position: str
    log_end: str
    behind: timedelta | None = None
    lag_bytes: int | None = None
    lag_messages: int | None = None
    retained_bytes: int | None = None
