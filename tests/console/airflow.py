"""Airflow as the console's actions ask it, made up: what was asked of it, and how its runs stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from onefold.console import actions
from onefold.platform.api import DagRun, Refused, TaskInstance

RUN = "manual__2026-03-01T08:00:00+00:00"


@dataclass
class Airflow:
    """`asked`: who has asked for what. Its runs are in `state`; it refuses everything with `refuses`, a status and an
    answer."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    state: str = "queued"
    log_text: str = ""
    refuses: tuple[int, str] | None = None

    def __call__(self, url: str, user: str, *, token: str) -> Airflow:
        self.asked.append((user, token))
        return self

    def start_dag(self, dag_id: str, conf: Mapping[str, object]) -> DagRun:
        self._refuse(f"POST /dags/{dag_id}/dagRuns")
        self.asked.append((dag_id, conf))
        return DagRun(dag_id, RUN, "queued")

    def dag_run(self, dag_id: str, run_id: str) -> DagRun:
        self._refuse(f"GET /dags/{dag_id}/dagRuns/{run_id}")
        if not run_id.startswith("manual__"):
            raise Refused(f"GET {run_id}", 404, '{"detail": "not found"}')
        return DagRun(dag_id, run_id, self.state)

    def task_instances(self, run: DagRun) -> list[TaskInstance]:
        return [TaskInstance("plan", -1, self.state, 1, 1.0)]

    def log(self, run: DagRun, task: TaskInstance) -> str:
        return self.log_text

    def _refuse(self, what: str) -> None:
        if self.refuses:
            raise Refused(what, *self.refuses)


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Airflow:
    """Airflow, whose runs are queued for ever."""
    made = Airflow()
    monkeypatch.setattr(actions, "AirflowApi", made)
    return made
