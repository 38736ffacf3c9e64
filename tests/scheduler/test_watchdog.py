"""What nobody in Airflow notices, the watchdog does: it restarts what stands still and says so."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator

import psutil
import pytest

from onefold.platform import processes
from tests.kills import count_kill
from tests.scheduler.demo import CONFORM
from tests.scheduler.installation import ONEFOLD, PATIENCE, Installation, wait_for

pytestmark = pytest.mark.scheduler

IMPATIENT = "every=0.5,queued=8,silent=20,drain=5"


@pytest.fixture
def watched(conforming: Installation) -> Iterator[Installation]:
    """The installation at rest, with an impatient watchdog. `up` restarts nothing else for that."""
    here = conforming
    here.comes_to_rest(CONFORM)
    here.api().pause(CONFORM)
    subprocess.run([ONEFOLD, "up"], env={**here.variables, "ONEFOLD_WATCHDOG": IMPATIENT}, check=True, timeout=PATIENCE)
    yield here
    here.succeed("up")


def kill_the_idle_worker_that_reads_the_queue(at: Installation) -> None:
    """Whichever of the idle workers holds the queue's lock: all of them are ended, as when memory runs out."""
    scheduler = processes.recorded(at.home)["scheduler"].leader()
    assert scheduler
    idle = [worker for worker in scheduler.children() if "<idle>" in " ".join(worker.cmdline())]
    assert idle
    for worker in idle:
        worker.kill()
        count_kill("demo", "process")


def stop_the_scheduler(at: Installation) -> None:
    """It lives and does nothing, as when it waits for something that never comes."""
    os.kill(processes.recorded(at.home)["scheduler"].pid, signal.SIGSTOP)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (kill_the_idle_worker_that_reads_the_queue, "standstill", "standstill"),
        pytest.param(
            stop_the_scheduler,
            "service",
            "silent",
            marks=pytest.mark.torture,
        ),
    ],
)
def test_a_standstill_is_told_and_ended_and_the_sync_runs(
    watched: Installation, fault: Callable[[Installation], None], kind: str, reason: str
) -> None:
    (last,) = watched.rows("select coalesce(max(alert_id), 0) as alert from ops.alert")
    before = processes.recorded(watched.home)["scheduler"]
    fault(watched)
    watched.succeed("sync", "nbp")

    query = "select kind, message, resolved_at from ops.alert where alert_id > %s and kind in ('standstill', 'service')"
    (alert,) = wait_for(
        lambda: [row for row in watched.rows(query, last["alert"]) if row["resolved_at"]], "the end of the alert"
    )
    assert alert["kind"] == kind and "restarted" in str(alert["message"])
    assert processes.recorded(watched.home)["scheduler"].pid != before.pid
    assert not psutil.pid_exists(before.pid)
    told = "select payload from audit.event where action = 'service.restart' order by seq desc limit 1"
    assert watched.rows(told) == [{"payload": {"reason": reason}}]
    status = watched.run("status")
    assert status.code == 0 and re.search(r"restarted within a day: .*scheduler \d+ times", status.output)
    watched.succeed("audit", "verify")
