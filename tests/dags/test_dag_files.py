"""The DAG files as Airflow reads them: quickly, alone, and with an explanation for everything that a user clicks."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pendulum
import pytest
from airflow.sdk import DAG
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables import interval, trigger
from airflow.timetables.assets import AssetOrTimeSchedule
from airflow.timetables.base import DataInterval, TimeRestriction
from croniter import croniter

from onefold.catalog.reader import read_catalog
from onefold.catalog.target_reader import read_targets
from onefold.orchestration.deadlines import SinceLastData
from onefold.orchestration.pools import POOLS, RECONCILE
from onefold.settings import ROOT
from tests.dags.parsing import parsed

CATALOG = read_catalog()
SYNCS = {f"sync__{name}": system for name, system in CATALOG.systems.items()}
WRITE_BACKS = [f"write_back__{name}" for name in read_targets(CATALOG)]
HEAVY = ("great_expectations", "dbt", "zeep", "pandas")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    """What reading dags/ gives."""
    return parsed(tmp_path_factory.mktemp("airflow"))


def test_the_dag_files_are_read_quickly_without_database_or_network(found: Mapping[str, object]) -> None:
    assert found["errors"] == {}
    assert found["seconds"] < 5  # 0.7 s on an idle machine; Airflow gives up after 30


def test_reading_the_dag_files_imports_nothing_that_only_tasks_need(found: Mapping[str, object]) -> None:
    assert [name for name in HEAVY if name in found["modules"]] == []


def test_there_is_one_sync_dag_for_each_system_of_the_catalogue_and_one_for_each_operation(
    found: Mapping[str, object],
) -> None:
    assert sorted(found["dags"]) == sorted(
        [*SYNCS, *WRITE_BACKS, "conform", "erase", "migrate", "reconcile", "replay", "retention", "rollback"]
    )


def test_no_attempt_at_a_task_is_without_an_end(found: Mapping[str, object]) -> None:
    for dag_id, dag in found["dags"].items():
        longest = SYNCS[dag_id].limits.load.total_seconds() if dag_id in SYNCS else 24 * 3600
        assert {task["seconds"] for task in dag["tasks"].values()} == {longest}, dag_id
    approvals = {name: dag["tasks"]["approve"] for name, dag in found["dags"].items() if "approve" in dag["tasks"]}
    waits = {name.partition("__")[0]: task["answer_seconds"] for name, task in approvals.items()}
    # Of a write-back the plan has the end; the task looks after each five minutes whether it still waits.
    assert waits == {**dict.fromkeys(("erase", "migrate", "rollback"), 14 * 24 * 3600), "write_back": 5 * 60}


@pytest.mark.parametrize("dag_id", SYNCS)
def test_each_stream_is_one_task_that_updates_its_asset(found: Mapping[str, object], dag_id: str) -> None:
    tasks, system = found["dags"][dag_id]["tasks"], SYNCS[dag_id]
    assert {name: task["before"] for name, task in tasks.items()} == {stream: [] for stream in system.streams}
    for stream, task in tasks.items():
        assert task["outlets"] == [f"staging.{system.system}__{stream}"]
        assert task["retries"] > 0
        assert all(f"**{step}**" in task["doc"] for step in ("land", "gate", "publish"))


@pytest.mark.parametrize("dag_id", SYNCS)
def test_a_sync_has_one_run_at_a_time_and_a_window_as_its_parameters(found: Mapping[str, object], dag_id: str) -> None:
    dag = found["dags"][dag_id]
    assert dag["max_active_runs"] == 1
    assert dag["params"] == ["accept_deletes", "anew", "end", "start"]


def test_a_sync_has_intervals_to_backfill_also_where_it_starts_on_change() -> None:
    made = runpy.run_path(str(ROOT / "dags" / "sync.py"))
    begin, end = pendulum.datetime(2026, 1, 1), pendulum.datetime(2026, 3, 1)
    for dag_id, system in SYNCS.items():
        as_the_scheduler_reads_it = decode_timetable(encode_timetable(made[dag_id].timetable))
        by_asset = isinstance(as_the_scheduler_reads_it, AssetOrTimeSchedule)
        assert (as_the_scheduler_reads_it.periodic, by_asset) == (True, system.start == "on_change"), dag_id
        first = as_the_scheduler_reads_it.next_dagrun_info_v2(  # as Airflow lists the runs of a backfill
            last_dagrun_info=None, restriction=TimeRestriction(begin, end, catchup=True)
        )
        starts = croniter(system.schedule, begin - timedelta(seconds=1))
        assert (first.data_interval.start, first.data_interval.end) == (
            starts.get_next(datetime),
            starts.get_next(datetime),
        ), dag_id


def test_each_freshness_sla_of_a_system_is_a_deadline() -> None:
    made = runpy.run_path(str(ROOT / "dags" / "sync.py"))
    for dag_id, system in SYNCS.items():
        promised = {stream.freshness for stream in system.streams.values()}
        deadlines = made[dag_id].deadline
        assert {deadline.interval for deadline in deadlines} == promised
        assert all(each.reference == SinceLastData(each.interval.total_seconds()) for each in deadlines)
        told = [name for deadline in deadlines for name in deadline.callback.kwargs["streams"]]
        assert sorted(told) == sorted(f"{system.system}.{stream}" for stream in system.streams)


def test_comparisons_run_one_after_the_other_in_a_pool_of_their_own(found: Mapping[str, object]) -> None:
    tasks = found["dags"]["reconcile"]["tasks"]
    assert {name: task["before"] for name, task in tasks.items()} == {
        "streams": [],
        "compare": ["streams"],
        "costs": ["compare"],
        "watch": ["compare"],
        "hypercare": ["compare"],
    }
    dag = runpy.run_path(str(ROOT / "dags" / "reconcile.py"))["dag"]
    assert {task.pool for task in dag.tasks} == {RECONCILE}
    assert POOLS[RECONCILE][0] == 1


@pytest.mark.parametrize("hour", [0, 5, 6, 12, 23])
def test_switching_comparisons_on_begins_no_run_of_a_time_that_is_past(
    hour: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dag = runpy.run_path(str(ROOT / "dags" / "reconcile.py"))["dag"]
    now = datetime(2026, 3, 1, hour, 30, tzinfo=UTC)
    monkeypatch.setattr(trigger, "utcnow", lambda: now)
    as_the_scheduler_reads_it = decode_timetable(encode_timetable(dag.timetable))
    first = as_the_scheduler_reads_it.next_dagrun_info_v2(
        last_dagrun_info=None, restriction=TimeRestriction(dag.start_date, None, catchup=dag.catchup)
    )
    assert first.run_after > now


def test_a_task_makes_its_own_dag_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "sync__sap")  # as Airflow does before a task reads the file
    made = runpy.run_path(str(ROOT / "dags" / "sync.py"))
    assert [name for name, value in made.items() if isinstance(value, DAG)] == ["sync__sap"]


def test_the_task_of_a_load_asks_the_api_server_for_no_more_than_it_needs() -> None:
    dag = runpy.run_path(str(ROOT / "dags" / "sync.py"))["sync__sap"]
    assert [task.task_id for task in dag.tasks if task.template_fields] == []
    assert [task.task_id for task in dag.tasks if task.do_xcom_push] == []


def test_any_staging_table_that_an_entity_is_made_of_starts_conform(found: Mapping[str, object]) -> None:
    conform = found["dags"]["conform"]
    sources = {source for entity in CATALOG.entities.values() for source in entity.streams}
    assert conform["schedule"] == "AssetOrTimeSchedule"
    assert conform["any_of"] == sorted(f"staging.{source.replace('.', '__')}" for source in sources)
    assert conform["tasks"]["conform"]["outlets"] == [f"conformed.{entity}" for entity in CATALOG.entities]
    assert conform["max_active_runs"] == 1


@pytest.mark.parametrize(("last_ran", "next_runs"), [("09:00", "12:00"), ("11:45", "12:00"), ("12:00", "12:15")])
def test_switching_conform_on_begins_a_run_although_airflow_dropped_the_events_meanwhile(
    last_ran: str, next_runs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched on at 12:07: at once when the clock began none in the last quarter, else at the next one."""
    dag = runpy.run_path(str(ROOT / "dags" / "conform.py"))["conform"]
    monkeypatch.setattr(interval, "utcnow", lambda: pendulum.datetime(2026, 3, 1, 12, 7))
    as_the_scheduler_reads_it = decode_timetable(encode_timetable(dag.timetable))
    ran = pendulum.parse(f"2026-03-01T{last_ran}:00Z")
    after = as_the_scheduler_reads_it.next_dagrun_info(
        last_automated_data_interval=DataInterval(ran.subtract(minutes=15), ran),
        restriction=TimeRestriction(dag.start_date, None, catchup=dag.catchup),
    )
    assert f"{after.run_after:%H:%M}" == next_runs


