"""Retention as the real scheduler runs it: the warehouse, Airflow's own database and the logs of its tasks."""

from __future__ import annotations

import os
import time

import psycopg
import pytest
from psycopg import sql

from onefold.platform.airflow import AIRFLOW_DATABASE
from onefold.platform.postgres import Postgres
from tests.scheduler.installation import PATIENCE, Installation

pytestmark = pytest.mark.scheduler
OLD = "200 days"


def a_run_of_long_ago(airflow: psycopg.Connection) -> None:
    """A copy of the oldest run of conform, of before what catalog/privacy.yaml keeps of Airflow's runs."""
    columns = [
        name
        for (name,) in airflow.execute(
            "select column_name from information_schema.columns where table_name = 'dag_run'"
            " and table_schema = 'public' and column_name not in ('id', 'run_id', 'logical_date')"
        )
    ]
    moved = ("start_date", "end_date", "run_after", "queued_at")
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    values = sql.SQL(", ").join(
        sql.SQL("{} - {}::interval").format(sql.Identifier(name), sql.Literal(OLD))
        if name in moved
        else sql.Identifier(name)
        for name in columns
    )
    airflow.execute(
        sql.SQL(
            "insert into dag_run (run_id, {}) select 'long-ago', {} from dag_run where dag_id = 'conform'"
            " order by id limit 1"
        ).format(names, values)
    )


def test_what_is_due_goes_from_the_warehouse_airflows_database_and_the_logs(here: Installation) -> None:
    tasks = here.home / "logs" / "tasks"
    old, new = tasks / "dag_id=conform" / "run_id=long-ago" / "attempt=1.log", tasks / "new.log"
    for path in (old, new):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a line\n")
        path.chmod(0o600)
    os.utime(old, (time.time() - 200 * 86_400,) * 2)
    here.rows(
        "insert into lineage.event (event_time, event_type, job_namespace, job_name, run_id, event)"
        " values (now() - %s::interval, 'START', 'onefold', 'of long ago', gen_random_uuid(), '{}') returning 1 as one",
        OLD,
    )
    with psycopg.connect(Postgres(here.home, here.pg_port).url(AIRFLOW_DATABASE), autocommit=True) as airflow:
        runs = "select run_id from dag_run where dag_id = 'conform' order by 1"
        before = airflow.execute(runs).fetchall()
        a_run_of_long_ago(airflow)
        api = here.api()
        api.unpause("retention")
        try:
            run = api.wait(api.trigger_dag("retention"), PATIENCE)
        finally:
            api.pause("retention")
        assert run.state == "success", [api.log(run, task) for task in api.task_instances(run)]
        assert {(task.task_id, task.state) for task in api.task_instances(run)} == {
            ("warehouse", "success"),
            ("installation", "success"),
        }
        assert set(airflow.execute(runs).fetchall()) - {("long-ago",)} >= set(before)  # one may begin meanwhile
        assert airflow.execute("select from dag_run where run_id = 'long-ago'").fetchall() == []
        archived = "select table_name from information_schema.tables where table_name like '\\_airflow\\_deleted%'"
        assert airflow.execute(archived).fetchall() == [], "what was deleted is kept nowhere"
    assert (old.exists(), old.parent.exists(), new.exists()) == (False, False, True)
    assert here.rows("select from lineage.event where job_name = 'of long ago'") == []
    (purged,) = here.rows("select rows from ops.retention_purge where subject = 'lineage.event'")
    assert purged == {"rows": 1}
    (ended,) = here.rows("select actor, result from audit.event where action = 'retention.end'")
    assert (str(ended["actor"]).startswith("airflow:"), ended["result"]) == (True, "ok")
