"""What is wrong, in words: what happened, what the watchdog does about it, and what is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from onefold.platform.watchdog.limits import Limits
from onefold.platform.watchdog.snapshot import (
    DATABASE,
    OverdueSync,
    ServiceMemory,
    ServiceSeen,
    Standstill,
    TasksSeen,
)

Kind = Literal["service", "standstill", "overdue"]
_BY_HAND = "Read its log, then restart its container: docker compose restart {}."


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong now; kind and subject name it, as in ops.alert."""

    kind: Kind
    subject: str
    message: str


def service_problem(service: ServiceSeen, one: ServiceMemory, limits: Limits, may_restart: bool) -> Problem | None:
    """What is wrong with a service; None where nothing is."""
    if one.trouble_since is None:
        return None
    what = "gives no sign of life" if service.alive else "has ended by itself"
    if one.given_up:
        message = (
            f"{service.name} {what}, again after {len(one.restarts)} restarts, and is left alone now. Read the end of "
            f"logs/{service.name}.log, remove the cause, then run bin/onefold up."
        )
    elif service.name == DATABASE and service.alive:
        message = (
            f"PostgreSQL runs, but has taken no connection for {limits.silent:.0f} s. It may be recovering, so it is "
            "not restarted. Read the end of logs/postgres.log; if it hangs, run bin/onefold down and bin/onefold up."
        )
    elif not may_restart:
        message = f"{service.name} {what}. {_BY_HAND.format(service.name)}"
    elif one.ordered or one.restarts:
        message = f"{service.name} {what if not service.alive else 'had stopped working'} and was restarted."
    else:
        message = f"{service.name} {what} and is being restarted."
    return Problem("service", service.name, message)


def standstill_problem(tasks: TasksSeen, standstill: Standstill, limits: Limits, may_restart: bool) -> Problem:
    """Tasks wait though they could run."""
    if not may_restart:
        then = _BY_HAND.format("scheduler")
    elif standstill.restarts >= limits.restarts_per_standstill:
        then = "Restarting the scheduler did not help: read the end of logs/scheduler.log, then run bin/onefold up."
    elif tasks.healthy:
        then = f"The scheduler is restarted once the {tasks.healthy} running have ended, or after {limits.drain:.0f} s."
    else:
        then = "The scheduler is restarted."
    return Problem(
        "standstill",
        "tasks",
        f"A task has waited for {limits.queued:.0f} s with free slots ({tasks.running} of {tasks.slots} taken, "
        f"{tasks.queued} queued). {then}",
    )


def overdue_problem(late: Sequence[OverdueSync], may_restart: bool) -> Problem:
    """Syncs have been due for too long; the message names five of them."""
    names = ", ".join(f"{sync.system} (since {sync.due})" for sync in late[:5])
    more = f" and {len(late) - 5} more" if len(late) > 5 else ""
    unknown = (
        "" if all(sync.known for sync in late) else " Airflow cannot read some DAG: see its import errors in the UI."
    )
    then = _BY_HAND.format("scheduler")
    if may_restart:
        then = "The scheduler is restarted once; if that does not help, read logs/scheduler.log and dag-processor.log."
    return Problem(
        "overdue",
        "sync",
        f"No sync has run though it was due: {names}{more}.{unknown} {then}",
    )
