"""What runs, as data: for `onefold status` and others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from onefold.platform import people, processes
from onefold.platform.postgres import Postgres
from onefold.platform.watchdog.journal import Journal, read_journal
from onefold.platform.watchdog.limits import Limits
from onefold.platform.watchdog.problems import Problem
from onefold.settings import Settings

SERVICES = ("sandbox", "api-server", "scheduler", "dag-processor", "triggerer", "watchdog")


@dataclass(frozen=True)
class ServiceStatus:
    """One service: `state` is up, down (not started), died (started, but its process is gone) or, of the watchdog only,
    silent (it runs, but has not looked for too long)."""

    name: str
    state: str
    pid: int | None
    port: int | None
    since: datetime | None


@dataclass(frozen=True)
class WatchdogStatus:
    """What the watchdog has seen: when it looked last (None: not yet), what is wrong, how often it has restarted each
    service within a day, and which ones it restarts no more."""

    looked_at: datetime | None
    problems: tuple[Problem, ...]
    restarts: Mapping[str, int]
    given_up: tuple[str, ...]


@dataclass(frozen=True)
class PlatformStatus:
    """The installation's services, what its watchdog says, and where its UI is."""

    home: str
    services: tuple[ServiceStatus, ...]
    watchdog: WatchdogStatus
    ui_url: str
    ui_user: str

    @property
    def up(self) -> bool:
        """Whether everything but the optional sandbox runs, and the watchdog finds nothing that stands still."""
        running = all(service.state == "up" for service in self.services if service.name != "sandbox")
        return running and not self.watchdog.problems


def platform_status(settings: Settings) -> PlatformStatus:
    """Look at the processes; asks no service, so it answers at once also when they hang."""
    pid = Postgres(settings.home, settings.pg_port).pid()
    ports = {"sandbox": settings.sandbox_port, "api-server": settings.ui_port, processes.HOOKS: settings.hooks_port}
    ports |= {processes.API: settings.api_port, processes.METRICS: settings.metrics_port}
    recorded = processes.recorded(settings.home)
    services = [ServiceStatus("postgres", "up" if pid else "down", pid, settings.pg_port, None)]
    wanted = [*SERVICES[:-1], *(name for name in processes.OWN if name in recorded)]
    services += [_service(name, recorded.get(name), ports.get(name)) for name in wanted]
    journal, watchdog = read_journal(settings.home), recorded.get("watchdog")
    services.append(_watchdog(watchdog, journal))
    # What a watchdog that has ended has written is true no more.
    said = said_by(journal if watchdog else None)
    return PlatformStatus(str(settings.home), tuple(services), said, settings.ui_url, people.first_of("engineer").name)


def _watchdog(running: processes.Running | None, journal: Journal | None) -> ServiceStatus:
    seen = _service("watchdog", running, None)
    if running is None or seen.state != "up":
        return seen
    latest = Journal(running.started, Limits().every)
    if journal and journal.beat > running.started:
        latest = journal
    return replace(seen, state="silent") if latest.is_silent(time.time()) else seen


def said_by(journal: Journal | None) -> WatchdogStatus:
    """What the watchdog's journal says; nothing where there is none."""
    if journal is None:
        return WatchdogStatus(None, (), {}, ())
    restarts = {name: len(times) for name, times in journal.restarts.items()}
    return WatchdogStatus(datetime.fromtimestamp(journal.beat, UTC), journal.problems, restarts, journal.given_up)


def _service(name: str, running: processes.Running | None, port: int | None) -> ServiceStatus:
    if running is None:
        return ServiceStatus(name, "down", None, port, None)
    if running.leader() is None:
        return ServiceStatus(name, "died", None, port, None)
    return ServiceStatus(name, "up", running.pid, port, datetime.fromtimestamp(running.started, UTC))
