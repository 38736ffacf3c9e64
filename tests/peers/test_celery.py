"""Tasks in Celery workers that are killed one after the other leave what one machine leaves that nobody disturbs."""

from __future__ import annotations

import functools
import itertools
import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from onefold.audit import anchors, entries_from_database, signing_key, verify
from onefold.catalog.reader import read_catalog
from onefold.commands.demo import in_order
from onefold.platform.api import FINISHED, AirflowApi
from onefold.platform.postgres import free_port
from tests.effort import TORTURE
from tests.peers.celery_cluster import Cluster, celery_cluster
from tests.scheduler.installation import Installation, wait_for
from tests.scheduler.tables import difference, tables

pytestmark = [pytest.mark.peers, pytest.mark.timeout(7200)]
SECONDS, BETWEEN_KILLS = (600, 20) if TORTURE else (60, 20)
SANDBOX_PORT = free_port()
"""The same for both installations: SAP's records name their own address."""
AGAIN = 60
"""Seconds after which a task that was lost has begun elsewhere."""
_PUBLISHED = """
select l.system || '.' || l.stream as stream, (payload ->> 'rows_new')::int as new,
       (payload ->> 'rows_changed')::int as changed, payload ->> 'rows_quarantined' as quarantined, result
from audit.event join ops.load as l on subject = 'load:' || l.load_id
where action = 'load.publish' order by 1, 2, 3, 4, 5
"""


def test_three_workers_of_which_one_is_killed_every_20_seconds_leave_what_one_undisturbed_machine_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(signing_key.GIVEN)
    with installed() as here, celery_cluster(here, tmp_path) as cluster:
        began = time.monotonic()
        with killing(cluster):
            rounds = load_until(here, began + SECONDS)
        conform(here)
        disturbed, published = tables(here), publishes(here)
        with here.warehouse() as warehouse:
            files = cluster.anchor_files()
            verdict = verify(entries_from_database(warehouse), elsewhere=[anchors(file) for file in files])
            assert verdict.fault is None and len(files) == len(cluster.workers)
        waited = [cluster.seconds_until_begun_elsewhere(lost) for lost in cluster.lost]
        say(cluster, rounds, time.monotonic() - began, [each for each in waited if each is not None])
    with installed() as here:
        here.succeed("up")
        for _ in range(rounds):
            load_all(here)
        conform(here)
        undisturbed, expected = tables(here), publishes(here)
    assert not difference(disturbed, undisturbed)
    assert published == expected and len(published) > 20
    assert cluster.lost and max(each for each in waited if each is not None) <= AGAIN


@contextmanager
def installed() -> Iterator[Installation]:
    here = Installation(sandbox_port=SANDBOX_PORT)
    here.home.chmod(0o755)  # the unprivileged account that PostgreSQL gets when root runs it must come in
    try:
        yield here
    finally:
        here.remove()


@contextmanager
def killing(cluster: Cluster) -> Iterator[None]:
    """One worker after the other is killed; it begins anew when the next one is."""
    ended = threading.Event()

    def kill() -> None:
        dead: str | None = None
        for name in itertools.cycle(cluster.workers):
            if ended.wait(BETWEEN_KILLS):
                break
            if dead:
                cluster.start(dead)
            cluster.kill(name)
            dead = name
        if dead:
            cluster.start(dead)

    with ThreadPoolExecutor(1) as pool:
        killed = pool.submit(kill)
        try:
            yield
        finally:
            ended.set()
            killed.result()


def load_until(here: Installation, deadline: float) -> int:
    """Load every system again and again; returns how often."""
    for number in itertools.count(1):
        load_all(here)
        if time.monotonic() > deadline:
            return number
    raise AssertionError


def load_all(here: Installation) -> None:
    """Load all systems, those last that are asked about what others name."""
    catalog, api = read_catalog(), here.api()
    quiet = {name: system for name, system in catalog.systems.items() if system.start == "on_schedule"}
    api.wait_for_dag("conform")
    api.pause("conform")
    for group in in_order(quiet, catalog.entities):
        for name in group:
            api.wait_for_dag(f"sync__{name}")
        run_until_they_succeed(api, [f"sync__{name}" for name in group])


def conform(here: Installation) -> None:
    run_until_they_succeed(here.api(), ["conform"])


def run_until_they_succeed(api: AirflowApi, dag_ids: Sequence[str]) -> None:
    """Start a run of each; what has failed, its tries used up by kills, is started again, as by its schedule."""
    left = list(dag_ids)
    while left:
        runs = [api.start_dag(dag_id) for dag_id in left]
        for run in runs:
            wait_for(functools.partial(_ended, api, run.dag_id, run.run_id), f"the end of {run.dag_id}", every=1)
        for dag_id in left:
            api.pause(dag_id)
        left = [run.dag_id for run in runs if api.dag_run(run.dag_id, run.run_id).state != "success"]


def _ended(api: AirflowApi, dag_id: str, run_id: str) -> bool:
    return api.dag_run(dag_id, run_id).state in FINISHED


def publishes(here: Installation) -> list[tuple[object, ...]]:
    """What the audit chain says was published that changed something."""
    return [tuple(row.values()) for row in here.rows(_PUBLISHED) if row["new"] or row["changed"]]


def say(cluster: Cluster, rounds: int, seconds: float, waited: Sequence[float]) -> None:
    """The figures, which pytest shows with -s, and docs/scale-out.md has."""
    print(f"{cluster.kills} kills in {seconds:.0f} s, {rounds} rounds, {len(cluster.lost)} tasks lost; begun elsewhere")
    if waited:
        print(f"after {min(waited):.0f} to {max(waited):.0f} s, median {statistics.median(waited):.0f} s")
    print(f"load average {os.getloadavg()}")
