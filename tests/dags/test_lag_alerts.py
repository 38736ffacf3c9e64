"""A sync of a source with a log says whether its streams are too far behind, however the load ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from onefold.errors import Retriable
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.orchestration.tasks import sync
from onefold.orchestration.tasks.sync import load_stream
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP

STORE = (
    "insert into ops.stream_lag (system, stream, position, log_end, lag_messages, lag_seconds)"
    " values ('shop', 'customer', '5-1', '9-0', %s, %s) on conflict (system, stream)"
    " do update set lag_messages = excluded.lag_messages, lag_seconds = excluded.lag_seconds"
)
ALERTS = (
    "select kind, message, occurrences, resolved_at is null, 'log' = any (notified_open),"
    " 'log' = any (notified_resolved) from ops.alert"
)


@pytest.fixture
def warehouse(
    warehouse_factory: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The warehouse of a shop that promises at most 10 minutes and 100 messages."""
    limits = SHOP.limits.model_copy(update={"lag": timedelta(minutes=10), "lag_messages": 100})
    system = SHOP.model_copy(update={"protocol": "cdc", "limits": limits})
    with warehouse_factory() as url:
        monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
        run = Run("sync__shop", "manual__1", "os:tester")
        job = Job(system, "customer", run, None, None, url, {}, lambda *_: False, confirm=lambda *_: None)
        monkeypatch.setattr(sync, "job_of", lambda *_: job)
        yield url


def sync_that_fails(warehouse: str, messages: int, seconds: int) -> list[tuple]:
    """The alerts after a sync that found the stream so far behind, and then failed."""

    def look_and_fail(*_: object) -> None:
        with connect(warehouse, autocommit=True) as connection:
            connection.execute(STORE, (messages, seconds))
        raise Retriable("the source is away")

    with pytest.raises(Retriable, match="the source is away"):
        load_stream({"params": {}, "dag_run": _RUN}, "shop", "customer", look_and_fail)
    with connect(warehouse) as connection:
        return connection.execute(ALERTS).fetchall()


class _RUN:
    run_type = "scheduled"


def test_each_sync_opens_and_resolves_the_alert_of_a_stream_that_is_too_far_behind(warehouse: str) -> None:
    assert sync_that_fails(warehouse, 100, 600) == []
    ((kind, message, *states),) = sync_that_fails(warehouse, 101, 601)
    assert kind == "lag" and states == [1, True, True, False]
    assert "101 messages (limits.lag_messages: 100) and 10 minutes (limits.lag: 10 minutes)" in message
    ((_, message, *states),) = sync_that_fails(warehouse, 5_000, 30)
    assert states == [2, True, True, False] and "by 5,000 messages (limits.lag_messages: 100). See" in message
    ((*_, seen, is_open, _, resolved_told),) = sync_that_fails(warehouse, 0, 0)
    assert (seen, is_open, resolved_told) == (2, False, True)


def test_a_sync_whose_alert_cannot_be_written_ends_as_its_load_did(
    warehouse: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        monkeypatch.setattr(
            "onefold.reconcile.lag_alerts.connect", lambda *_, **__: connect("postgresql://nobody@127.0.0.1:1/nothing")
        )
        raise Retriable("the source is away")

    with pytest.raises(Retriable, match="the source is away"):
        load_stream({"params": {}, "dag_run": _RUN}, "shop", "customer", fail)
    assert "whether it is too far behind could not be checked" in caplog.text
