"""The watchdog with real processes and a real warehouse: what it restarts, tells, records, and leaves alone."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from onefold.errors import Retriable
from onefold.platform import processes
from onefold.platform.lifecycle import Installation
from onefold.platform.postgres import Postgres
from onefold.platform.processes import Service
from onefold.platform.secrets import load_secrets
from onefold.platform.status import platform_status
from onefold.platform.watchdog.alarms import Alarms
from onefold.platform.watchdog.journal import Journal, read_journal, write_journal
from onefold.platform.watchdog.limits import Limits
from onefold.platform.watchdog.loop import Watchdog, restarter
from onefold.platform.watchdog.observe import connect_to
from onefold.platform.watchdog.problems import Problem
from onefold.platform.watchdog.readers import OverdueReaders
from onefold.platform.watchdog.snapshot import ServiceSeen, Snapshot, TasksSeen
from onefold.settings import Settings, settings
from tests.platform.polling import until
from tests.roles import as_role

LONG_IDLE = """
create or replace function ops.end_overdue_readers(idle interval, open interval, waited interval)
returns table (reader name, reason text) language sql security definer set search_path = pg_catalog, pg_temp as $$
    with overdue as materialized (
        select pid, usename from pg_stat_activity where datname = current_database() and usename = 'onefold_analyst'
    )
    select usename, 'idle in a transaction' from overdue where pg_terminate_backend(pid)
