"""How a task reads Airflow's context, and which errors Airflow tries again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from airflow.sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowRuntimeError,
    AirflowSkipException,
    ErrorType,
)
from airflow.sdk.execution_time.comms import ErrorResponse
from airflow.sdk.execution_time.context import OutletEventAccessors

from onefold.catalog.deletes import Deletes, Sweep
from onefold.catalog.reader import Catalog, read_catalog
from onefold.errors import Busy, Fatal, Rejected, Retriable
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.window import WindowRequest
from onefold.orchestration.tasks import reconcile, run
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.errors import LOOK_AGAIN
from onefold.orchestration.tasks.sync import load_stream

MONTH = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


@dataclass
class TaskInstance:
    """As much of Airflow's as a task asks for."""

    try_number: int = 1
    max_tries: int = 2
    task: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(retries=2))
    states: dict[tuple[str, str], str | int] = field(default_factory=dict)

    def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
        state = self.states.get((dag_id, run_id), 404)
        if isinstance(state, int):
            detail = {"status_code": state, "message": "as the API server answered"}
            raise AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail))
        return state


def context(run_type: str = "manual", user: str | None = None, **params: str | None) -> dict[str, object]:
    """A task's context in a run of this type, whose data interval is January."""
    run = SimpleNamespace(
        dag_id="sync__sap",
        run_id=f"{run_type}__1",
        run_type=run_type,
        triggering_user_name=user,
        data_interval_start=None if run_type == "manual" else MONTH[0],
        data_interval_end=None if run_type == "manual" else MONTH[1],
    )
    params = {"start": None, "end": None} | params
    return {"dag_run": run, "params": params, "ti": TaskInstance(), "outlet_events": OutletEventAccessors()}


def step(of: dict[str, object], system: str, stream: str, do: Callable[[Job], Load]) -> None:
    """The task, with this in place of a load."""
    load_stream(of, system, stream, lambda job, _: do(job))


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, object]], Job]:
    """The job that the engine is given for a context."""
    monkeypatch.setenv("AIRFLOW_CONN_SAP", '{"conn_type": "http", "host": "http://127.0.0.1:1/sap", "login": "L"}')
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    def given(of: dict[str, object]) -> Job:
        seen: list[Job] = []

        def keep(job: Job) -> None:
            seen.append(job)
            raise Retriable("the job has been seen")

        with pytest.raises(Retriable, match="the job has been seen"):
            step(of, "sap", "business_partner", keep)
        return seen[0]

    return given


