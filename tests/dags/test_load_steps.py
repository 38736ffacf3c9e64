"""A load in one task: its steps in the log, the step that failed in the message, and what a retry then does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.context import OutletEventAccessors

from onefold.errors import Busy, Fatal, OnefoldError, Rejected, Retriable
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.steps import Observer
from onefold.orchestration.assets import staging_asset
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.load_steps import Run, load_in_steps
from onefold.orchestration.tasks.sync import load_stream

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = SimpleNamespace(name="sap.business_partner", last_attempt=False)


def failing(error: OnefoldError, step: str = "land") -> Run:
    """A load in which this step raises this."""

    def run(_: Job, observe: Observer) -> Load:
        with observe(step):
            error.step = step
            raise error

    return run


def test_each_step_of_a_load_is_a_group_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    names = ("land", "gate", "publish")

    def run(_: Job, observe: Observer) -> str:
        for name in names:
            with observe(name):
                logging.getLogger("onefold").info("%s is done", name)
        return "published"

    assert load_in_steps(JOB, run) == "published"
    assert caplog.messages == [
        line for name in names for line in (f"::group::{name}", f"{name} is done", "::endgroup::")
    ]


@pytest.mark.parametrize("error", [Fatal, Rejected, Retriable])
def test_the_last_words_are_the_step_that_failed_and_why_outside_of_any_group(
    error: type[OnefoldError], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run = failing(error("the field Name is gone. Correct sap.yaml."), "gate")
    with (
        pytest.raises((AirflowFailException, Retriable), match=r"^Step gate failed\. the field Name is gone") as raised,
        airflow_errors(),
    ):
        load_in_steps(JOB, run)
    _, _, after = " ".join(caplog.messages).rpartition("::endgroup:: ")
    assert after.startswith("Step gate failed. the field Name is gone. Correct sap.yaml.")
    assert raised.value.__suppress_context__  # no traceback of what is expected


@pytest.mark.parametrize(
    ("last", "then"),
    [(False, "tries again soon and goes on with this step"), (True, "clear it once the cause is gone")],
)
def test_a_step_that_may_succeed_later_says_whether_it_is_tried_again(last: bool, then: str) -> None:
    job = SimpleNamespace(name="sap.business_partner", last_attempt=last)
    with pytest.raises(Retriable, match=then):
        load_in_steps(job, failing(Retriable("SAP answers 503.")))


def test_a_busy_stream_has_not_failed() -> None:
    with pytest.raises(Busy, match=r"^load 7 is at work$"):
        load_in_steps(JOB, failing(Busy("load 7 is at work")))


@pytest.fixture
def warehouse(
    warehouse_factory: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The warehouse of the tasks below."""
    with warehouse_factory() as url:
        monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", url)
        monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
        monkeypatch.setenv("AIRFLOW_CONN_SAP", '{"conn_type": "http", "host": "http://127.0.0.1:1/sap"}')
        yield url


@contextmanager
def published(warehouse: str) -> Iterator[int]:
    """A load of the run below that was published at NOW."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        (load_id,) = connection.execute(
            "insert into ops.load (system, stream, window_start, window_end, state, verdict, dag_id, run_id, actor,"
            " ended_at) values ('sap', 'business_partner', %s, %s, 'published', 'passed', 'sync__sap', 'manual__1',"
            " 'os:tester', %s)"
            " returning load_id",
            (NOW - timedelta(hours=1), NOW, NOW),
        ).fetchone()
        yield load_id


def context(try_number: int, max_tries: int) -> dict[str, object]:
    """A task with two retries."""
    run = SimpleNamespace(
        dag_id="sync__sap", run_id="manual__1", run_type="manual", triggering_user_name=None,
        data_interval_start=None, data_interval_end=None,
    )  # fmt: skip
    task = SimpleNamespace(try_number=try_number, max_tries=max_tries, task=SimpleNamespace(retries=2))
    events = OutletEventAccessors()
    return {"dag_run": run, "params": {"start": None, "end": None}, "ti": task, "outlet_events": events}


def test_an_attempt_after_one_that_was_killed_when_it_had_published_asks_no_source_and_reports_the_load(
    warehouse: str,
) -> None:
    of = context(try_number=2, max_tries=2)
    with published(warehouse) as load_id:
        load_stream(of, "sap", "business_partner")  # its connection has no login: who asked would fail
    event = of["outlet_events"][staging_asset("sap", "business_partner")]
    assert (event.extra["load_id"], event.extra["state"], event.extra["verdict"]) == (load_id, "published", "passed")
    assert {"read", "new", "changed", "deleted", "quarantined", "withheld"} <= event.extra.keys()


def test_a_task_that_was_cleared_loads_again(warehouse: str) -> None:
    first_since_it_was_cleared = context(try_number=2, max_tries=3)
    with published(warehouse), pytest.raises(AirflowFailException, match=r"^Step land failed\. .* no login"):
        load_stream(first_since_it_was_cleared, "sap", "business_partner")
