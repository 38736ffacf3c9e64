"""Killing any process in the middle of the demo and running it again ends in the same tables."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping

import psutil
import psycopg
import pytest
import requests
from psycopg import sql

from onefold.catalog.reader import read_systems
from onefold.platform import processes
from onefold.platform.postgres import Postgres
from tests.kills import count_kill
from tests.scheduler.demo import Demo
from tests.scheduler.installation import Installation, ended, wait_for
from tests.scheduler.tables import difference, tables, tables_of

pytestmark = pytest.mark.scheduler


def _service(name: str) -> Callable[[Installation], list[psutil.Process]]:
    return lambda at: processes.recorded(at.home)[name].members()


def _postgres(at: Installation) -> list[psutil.Process]:
    leader = psutil.Process(Postgres(at.home, at.pg_port).pid())
    return [leader, *leader.children(recursive=True)]


def _task(at: Installation) -> list[psutil.Process]:
    """The process that does the task; its supervisor, a worker of the scheduler, lives."""
    scheduler = processes.recorded(at.home)["scheduler"]
    return [process for process in scheduler.members() if os.getpgid(process.pid) != scheduler.pid]


def _worker(at: Installation) -> list[psutil.Process]:
    """A worker of the executor together with the task that it supervises."""
    return [process for task in _task(at)[:1] for process in (task.parent(), task)]


VICTIMS: Mapping[str, Callable[[Installation], list[psutil.Process]]] = {
    "task": _task,
    "postgres": _postgres,
    "sandbox": _service("sandbox"),
    "api-server": _service("api-server"),
    "scheduler": _service("scheduler"),
    "dag-processor": _service("dag-processor"),
    "triggerer": _service("triggerer"),
    "hooks": _service("hooks"),
    "worker": _worker,
}


def running_load(at: Installation, system: str) -> bool:
    """Whether a load of the system is in progress."""
    with contextlib.suppress(psycopg.Error):
        return bool(
            at.rows("select from ops.load where system = %s and state in ('extracting', 'landed', 'gated')", system)
        )
    return False


def _in_the_middle(at: Installation, victim: str, since: float) -> bool:
    """Whether SAP is loaded, by a task that began later than `since`, while the victim is there."""
    try:
        return (
            running_load(at, "sap")
            and any(task.create_time() > since for task in _task(at))
            and bool(VICTIMS[victim](at))
        )
    except (psutil.NoSuchProcess, ProcessLookupError):
        return False


@pytest.fixture
def fresh(first_demo: Demo) -> Iterator[Installation]:
    """Another home on the ports of the first, which is down: SAP's records name the port that they came from."""
    first = first_demo.installation
    if first.processes():
        first.succeed("down")
    installation = Installation(
        pg_port=first.pg_port,
        ui_port=first.ui_port,
        sandbox_port=first.sandbox_port,
        hooks_port=first.hooks_port,
        api_port=first.api_port,
        metrics_port=first.metrics_port,
    )
    installation.home.chmod(0o755)
    try:
        yield installation
    finally:
        installation.remove()
        assert installation.processes() == []


@pytest.mark.full_matrix
@pytest.mark.parametrize("victim", VICTIMS)
def test_killing_any_process_in_the_middle_of_a_demo_and_running_it_again_ends_in_the_same_tables(
    victim: str, first_demo: Demo, fresh: Installation
) -> None:
    _killed_and_run_again(fresh, ["demo"], [victim])
    assert not difference(tables(fresh), first_demo.tables)


@pytest.fixture
def unloaded(first_demo: Demo, here: Installation) -> Installation:
    """The first demo's installation, whose source systems are as they were at first, and that never loaded SAP."""
    here.sandbox("POST", "reset")
    here.comes_to_rest("sync__sap")
    streams = read_systems()["sap"].streams
    with here.warehouse() as warehouse:
        for stream in streams:
            warehouse.execute(sql.SQL("delete from staging.{}").format(sql.Identifier(f"sap__{stream}")))
        for table in ("cursor", "stream_checkpoint", "quarantine"):
            warehouse.execute(sql.SQL("delete from ops.{} where system = 'sap'").format(sql.Identifier(table)))
    return here


def test_killing_a_task_and_postgresql_in_the_middle_of_a_sync_and_running_it_again_ends_in_the_same_tables(
    first_demo: Demo, unloaded: Installation
) -> None:
    _killed_and_run_again(unloaded, ["sync", "sap"], ["task", "postgres"])
    found = tables_of(unloaded, "sap")
    assert not difference(found, {name: first_demo.tables[name] for name in found})


def test_down_leaves_no_process_and_frees_the_ports(first_demo: Demo) -> None:
    here = first_demo.installation
    assert len(here.processes()) > len(processes.recorded(here.home))
    here.succeed("down")
    assert here.processes() == []
    ours = (here.hooks_port, here.api_port, here.metrics_port)
    for port in (here.pg_port, here.ui_port, here.sandbox_port, here.sandbox_port + 1, *ours):
        processes.require_free_port(port, "ONEFOLD_UI_PORT", "a test")


def _killed_and_run_again(at: Installation, command: list[str], victims: list[str]) -> None:
    """Runs the command, kills the victims one after the other while it loads SAP, and runs it again."""
    with at.start(*command) as disturbed:
        _slow_down(at)
        began = 0.0
        for victim in victims:
            wait_for(functools.partial(_in_the_middle, at, victim, began), "a load of SAP", every=0.05)
            began = time.time()
            for process in VICTIMS[victim](at):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(signal.SIGKILL)
                    count_kill("demo" if command == ["demo"] else "load", "process")
        end = ended(disturbed)
    began = time.monotonic()
    at.succeed("up")
    at.succeed(*command)
    print(f"{victims}: what was disturbed exits {end.code}, running it again takes {time.monotonic() - began:.0f} s")
    print(end.output, end.errors)


def _slow_down(at: Installation) -> None:
    """Let SAP answer its second page late, so that there is a middle to be killed in."""

    def asked() -> bool:
        with contextlib.suppress(OSError, requests.RequestException):
            at.sandbox("POST", "faults", system="sap", kind="delay", seconds=2, times=3)
            return True
        return False

    wait_for(asked, "the sandbox")
