"""Whatever a source answers, a load ends, in time and in bounds of memory, and the next one is as if nothing had been.

`make torture` tries 210 random sources of every kind of paging; `make test` two.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Unpack

import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.errors import OnefoldError
from onefold.http.attempt import Attempt
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings
from onefold.load import steps
from onefold.load.extraction import from_system
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.load.window import WindowRequest
from tests.effort import TORTURE
from tests.http.web_server import WebServer, serving
from tests.load.shop import MORNING, Shop
from tests.torture.hostile_source import PAGINGS, HostileSource, system_of

CASES = 210 if TORTURE else 2
BOUND = 40
"""Seconds of one load: limits.load of the system (15), and the gate on a machine that is busy."""
MEMORY = 400 << 10
"""KiB that all loads together may add to what the process takes up at most; an answer may have 2 MiB."""
SUITE = """
name: shop__customer
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
"""
WINDOW = WindowRequest(MORNING, datetime(2026, 4, 1, tzinfo=UTC), exactly=True)


@pytest.fixture(scope="module")
def source() -> Iterator[WebServer]:
    with serving() as server:
        yield server


@pytest.fixture
def shop(
    warehouse_factory: Callable[[], AbstractContextManager[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Shop]:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "shop__customer.yaml").write_text(SUITE)
    with warehouse_factory() as url:
        yield Shop(url, tmp_path)


def impatient(
    system: System, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> Client:
    """A client that does not sleep between its attempts, and whose circuit breaker is its own."""
    breakers = SyncCircuitBreakerFactory(default_threshold=1000)
    return Client(system, endpoint, on_attempt, **{**settings, "sleep": lambda _: None, "breakers": breakers})


def job(shop: Shop, system: System, url: str, run: str) -> Job:
    return Job(
        system=system,
        stream_name="customer",
        run=Run("sync__shop", run, "os:tester"),
        source=from_system(system, Endpoint(url), shop.url, {"shop": system}, {}, impatient),
        source_url=url,
        warehouse_url=shop.url,
        entities={},
        run_is_over=lambda dag_id, run_id: True,
        requested=WINDOW,
        suites=shop.suites,
    )


@pytest.mark.timeout(4 * BOUND)
@pytest.mark.parametrize("seed", range(CASES))
def test_a_load_from_a_hostile_source_ends_and_the_next_one_is_as_if_nothing_had_been(
    source: WebServer, shop: Shop, seed: int
) -> None:
    chance = random.Random(seed)
    paging = PAGINGS[seed % len(PAGINGS)]
    answers = HostileSource(paging, chance, chance.choice([0.2, 0.5, 1.0]))
    source.answer, system = answers, system_of(paging)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for attempt in range(2):
        began = time.monotonic()
        with suppress(OnefoldError):
            steps.run(job(shop, system, source.url, f"hostile_{attempt}"))
        assert time.monotonic() - began < BOUND, answers.did
    ended = shop.query("select state in ('published', 'rejected') and length(coalesce(error, '')) < 2100 from ops.load")
    assert set(ended) == {(True,)}, answers.did
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY, answers.did
    answers.hostile = False
    assert steps.run(job(shop, system, source.url, "proper")).state == "published", answers.did
    assert {key: each["name"] for key, each in shop.current().items()} == answers.truth(), answers.did
    versions = shop.query("select _key, count(*) from staging.shop__customer group by _key having count(*) > 1")
    assert versions == [], answers.did
