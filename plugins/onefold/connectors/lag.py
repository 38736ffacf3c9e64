"""How far a stream is behind the end of its source's log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Lag:
    """What one look at the source's log has shown.

    `position`: the stream is published up to there; `log_end`: the log ends there. `behind` is how long ago it ended at
    the position, by the source's clock; None where that is not known. `retained_bytes`: what the source keeps of its
    log because the stream has not confirmed it. The log is that of the whole server: what lies between need not be of
    the stream's table.
    """

    position: str
    log_end: str
    lag_bytes: int
    behind: timedelta | None
    retained_bytes: int