@pytest.fixture
def warehouse(
    warehouse_factory: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A warehouse that tasks write into, and connections to the systems that these tests name."""
    with warehouse_factory() as url:
        monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", url)
        monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
        for system in ("HR", "NBP"):
            monkeypatch.setenv(f"AIRFLOW_CONN_{system}", '{"conn_type": "http", "host": "http://127.0.0.1:1"}')
        yield url


@pytest.mark.parametrize("run_type", ["manual", "scheduled"])
def test_a_start_among_the_parameters_is_the_window_whatever_the_run(job: Callable[..., Job], run_type: str) -> None:
    found = job(context(run_type, start="2026-03-01T00:00:00Z", end="2026-03-02T00:00:00+01:00"))
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert found.requested == WindowRequest(start, end, exactly=True)


def test_a_backfill_takes_no_window_but_its_own(job: Callable[..., Job]) -> None:
    """The form shows start and end under Airflow's From and To; every interval would load the same window."""
    with pytest.raises(AirflowFailException, match="A backfill has its own From and To"):
        step(context("backfill", start="2026-03-01T00:00:00Z"), "sap", "business_partner", pytest.fail)


def test_an_end_alone_goes_on_from_the_last_load(job: Callable[..., Job]) -> None:
    found = job(context(end="2026-03-02T00:00:00"))  # without a zone it is UTC
    assert found.requested == WindowRequest(None, datetime(2026, 3, 2, tzinfo=UTC), exactly=False)


def test_a_backfill_loads_its_interval_exactly(job: Callable[..., Job]) -> None:
    assert job(context("backfill")).requested == WindowRequest(*MONTH, exactly=True)


def test_a_scheduled_run_goes_on_from_the_last_load_to_the_end_of_its_interval(job: Callable[..., Job]) -> None:
    assert job(context("scheduled")).requested == WindowRequest(None, MONTH[1], exactly=False)


@pytest.mark.parametrize("run_type", ["manual", "asset_triggered"])
def test_a_run_without_a_schedule_goes_on_from_the_last_load_until_now(job: Callable[..., Job], run_type: str) -> None:
    assert job(context(run_type)).requested == WindowRequest()


def test_a_wrong_instant_is_refused_and_says_how_to_write_it(job: Callable[..., Job]) -> None:
    with pytest.raises(AirflowFailException, match=r"'2026-02-30T00:00:00Z' is not an instant\. Write"):
        step(context(start="2026-02-30T00:00:00Z"), "sap", "business_partner", pytest.fail)


@pytest.mark.parametrize("error", [Fatal, Rejected])
def test_what_trying_again_cannot_help_fails_at_once(job: Callable[..., Job], error: type[Exception]) -> None:
    def refuse(_: Job) -> None:
        raise error("say why, and what to do")

    with pytest.raises(AirflowFailException, match="say why, and what to do"):
        step(context(), "sap", "business_partner", refuse)


def test_what_may_succeed_later_is_left_to_airflows_retries(job: Callable[..., Job]) -> None:
    def down(_: Job) -> None:
        raise Retriable("SAP answers 503")

    with pytest.raises(Retriable, match="SAP answers 503"):
        step(context(), "sap", "business_partner", down)


@pytest.mark.parametrize(("attempt", "last"), [(1, False), (2, False), (3, True)])
def test_the_engine_knows_the_last_attempt(job: Callable[..., Job], attempt: int, last: bool) -> None:
    of = context()
    of["ti"].try_number = attempt
    assert job(of).last_attempt is last


def test_the_engine_knows_a_retry_from_a_task_that_was_cleared(job: Callable[..., Job]) -> None:
    for try_number, max_tries, retry in [(1, 2, False), (2, 2, True), (2, 3, False), (3, 3, True)]:
        of = context()
        of["ti"].try_number, of["ti"].max_tries = try_number, max_tries
        assert job(of).is_retry is retry


@pytest.mark.parametrize(
    ("state", "over"), [("success", True), ("failed", True), ("running", False), ("queued", False)]
)
def test_a_run_is_over_when_airflow_says_so(job: Callable[..., Job], state: str, over: bool) -> None:
    of = context()
    of["ti"].states["sync__sap", "scheduled__0"] = state
    assert job(of).run_is_over("sync__sap", "scheduled__0") is over


def test_a_run_that_airflow_does_not_know_is_over(job: Callable[..., Job]) -> None:
    assert job(context()).run_is_over("sync__sap", "deleted__0") is True


def test_an_airflow_that_fails_to_answer_has_not_said_that_the_run_is_over(job: Callable[..., Job]) -> None:
    of = context()
    of["ti"].states["sync__sap", "scheduled__0"] = 500
    with pytest.raises(Retriable, match="does not say whether run scheduled__0"):
        job(of).run_is_over("sync__sap", "scheduled__0")


def test_the_actor_names_the_run_and_who_began_it(job: Callable[..., Job]) -> None:
    assert job(context("scheduled")).run.actor == "airflow:sync__sap/scheduled__1"
    assert job(context(user="engineer")).run.actor == "airflow:by:engineer/sync__sap/manual__1"


@pytest.mark.parametrize("kind", ["postgres", "mysql"])
def test_a_database_connection_leads_to_the_database_and_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    parts = {"conn_type": kind, "host": "erp.example", "port": 5433, "schema": "erp", "login": "onefold"}
    monkeypatch.setenv(
        "AIRFLOW_CONN_ERP", json.dumps({**parts, "password": "hush-hush", "extra": {"sslmode": "require"}})
    )
    found = endpoint("erp")
    assert (found.url, found.login, found.password) == (f"{kind}://erp.example:5433/erp", "onefold", "hush-hush")
    assert found.extra == {"sslmode": "require"}
    assert "hush-hush" not in repr(found)


def test_a_connection_to_kafka_has_its_brokers_in_the_extra_as_airflows_provider_writes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extra = {"bootstrap.servers": "kafka1:9093,kafka2:9093", "sasl.password": "hush-hush", "socket.timeout.ms": 10}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps({"conn_type": "kafka", "extra": extra}))
    found = endpoint("shop")
    assert found.url == "kafka://kafka1:9093,kafka2:9093/"
    assert found.extra == extra | {"socket.timeout.ms": "10"}
    assert "hush-hush" not in repr(found)


