"""What `up` ends before it starts what is missing."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.platform import processes
from onefold.platform.lifecycle import stale
from onefold.platform.processes import Service
from tests.platform.polling import until
from tests.platform.test_postgres import Start

WAITS = [sys.executable, "-c", "import time; time.sleep(600)"]
SERVICES = [Service(name, WAITS, {}) for name in ("sandbox", "scheduler", "watchdog")]


@pytest.fixture
def running(home: Path) -> Iterator[dict[str, processes.Running]]:
    yield {service.name: processes.start(home, service) for service in SERVICES}
    processes.stop(home, list(processes.recorded(home).values()), seconds=1)


def names(found: list[processes.Running]) -> list[str]:
    return [service.name for service in found]


def test_a_service_older_than_its_database_is_ended_for_it_may_be_dying(
    home: Path, running: dict[str, processes.Running], start_postgres: Start
) -> None:
    assert names(stale(home, SERVICES, math.inf)) == ["scheduler"]
    postgres = start_postgres(home)
    assert names(stale(home, SERVICES, postgres.started())) == ["scheduler"]
    processes.stop(home, [running["scheduler"]])
    processes.start(home, SERVICES[1])
    assert stale(home, SERVICES, postgres.started()) == []
    postgres.stop(signal.SIGQUIT)
    assert postgres.started() == math.inf
    assert names(stale(home, SERVICES, postgres.started())) == ["scheduler"]


def test_what_is_dead_changed_or_none_of_the_services_is_ended(
    home: Path, running: dict[str, processes.Running]
) -> None:
    leader = running["watchdog"].leader()
    assert leader
    leader.kill()
    until(lambda: running["watchdog"].leader() is None)
    changed = Service("sandbox", WAITS, {"PORT": "2"})
    assert names(stale(home, [changed, SERVICES[2]], 0)) == ["sandbox", "scheduler", "watchdog"]
