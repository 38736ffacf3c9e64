"""Killed at any moment, and run again, retention leaves what one undisturbed run leaves, and counts every row once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from onefold.settings import ROOT
from tests.kills import count_kill
from tests.load.shop import SHOP, Shop, record
from tests.retention.conftest import Warehouse, by_class

PROGRAM = """
import sys
from onefold.catalog.reader import Catalog
from onefold.retention import purge
from onefold.retention.run import execute_retention
from tests.load.shop import SHOP
from tests.retention.conftest import SAID, by_class
purge.BATCH = 1
system = by_class(SHOP, contact="P1D") if sys.argv[2:] else SHOP
print("ready", flush=True)
execute_retention(sys.argv[1], Catalog({"shop": system}, {}), SAID, "os:tester")
"""


@pytest.mark.full_matrix
@pytest.mark.parametrize("classed", [False, True], ids=["rows", "values of a class"])
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_any_moment_and_run_again_it_ends_the_same(
    shop: Shop, warehouse: Warehouse, seed: int, classed: bool
) -> None:
    system = by_class(SHOP, contact="P1D") if classed else SHOP
    chosen = random.Random(seed)
    for minute in range(8):
        shop.load([record(key, minute, credit=chosen.randint(-1, 9)) for key in "abcdefghij"])
    warehouse.time_passes()
    shop.load([record(key, 20, credit=99) for key in "abcdefghij"])
    due = {(kept.store, kept.subject, kept.data_class): kept.due for kept in warehouse.plan(system) if kept.due}
    assert sum(due.values()) > 50
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}"}
    for _ in range(3):
        run = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, warehouse.url, *(["by class"] if classed else [])],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(chosen.random() * 0.4)
        run.kill()
        if run.wait() == -signal.SIGKILL:
            count_kill("retention", "process")
        warehouse.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'onefold'"
            " and datname = current_database() and pid <> pg_backend_pid()"
        )
    current, versions = shop.current(), len(shop.versions())
    warehouse.retain(system)
    assert shop.current() == current
    if classed:
        assert len(shop.versions()) == versions
        assert any(payload["name"] is None for _, payload, *_ in shop.versions())
    assert [kept for kept in warehouse.plan(system) if kept.due] == []
    told = {
        (store, subject, data_class): rows
        for store, subject, data_class, rows in warehouse.query(
            "select payload ->> 'store', \"from\", coalesce(payload ->> 'erased_class', ''),"
            " sum((payload ->> 'rows')::int)::int from audit.event where action = 'retention.purge' group by 1, 2, 3"
        )
    }
    assert {key: told.get(key) for key in due} == due
    assert warehouse.query("select from ops.retention where state = 'running'") == []
