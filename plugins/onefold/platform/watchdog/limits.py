"""How patient the watchdog is. ONEFOLD_WATCHDOG changes single values, as in `queued=300,drain=600`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from onefold.errors import Fatal

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds."""

    every: float = 10
    """Between two looks."""
    queued: float = 120
    """How long a task may wait while there are free slots."""
    silent: float = 60
    """How long a service may give no sign of life (a heartbeat, an answer)."""
    starting: float = 300
    """The same for a service that has just been started."""
    drain: float = 120
    """How long tasks that run may go on before the scheduler is restarted, which ends them."""
    due: float = 900
    """How long a sync may be due without a run."""
    readers: float = 60
    """Between two looks at readers' sessions in the warehouse that hold others up."""
    backoff: float = 10
    """Before the second restart of a service within an hour; twice as long before each further one."""
    restarts_per_hour: float = 5
    restarts_per_day: float = 12
    """More restarts of a service are not made: somebody has to look."""
    restarts_per_standstill: float = 3
    """The same for restarts of the scheduler that let no task run."""


def read_limits(setting: str) -> Limits:
    """The defaults, changed by `name=number` pairs with commas between them. Raises Fatal for any other text."""
    limits = Limits()
    for pair in filter(None, (part.strip() for part in setting.split(","))):
        name, _, number = pair.partition("=")
        value = _positive(number)
        if name not in asdict(limits) or value is None:
            raise Fatal(
                f"ONEFOLD_WATCHDOG has {pair!r}. Write name=number with commas between them: a number above 0, and a "
                f"name of {', '.join(asdict(limits))}."
            )
        limits = replace(limits, **{name: value})
    return limits


def _positive(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None