@pytest.mark.parametrize(
    ("extra", "asked", "kept"),
    [({}, "5/s", "5/s"), ({"rate": "1000/s"}, "5/s", "5/s"), ({"rate": "9/s,200/day"}, "5/s", "5/s,200/day")],
)
def test_a_migrations_own_rate_leaves_a_quota_of_a_day_in_the_connection(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, str], asked: str, kept: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SAP", json.dumps({"conn_type": "http", "host": "sap.example", "extra": extra}))
    assert endpoint("sap", asked).extra == {"rate": kept}


def test_a_connection_without_a_host_says_what_to_write(
    job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SAP", '{"conn_type": "http"}')
    with pytest.raises(AirflowFailException, match="'sap' has no host: write the system's base URL there"):
        step(context(), "sap", "business_partner", pytest.fail)


def test_a_busy_stream_is_looked_at_again_later_without_using_up_a_retry(job: Callable[..., Job]) -> None:
    def busy(_: Job) -> None:
        raise Busy("sap.business_partner is being loaded by load 7")

    before = datetime.now(UTC)
    with pytest.raises(AirflowRescheduleException) as later:
        step(context(), "sap", "business_partner", busy)
    assert LOOK_AGAIN <= later.value.reschedule_date - before < LOOK_AGAIN * 2


@pytest.mark.parametrize(("run_type", "yields_to_fresh"), [("backfill", True), ("scheduled", False), ("manual", False)])
def test_the_runs_of_a_backfill_give_way_to_all_others(
    job: Callable[..., Job], run_type: str, yields_to_fresh: bool
) -> None:
    assert job(context(run_type)).yields_to_fresh is yields_to_fresh


@pytest.mark.parametrize(
    ("run", "window"),
    [
        (context("backfill"), {"window_start": MONTH[0].isoformat(), "window_end": MONTH[1].isoformat()}),
        (context(start="2026-03-01T00:00:00Z"), {"window_start": "2026-03-01T00:00:00+00:00"}),
        (context("scheduled", end="2026-03-01T00:00:00Z"), {"window_end": "2026-03-01T00:00:00+00:00"}),
    ],
    ids=["backfill", "start", "end"],
)
def test_a_stream_that_cannot_be_asked_about_the_past_is_skipped_and_the_audit_says_so(
    run: dict[str, object], window: dict[str, str], warehouse: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(AirflowSkipException, match=r"hr\.employee lists what it has at the moment"):
        step(run, "hr", "employee", pytest.fail)
    assert "hr.employee lists what it has at the moment" in caplog.text
    with psycopg.connect(warehouse) as connection:
        events = connection.execute("select action, subject, payload, result from audit.event").fetchall()
    payload = {"system": "hr", "stream": "employee", "reason": "whole_list", **window}
    assert events == [("load.leave_out", "stream:hr.employee", payload, "refused")]


def test_such_a_stream_is_loaded_by_every_run_that_names_no_window(warehouse: str) -> None:
    seen: list[Job] = []

    def keep(job: Job) -> None:
        seen.append(job)
        raise Retriable("the job has been seen")

    for run_type in ("scheduled", "manual"):
        with pytest.raises(Retriable, match="the job has been seen"):
            step(context(run_type), "hr", "employee", keep)
    assert len(seen) == 2


def test_a_window_before_a_streams_history_is_skipped(warehouse: str) -> None:
    early = context(start="2001-12-31T00:00:00Z", end="2002-06-01T00:00:00Z")
    with pytest.raises(AirflowSkipException, match=r"nbp\.rate goes back to 2002-01-02 and not to 2001-12-31"):
        step(early, "nbp", "rate", pytest.fail)


def test_the_first_interval_of_a_backfill_begins_with_the_history(warehouse: str) -> None:
    first = context("backfill")
    first["dag_run"].data_interval_start = datetime(2002, 1, 1, 12, 30, tzinfo=UTC)
    first["dag_run"].data_interval_end = datetime(2002, 1, 2, 12, 30, tzinfo=UTC)

    def keep(job: Job) -> None:
        assert job.requested == WindowRequest(
            datetime(2002, 1, 2, tzinfo=UTC), first["dag_run"].data_interval_end, exactly=True
        )
        raise Retriable("the job has been seen")

    with pytest.raises(Retriable, match="the job has been seen"):
        step(first, "nbp", "rate", keep)


def swept_and_compared(
    monkeypatch: pytest.MonkeyPatch, sweep: Callable[..., object], compare: Callable[..., object]
) -> None:
    """SAP's sales orders have a sweep in their YAML, and these two do what is asked."""
    sap = read_catalog().systems["sap"]
    order = sap.streams["sales_order"].model_copy(update={"deletes": Deletes(sweep=Sweep())})
    with_sweep = sap.model_copy(update={"streams": {**sap.streams, "sales_order": order}})
    monkeypatch.setattr(run, "read_catalog", lambda: Catalog({"sap": with_sweep}, {}))
    monkeypatch.setattr(reconcile, "sweep_stream", sweep)
    monkeypatch.setattr(reconcile, "compare_with_source", compare)
    monkeypatch.setattr(reconcile, "after_commit", lambda _: None)


@pytest.mark.parametrize(
    ("asked", "does"),
    [("due", ["sweep", "compare"]), ("never", ["compare"]), ("now", ["sweep"]), ("dry_run", ["dry run"])],
)
def test_a_stream_is_swept_before_it_is_compared_or_only_swept(
    job: object, monkeypatch: pytest.MonkeyPatch, asked: str, does: list[str]
) -> None:
    done: list[str] = []
    drift = SimpleNamespace(missing=0, changed=0, deleted=0, oldest=None)

    def swept(job: Job, at: datetime, *, now: bool = False, dry_run: bool = False) -> None:
        assert job.sweep
        done.append("dry run" if dry_run else "sweep")

    def compared(job: Job, *_: object, **__: object) -> SimpleNamespace:
        assert not job.sweep
        done.append("compare")
        return SimpleNamespace(reconciliation_id=1, skipped=None, records_read=0, drift=drift)

    swept_and_compared(monkeypatch, swept, compared)
    more = {"sweep": asked, "repair": False, "thorough": False, "accept_deletes": "sales_order=5"}
    reconcile.compare_stream(context(**more), "sap.sales_order")
    assert done == does


def test_a_refused_sweep_fails_the_task_after_the_comparison(job: object, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    drift = SimpleNamespace(missing=0, changed=0, deleted=0, oldest=None)

    def refused(job: Job, at: datetime) -> None:
        raise Rejected("the listing lacks too much")

    def compared(*_: object, **__: object) -> SimpleNamespace:
        done.append("compare")
        return SimpleNamespace(reconciliation_id=1, skipped=None, records_read=0, drift=drift)

    swept_and_compared(monkeypatch, refused, compared)
    with pytest.raises(AirflowFailException, match="lacks too much"):
        reconcile.compare_stream(context(sweep="due", repair=False, thorough=False), "sap.sales_order")
    assert done == ["compare"]


@pytest.mark.parametrize(("asked", "expected"), [("due", ["sap.sales_order"]), ("now", []), ("dry_run", [])])
def test_a_run_that_only_sweeps_misses_no_comparison(
    job: object, monkeypatch: pytest.MonkeyPatch, asked: str, expected: list[str]
) -> None:
    given: list[object] = []
    monkeypatch.setattr(reconcile, "check_slas", lambda *_, expected, **__: given.append(expected) or {})
    of = context(sweep=asked)
    of["ti"] = SimpleNamespace(xcom_pull=lambda task_ids: ["sap.sales_order"])
    reconcile.check_freshness(of)
    assert given == [expected]