$$
"""
"""As if minutes had passed: which reader is overdue, tests/warehouse/test_access.py says."""
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


class Installed:
    """An installation of one service, `triggerer`, which only sleeps."""

    def __init__(self, home: Path, warehouse_url: str) -> None:
        self.home = home
        self.settings = Settings(home, home, 1, 2, 3)
        service = Service("triggerer", SLEEP, {})
        self.target = Installation(
            self.settings, load_secrets(home), Postgres(home, 1), (service,), Service("watchdog", SLEEP, {}), {}
        )
        self.alarms = Alarms(warehouse_url, "log", {})
        processes.start(home, service)

    def seen(self) -> Snapshot:
        running = processes.recorded(self.home)["triggerer"]
        alive = running.leader() is not None
        service = ServiceSeen("triggerer", str(running.pid), alive, gives_signs=False)
        return Snapshot(time.monotonic(), (service,), TasksSeen(4))

    def watchdog(self) -> Watchdog:
        return Watchdog(self.home, Limits(every=0.1), self.seen, restarter(self.target), self.alarms)

    def kill(self) -> int:
        running = processes.recorded(self.home)["triggerer"]
        os.kill(running.pid, signal.SIGKILL)
        until(lambda: running.leader() is None)
        return running.pid


@pytest.fixture
def here(home: Path, loader_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    monkeypatch.setenv("ONEFOLD_HOME", str(home))
    installed = Installed(home, loader_url)
    assert settings().home == home
    yield installed
    processes.stop(home, list(processes.recorded(home).values()), seconds=0.3)


def rows(connection: psycopg.Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query).fetchall()


def test_a_killed_service_runs_again_and_it_is_told_recorded_and_resolved(
    here: Installed, loader: psycopg.Connection
) -> None:
    watchdog = here.watchdog()
    watchdog.round()
    assert rows(loader, "select from ops.alert") == []
    old = here.kill()
    watchdog.round()
    running = processes.recorded(here.home)["triggerer"]
    assert running.pid != old and running.leader()
    assert rows(loader, "select kind, subject, resolved_at, notified_open from ops.alert") == [
        ("service", "triggerer", None, ["log"])
    ]
    watchdog.round()
    assert rows(loader, "select from ops.alert where resolved_at is null") == []
    assert rows(loader, "select actor, action, payload ->> 'reason', result from audit.event order by seq") == [
        ("onefold:watchdog", "alert.open", None, "ok"),
        ("onefold:watchdog", "service.restart", "dead", "ok"),
        ("onefold:watchdog", "alert.resolve", None, "ok"),
    ]
    assert (here.home / "audit" / "anchor.jsonl").exists()


def test_while_the_warehouse_is_away_it_restarts_all_the_same_and_tells_later(
    here: Installed, loader: psycopg.Connection
) -> None:
    watchdog, url = here.watchdog(), here.alarms.url
    watchdog.round()
    here.alarms.url = url.replace("127.0.0.1", "127.0.0.2")
    here.kill()
    watchdog.round()
    assert processes.recorded(here.home)["triggerer"].leader()
    here.alarms.url = url
    watchdog.round()
    assert rows(loader, "select action from audit.event order by seq") == [("service.restart",)]


def test_what_a_watchdog_before_has_left_open_is_resolved(here: Installed, loader: psycopg.Connection) -> None:
    before = Alarms(here.alarms.url, "log", {})
    before.tell([Problem("standstill", "tasks", "A task has waited.")], [])
    here.watchdog().round()
    assert rows(loader, "select kind from ops.alert where resolved_at is null") == []


def test_while_up_or_down_is_at_work_it_gives_a_sign_and_does_nothing_else(here: Installed) -> None:
    watchdog = here.watchdog()
    watchdog.round()
    here.kill()
    beat = read_journal(here.home).beat
    with processes.changing(here.home, wait=0) as alone:
        assert alone
        watchdog.round()
    assert processes.recorded(here.home)["triggerer"].leader() is None
    assert read_journal(here.home).beat > beat
    watchdog.round()
    assert processes.recorded(here.home)["triggerer"].leader()


def test_the_next_watchdog_knows_what_this_one_has_restarted(here: Installed) -> None:
    first = here.watchdog()
    first.round()
    here.kill()
    first.round()
    assert len(read_journal(here.home).restarts["triggerer"]) == 1
    second = here.watchdog()
    second.round()
    assert len(read_journal(here.home).restarts["triggerer"]) == 1
    here.kill()
    second.round()
    assert processes.recorded(here.home)["triggerer"].leader() is None, "the second restart waits"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("44051401458"), "This round failed (ValueError at test_loop.py, line "),
        (Retriable("The warehouse cannot be reached."), "This round failed (The warehouse cannot be reached.). "),
    ],
)
def test_a_round_that_fails_does_not_end_the_watchdog_and_is_told_in_a_line(
    here: Installed, caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    def failing() -> Snapshot:
        raise error

    watchdog = replace(here.watchdog(), look=failing)
    waits = iter([False, False, True])
    watchdog.run(lambda seconds: next(waits))
    assert read_journal(here.home) is None, "and it leaves no sign of life"
    assert len(caplog.records) == 2 and "Traceback" not in caplog.text and "44051401458" not in caplog.text
    assert caplog.messages[0].startswith(told) and "The next begins in 0 s" in caplog.text


def test_readers_that_hold_others_up_are_ended_though_no_load_runs(here: Installed, warehouse_url: str) -> None:
    at = 0.0
    url = as_role(warehouse_url, "onefold_loader")
    readers = OverdueReaders(lambda: connect_to(url), 60, lambda: at)
    watchdog = replace(here.watchdog(), end_readers=readers)
    watchdog.round()
    with (
        psycopg.connect(as_role(warehouse_url, "onefold_analyst")) as analyst,
        psycopg.connect(warehouse_url, autocommit=True) as owner,
    ):
        owner.execute(LONG_IDLE)
        analyst.execute("select count(*) from conformed.customer")
        at = 59
        watchdog.round()
        analyst.execute("select 1")
        at = 60
        watchdog.round()
        with pytest.raises(psycopg.OperationalError):
            analyst.execute("select 1")


def test_a_warehouse_that_does_not_answer_does_not_fail_the_round(here: Installed, caplog: pytest.LogCaptureFixture):
    readers = OverdueReaders(lambda: connect_to("postgresql://127.0.0.1:1/none"), 60)
    replace(here.watchdog(), end_readers=readers).round()
    assert read_journal(here.home) is not None and "could not be seen" in caplog.text


def _states(settings: Settings) -> Mapping[str, str]:
    return {service.name: service.state for service in platform_status(settings).services}


def test_status_says_that_the_watchdog_is_silent_or_died_and_what_stands_still(
    here: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _states(here.settings)["watchdog"] == "down"
    running = processes.start(here.home, Service("watchdog", SLEEP, {}))
    assert _states(here.settings)["watchdog"] == "up"
    problem = Problem("standstill", "tasks", "A task has waited for 120 s with free slots.")
    write_journal(here.home, Journal(time.time(), 10, (problem,), {"scheduler": [time.time()]}))
    found = platform_status(here.settings)
    assert _states(here.settings)["watchdog"] == "up"
    assert (found.watchdog.problems, found.watchdog.restarts) == ((problem,), {"scheduler": 1})
    assert not found.up

    later = time.time() + 3600
    monkeypatch.setattr("onefold.platform.status.time.time", lambda: later)
    assert _states(here.settings)["watchdog"] == "silent"
    assert not platform_status(here.settings).up
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: running.leader() is None)
    assert _states(here.settings)["watchdog"] == "died"
    assert not platform_status(here.settings).up