def test_every_dag_and_every_task_explains_itself(found: Mapping[str, object]) -> None:
    silent = [dag_id for dag_id, dag in found["dags"].items() if not dag["doc"]]
    silent += [
        f"{dag_id}.{task_id}"
        for dag_id, dag in found["dags"].items()
        for task_id, task in dag["tasks"].items()
        if not task["doc"]
    ]
    assert silent == []


def test_each_target_of_the_catalogue_has_a_dag_that_every_publish_and_every_hour_starts(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for folder in ("catalog", "plugins", "dbt_project/macros"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "dags").mkdir()
    shutil.copy(ROOT / "dags" / "deliver.py", project / "dags")
    (project / "catalog" / "warehouses").mkdir(exist_ok=True)
    said = "warehouse: analysts\ntitle: Analysts\nkind: duckdb\npath: analysts.duckdb\n"
    (project / "catalog" / "warehouses" / "analysts.yaml").write_text(said)
    found = parsed(tmp_path / "airflow", project)
    assert found["errors"] == {} and "duckdb" not in found["modules"]
    dag = found["dags"]["deliver__analysts"]
    assert dag["any_of"] == sorted(f"conformed.{name}" for name in CATALOG.entities)
    assert (dag["also_at"], dag["max_active_runs"], dag["params"]) == (
        "10 * * * *",
        1,
        ["conformance", "full", "verify"],
    )
    assert dag["tasks"]["deliver"]["outlets"] == ["delivered.analysts"]


def test_a_mistake_in_the_catalogue_is_an_import_error_with_file_line_and_remedy(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for folder in ("catalog", "dags", "plugins", "dbt_project/macros"):
        shutil.copytree(ROOT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    wrong = project / "catalog" / "systems" / "sap.yaml"
    lines = wrong.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("protocol:"))
    lines[at] = "protocol: odat"
    wrong.write_text("\n".join(lines))
    errors = parsed(tmp_path / "airflow", project)["errors"]
    readers = {"sync.py", "conform.py", "deliver.py", "migrate.py", "reconcile.py", "replay.py", "write_back.py"}
    assert {Path(name).name for name in errors} == readers
    for text in errors.values():
        assert f"catalog/systems/sap.yaml:{at + 1}" in text
        assert "odat" in text and "odata" in text
