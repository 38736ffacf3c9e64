"""A migration whose process is killed at any moment of either pass, and run again, ends as if nothing had been."""

from __future__ import annotations

import importlib
import itertools
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest

from onefold.audit import entries_from_database, verify
from sandbox.process import Sandbox
from tests.acceptance.bench import Bench
from tests.doomed import Doomed, wait_until_its_sessions_are_gone
from tests.kills import count_kill
from tests.migration.conftest import ORDER, Engineer

pytestmark = [
    pytest.mark.torture,
    pytest.mark.timeout(3600),
]
KILLS = 50
SEED = 20260301


def test_a_migration_killed_at_any_moment_and_run_again_ends_as_if_it_had_not_been(
    engineer: Engineer,
    first: datetime,
    sandbox: Sandbox,
    warehouse_factory: Callable[[], AbstractContextManager[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    importlib.import_module("great_expectations")  # once, and not in each process that is forked from this one
    seconds: list[float] = []
    _migrate(engineer, first, lambda work, again: seconds.append(work.end()))
    undisturbed = engineer.bench.observed(ORDER)
    chance, hits = random.Random(SEED), 0
    for number in itertools.takewhile(lambda _: hits < KILLS, itertools.count()):
        moments = [chance.uniform(0, whole) for whole in seconds]
        with warehouse_factory() as url:
            home = tmp_path / f"home{number}"  # its audit chain is anchored apart from the others'
            monkeypatch.setenv("ONEFOLD_HOME", str(home))
            killed = Engineer(Bench(sandbox, url, home))

            def strike(
                work: Doomed,
                again: Callable[[], None],
                killed: Engineer = killed,
                moments: list[float] = moments,
            ) -> None:
                nonlocal hits
                if work.kill_after(moments.pop(0)):
                    count_kill("migration", "process")
                    hits += 1
                wait_until_its_sessions_are_gone(killed.bench.url, killed.connection)
                again()

            _migrate(killed, first, strike)
            assert killed.bench.observed(ORDER) == undisturbed
            assert killed.done() == (4, 4, 4)
            assert verify(entries_from_database(killed.connection)).ok
            killed.connection.close()


def _migrate(engineer: Engineer, first: datetime, watch: Callable[[Doomed, Callable[[], None]], object]) -> None:
    """A whole migration, each of its two passes in a process of its own; `watch` gets that, and the pass."""
    migration = engineer.begin(engineer.request(first))
    for do, next_step in ((engineer.dry_run, engineer.approve), (engineer.publish, lambda _: None)):
        watch(Doomed(lambda do=do: do(migration)), lambda do=do: do(migration))
        next_step(migration)
