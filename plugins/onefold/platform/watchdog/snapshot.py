"""What the watchdog sees at one moment, and what it remembers of the moments before. Times by the monotonic clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DATABASE = "postgres"
SCHEDULER = "scheduler"
DAG_PROCESSOR = "dag-processor"


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """A service that ought to run. `instance` is another text for another process.

    `sign`: its last sign of life, another text for each new one; None where none was seen, or where the service gives
    none (`gives_signs`) and only its process can be looked at.
    """

    name: str
    instance: str
    alive: bool
    sign: str | None = None
    gives_signs: bool = True


@dataclass(frozen=True, slots=True)
class TasksSeen:
    """Airflow's task instances. `running` of them run, `healthy` ones with fresh heartbeats; `slots` may.

    `queued` were handed to the executor, and `oldest_queued` is the id of the one that waits longest. `oldest_ready`:
    the same of those that were not handed over yet, though their DAG is not paused and their pool has slots.
    """

    slots: int
    running: int = 0
    healthy: int = 0
    queued: int = 0
    oldest_queued: str | None = None
    oldest_ready: str | None = None


@dataclass(frozen=True, slots=True)
class OverdueSync:
    """A system of which no sync has run since `due` (an instant as text), though its DAG is not paused.

    `known`: whether Airflow has its DAG; it has not where reading the file fails.
    """

    system: str
    due: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look. `tasks` is None while the database does not answer; nothing that it would say is judged then."""

    at: float
    services: tuple[ServiceSeen, ...]
    tasks: TasksSeen | None
    overdue: tuple[OverdueSync, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceMemory:
    """What is remembered of a service.

    `sign_at`: when its last sign of life was new; `spoke`: whether this instance has given one. `trouble_since`: since
    when it has been dead or silent; it ends with the first sign after that. `ordered`: whether the watchdog has asked
    for a restart that is not seen yet. `restarts`: when it did so. `given_up`: it makes no more of them.
    """

    instance: str
    sign: str | None
    sign_at: float
    spoke: bool = False
    trouble_since: float | None = None
    ordered: bool = False
    restarts: tuple[float, ...] = ()
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Standstill:
    """The task that waits though it could run: since when (or since the last restart), whether that has been too long
    already, and how often the scheduler was restarted for it."""

    task: str
    since: float
    alarmed: bool = False
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered from one look to the next. `overdue`: since when each system has been seen overdue."""

    at: float | None = None
    services: Mapping[str, ServiceMemory] = field(default_factory=dict)
    standstill: Standstill | None = None
    overdue: Mapping[str, float] = field(default_factory=dict)
    restarted_for_overdue: bool = False
