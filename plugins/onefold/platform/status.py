"""What runs, as data: for `onefold status` and others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from onefold.platform import people, processes
from onefold.platform.postgres import Postgres
from onefold.settings import Settings

SERVICES = ("sandbox", "api-server", "scheduler", "dag-processor", "triggerer")


@dataclass(frozen=True)
class ServiceStatus:
    """One service: `state` is up, down (not started) or died (started, but its process is gone)."""

    name: str
    state: str
    pid: int | None
    port: int | None
    since: datetime | None


@dataclass(frozen=True)
class PlatformStatus:
    """The installation's services, and where its UI is."""

    home: str
    services: tuple[ServiceStatus, ...]
    ui_url: str
    ui_user: str

    @property
    def up(self) -> bool:
        """Whether everything but the optional sandbox runs."""
        return all(service.state == "up" for service in self.services if service.name != "sandbox")


def platform_status(settings: Settings) -> PlatformStatus:
    """Look at the processes; asks no service, so it answers at once also when they hang."""
    pid = Postgres(settings.home, settings.pg_port).pid()
    ports = {"sandbox": settings.sandbox_port, "api-server": settings.ui_port}
    recorded = processes.recorded(settings.home)
    services = [ServiceStatus("postgres", "up" if pid else "down", pid, settings.pg_port, None)]
    services += [_service(name, recorded.get(name), ports.get(name)) for name in SERVICES]
    return PlatformStatus(str(settings.home), tuple(services), settings.ui_url, people.first_of("engineer").name)


def _service(name: str, running: processes.Running | None, port: int | None) -> ServiceStatus:
    if running is None:
        return ServiceStatus(name, "down", None, port, None)
    if running.leader() is None:
        return ServiceStatus(name, "died", None, port, None)
    return ServiceStatus(name, "up", running.pid, port, datetime.fromtimestamp(running.started, UTC))
