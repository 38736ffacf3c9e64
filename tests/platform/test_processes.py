"""Services end whole: with their children, with what outlived them, and never somebody else's process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from onefold.errors import Fatal
from onefold.platform import processes
from onefold.platform.processes import Running, Service
from tests.platform.polling import until

FAMILY = """
import os, signal, sys, time
child = os.fork()
if child == 0:
    os.setpgid(0, 0)  # as Airflow's task processes do
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("family", os.getpid(), flush=True)
time.sleep(600)
"""


def family(home: Path) -> Running:
    service = Service("family", [sys.executable, "-u", "-c", FAMILY], {"MARK": "1"})
    running = processes.start(home, service)
    until(lambda: (home / "logs" / "family.log").read_text().count("family") == 2)
    assert len(running.members()) == 2
    return running


def test_stop_ends_children_in_groups_of_their_own_that_ignore_term(home: Path) -> None:
    running = family(home)
    pids = [process.pid for process in running.members()]
    processes.stop(home, [running], seconds=0.3)
    assert running.members() == []
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)
    assert processes.recorded(home) == {}


def test_stop_ends_children_that_outlived_their_killed_parent(home: Path) -> None:
    running = family(home)
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: running.leader() is None)
    assert len(running.members()) == 1
    processes.stop(home, list(processes.recorded(home).values()), seconds=0.3)
    assert running.members() == []


def test_stop_may_be_called_again(home: Path) -> None:
    running = family(home)
    processes.stop(home, [running], seconds=0.3)
    processes.stop(home, [running], seconds=0.3)
    assert processes.recorded(home) == {}


def test_a_recycled_pid_is_left_alone(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        record = Running("other", other.pid, psutil.Process(other.pid).create_time() - 3600, "")
        assert record.leader() is None
        processes.stop(home, [record], seconds=0.2)
        assert other.poll() is None
        other.terminate()


def test_a_changed_environment_changes_the_fingerprint_and_shows_no_secret() -> None:
    service = Service("one", ["program"], {"PASSWORD": "hidden-word"})
    assert service.fingerprint() != replace(service, environment={"PASSWORD": "other"}).fingerprint()
    assert "hidden-word" not in repr(service)


def test_a_taken_port_names_the_port_the_program_and_the_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Fatal) as refusal:
            processes.require_free_port(port, "ONEFOLD_UI_PORT", "the Airflow UI")
    for part in (str(port), f"pid {os.getpid()}", "ONEFOLD_UI_PORT"):
        assert part in str(refusal.value)
    processes.require_free_port(port, "ONEFOLD_UI_PORT", "the Airflow UI")


def test_a_second_command_is_refused_and_told_who_is_at_work(home: Path) -> None:
    with processes.exclusive(home, "up"):
        second = (
            "import sys; from pathlib import Path; from onefold.platform.processes import exclusive\n"
            "with exclusive(Path(sys.argv[1]), 'demo'): pass"
        )
        result = subprocess.run([sys.executable, "-c", second, home], capture_output=True, text=True, env=_python())
        assert result.returncode != 0
        assert f"onefold up (pid {os.getpid()})" in result.stderr
    with processes.exclusive(home, "demo"):
        pass


def _python() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
