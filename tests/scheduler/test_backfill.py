"""The UI's own backfill and the command's, through the real scheduler and beside the schedule."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from onefold.platform.backfills import BackfillApi
from tests.scheduler.installation import Installation, ended, wait_for

pytestmark = pytest.mark.scheduler

DAYS = [datetime(2026, 9, day, 12, 30, tzinfo=UTC) for day in (7, 8, 9)]
"""The starts of three of NBP's intervals: working days, each with its tables."""


@pytest.fixture
def at_rest(here: Installation) -> Installation:
    """The installation, once no run of NBP is in progress."""
    here.comes_to_rest("sync__nbp")
    return here


def rates(at: Installation) -> list[dict[str, object]]:
    """Every version that staging has of NBP's tables, with the load that brought it, and how far they are published."""
    both = "select _key, _payload, _cursor, _deleted, _load_id from staging.nbp__{} order by _key, _load_id"
    cursors = "select stream, value from ops.cursor where system = 'nbp' order by 1"
    return [row for query in (both.format("rate"), both.format("buy_sell"), cursors) for row in at.rows(query)]


def tasks_of_backfills(at: Installation, dag_id: str) -> list[dict[str, object]]:
    """Every task of every run of a DAG's backfills, as Airflow tells it."""
    runs = at.airflow("GET", f"dags/{dag_id}/dagRuns?run_type=backfill&limit=100")["dag_runs"]
    listed = [at.airflow("GET", f"dags/{dag_id}/dagRuns/{run['dag_run_id']}/taskInstances") for run in runs]
    return [task for answer in listed for task in answer["task_instances"]]


def test_a_native_backfill_beside_a_sync_gives_each_run_its_window_and_costs_nobody_a_retry(
    at_rest: Installation,
) -> None:
    before = rates(at_rest)
    begun = at_rest.airflow(
        "POST",
        "backfills",
        dag_id="sync__nbp",
        from_date=DAYS[0].isoformat(),
        to_date=DAYS[-1].isoformat(),
        reprocess_behavior="completed",
        max_active_runs=3,  # at once, as somebody may choose in the form: the streams must be waited for
    )
    with at_rest.start("sync", "nbp", "--json") as fresh:
        done = ended(fresh)
    assert done.code == 0, done.errors
    wait_for(
        lambda: at_rest.airflow("GET", f"backfills/{begun['id']}")["completed_at"], "the end of the backfill", every=1
    )
    loads = at_rest.rows(
        "select stream, window_start, window_end, state, rows_read from ops.load"
        " where system = 'nbp' and run_id like 'backfill__%%' order by 1, 2"
    )
    assert [(row["stream"], row["window_start"], row["window_end"], row["state"]) for row in loads] == [
        (stream, day, day + timedelta(days=1), "published") for stream in ("buy_sell", "rate") for day in DAYS
    ]
    assert all(int(str(row["rows_read"])) > 0 for row in loads)
    assert rates(at_rest) == before
    tasks = tasks_of_backfills(at_rest, "sync__nbp")
    assert {(task["state"], task["try_number"], task["pool"]) for task in tasks} == {("success", 1, "backfill")}
    assert {task["priority_weight"] for task in tasks} == {0}
    (run,) = [run for run in at_rest.api().dag_runs("sync__nbp") if run.run_id == run_of(done.output, at_rest)]
    assert {task.try_number for task in at_rest.api().task_instances(run)} == {1}
    assert at_rest.rows("select * from ops.queue") == []


def run_of(output: str, at: Installation) -> str:
    """The run of the loads that `onefold sync --json` has told."""
    ids = [load["load_id"] for load in json.loads(output)]
    (found,) = at.rows("select distinct run_id from ops.load where load_id = any(%s)", ids)
    return str(found["run_id"])


def test_the_command_repeats_a_backfill_refuses_another_meanwhile_and_leaves_the_same_tables(
    at_rest: Installation,
) -> None:
    api = BackfillApi(f"http://127.0.0.1:{at_rest.ui_port}", *at_rest.signs_in("engineer"))
    wait_for(lambda: api.active_backfill("sync__nbp") is None, "the end of earlier backfills")
    before = rates(at_rest)
    with at_rest.start("backfill", "nbp", "--from", "2026-09-08", "--to", "2026-09-09", "--json") as first:
        wait_for(lambda: api.active_backfill("sync__nbp"), "the first backfill")
        second = at_rest.run("backfill", "nbp", "--from", "2026-09-21", "--to", "2026-09-23")
        done = ended(first)
    assert second.code == 1
    assert "of sync__nbp is in progress" in second.errors and "Nothing was started" in second.errors
    assert done.code == 0, done.errors
    told = json.loads(done.output)
    assert (told["runs"], told["succeeded"], told["failed"], told["left_out"]) == (2, 2, [], {})
    assert (told["from"], told["to"]) == ("2026-09-07T12:30:00Z", "2026-09-09T12:30:00Z")  # whole intervals
    assert rates(at_rest) == before
    runs = at_rest.rows("select run_id, count(*) as loads from ops.load where system = 'nbp' group by 1 order by 1")
    assert max(int(str(row["loads"])) for row in runs if str(row["run_id"]).startswith("backfill__")) >= 4
    tasks = tasks_of_backfills(at_rest, "sync__nbp")
    assert {task["pool"] for task in tasks} == {"backfill"}


def test_a_stream_that_cannot_be_asked_about_the_past_says_so_and_the_others_are_loaded(
    here: Installation,
) -> None:
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    window = ("--from", f"{end - timedelta(minutes=10):%FT%TZ}", "--to", f"{end:%FT%TZ}")
    done = here.run("backfill", "keycloak", *window, "--json")
    assert done.code == 0, done.errors
    told = json.loads(done.output)
    assert sorted(told["left_out"]) == ["group", "user"]
    assert "keycloak.user lists what it has at the moment and cannot be asked" in done.errors
    states = {str(task["task_id"]): task["state"] for task in tasks_of_backfills(here, "sync__keycloak")}
    assert states == {"admin_event": "success", "group": "skipped", "user": "skipped"}
    audited = here.rows(
        "select subject, payload ->> 'reason' as reason from audit.event where action = 'load.leave_out'"
    )
    assert sorted((str(row["subject"]), str(row["reason"])) for row in audited) == [
        ("stream:keycloak.group", "whole_list"),
        ("stream:keycloak.user", "whole_list"),
    ]
