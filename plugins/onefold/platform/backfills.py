"""Airflow's backfills, through its REST API v2."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from onefold.platform.api import AirflowApi, Json, listed


@dataclass(frozen=True)
class Backfill:
    """One backfill; `first` and `last` are the starts of its first and its last interval."""

    backfill_id: int
    dag_id: str
    first: datetime
    last: datetime
    completed: bool


@dataclass(frozen=True)
class Progress:
    """How many of a backfill's runs have ended well and badly."""

    succeeded: int
    failed: int


@dataclass(frozen=True)
class FailedRun:
    """A run that failed, and its window."""

    run_id: str
    start: datetime
    end: datetime


class BackfillApi(AirflowApi):
    """A signed-in session that can also make and watch backfills. Raises as its base does."""

    def intervals(self, dag_id: str, first: datetime, last: datetime) -> list[datetime]:
        """The starts of the intervals that a backfill would run: those that are over, and that no run is at work on."""
        answer = self._call("POST", "/backfills/dry_run", self._asked(dag_id, first, last))
        return [datetime.fromisoformat(each["logical_date"]) for each in listed(answer, "backfills")]

    def create_backfill(self, dag_id: str, first: datetime, last: datetime) -> Backfill:
        """Begin a backfill of these intervals, whether they were run before or not, one run at a time."""
        return _backfill(self._call("POST", "/backfills", self._asked(dag_id, first, last)))

    def backfill(self, backfill_id: int) -> Backfill:
        """The backfill as it is now."""
        return _backfill(self._call("GET", f"/backfills/{backfill_id}"))

    def active_backfill(self, dag_id: str) -> Backfill | None:
        """The backfill of a DAG that has not ended; Airflow allows one."""
        answer = self._call("GET", f"/backfills?{urlencode({'dag_id': dag_id, 'order_by': '-id', 'limit': 10})}")
        found = (_backfill(each) for each in listed(answer, "backfills"))
        return next((backfill for backfill in found if not backfill.completed), None)

    def progress(self, backfill: Backfill) -> Progress:
        """How far the backfill is."""
        counts = (self._runs(backfill, state, 1)["total_entries"] for state in ("success", "failed"))
        return Progress(*(int(str(count)) for count in counts))

    def is_at_rest(self, backfill: Backfill) -> bool:
        """Whether none of its runs waits or is at work: what is left is that Airflow closes it, every 30 s."""
        return not any(self._runs(backfill, state, 1)["total_entries"] for state in ("queued", "running"))

    def failed_runs(self, backfill: Backfill, limit: int = 100) -> list[FailedRun]:
        """Its runs that failed, the first ones first."""
        return [
            FailedRun(
                run["dag_run_id"],
                datetime.fromisoformat(run["data_interval_start"]),
                datetime.fromisoformat(run["data_interval_end"]),
            )
            for run in listed(self._runs(backfill, "failed", limit), "dag_runs")
        ]

    def _runs(self, backfill: Backfill, state: str, limit: int) -> Json:
        query = {
            "run_type": "backfill",
            "state": state,
            "logical_date_gte": backfill.first.isoformat(),
            "logical_date_lte": backfill.last.isoformat(),
            "order_by": "logical_date",
            "limit": limit,
        }
        return self._call("GET", f"/dags/{backfill.dag_id}/dagRuns?{urlencode(query)}")

    @staticmethod
    def _asked(dag_id: str, first: datetime, last: datetime) -> Json:
        return {
            "dag_id": dag_id,
            "from_date": first.isoformat(),
            "to_date": last.isoformat(),
            "reprocess_behavior": "completed",  # also what has succeeded: to repeat a backfill is to load again
            "max_active_runs": 1,  # a stream is loaded by one run at a time, so that more would only wait
        }


def _backfill(answer: Json) -> Backfill:
    return Backfill(
        int(str(answer["id"])),
        str(answer["dag_id"]),
        datetime.fromisoformat(str(answer["from_date"])),
        datetime.fromisoformat(str(answer["to_date"])),
        answer["completed_at"] is not None,
    )
