"""The client of Airflow's API signs in, signs in again when its token expires, and classes what goes wrong."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from onefold.errors import Fatal, Retriable
from onefold.platform import api
from onefold.platform.api import AirflowApi, DagRun, TaskInstance, listed
from onefold.platform.postgres import free_port

SAID = "Step gate failed." + " It is long." * 200
LOG = [
    {"event": "::group::land"},
    {"event": "account load 7: page 1, 3 records"},
    {"event": "::endgroup::"},
    {
        "event": "Task failed with exception",
        "error_detail": [
            {"exc_type": "AirflowFailException", "exc_value": SAID, "is_cause": False, "frames": [{}]},
            {"exc_type": "ValueError", "exc_value": "44051401458", "is_cause": True, "frames": [{}]},
        ],
    },
    {"event": "::group::Post Execute"},
    {"event": "::endgroup::"},
]
"""A task's log, as Airflow gives it."""


DUE = {
    "is_paused": True,
    "next_dagrun_run_after": "2026-03-02T00:00:00Z",
    "next_dagrun_logical_date": "2026-03-01T00:00:00Z",
    "next_dagrun_data_interval_start": "2026-03-01T00:00:00Z",
    "next_dagrun_data_interval_end": "2026-03-02T00:00:00Z",
}
DAGS = {
    "/api/v2/dags/due": DUE,
    "/api/v2/dags/has_run": DUE,
    "/api/v2/dags/not_due": {**DUE, "next_dagrun_run_after": "9999-03-02T00:00:00Z"},
    "/api/v2/dags/unscheduled": {"is_paused": True, "next_dagrun_run_after": None},
    "/api/v2/dags/on": {**DUE, "is_paused": False},
}
"""What Airflow says of some DAGs."""


class StandIn(BaseHTTPRequestHandler):
    """Airflow's answers, as version 3.3.2 gives them. A token is good for three requests."""

    tokens = 0
    left = 0
    polls = 0
    pools: ClassVar[list[dict[str, object]]] = []
    asked: ClassVar[list[tuple[str, object]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/auth/token":
            if body["password"] != "right":
                return self._answer(401, {"detail": "Invalid credentials"})
            StandIn.tokens, StandIn.left = StandIn.tokens + 1, 3
            return self._answer(201, {"access_token": f"token-{StandIn.tokens}"})
        if self.path == "/api/v2/pools":
            StandIn.pools.append(body)
            return self._answer(201, body)
        StandIn.asked.append(("start", body))
        if self.path == "/api/v2/dags/has_run/dagRuns" and body["logical_date"]:
            return self._answer(409, {"detail": "a run of this logical date exists"})
        return self._answer(200, {"dag_id": "sync", "dag_run_id": "r/1", "state": "queued"})

    def do_PATCH(self) -> None:
        StandIn.asked.append(("patch", json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        return self._answer(200, {})

    def do_GET(self) -> None:
        StandIn.left -= 1
        if StandIn.left < 0 or self.headers["Authorization"] != f"Bearer token-{StandIn.tokens}":
            return self._answer(401, {"detail": "expired"})
        if self.path == "/ui/auth/me":
            return self._answer(200, {"id": "engineer", "username": "engineer"})
        if self.path.startswith("/api/v2/pools/"):
            there = self.path.endswith("/sized_by_hand")
            return self._answer(200 if there else 404, {"slots": 7} if there else {"detail": "not found"})
        if self.path.startswith("/api/v2/dags/broken"):
            return self._answer(500, {"detail": "no"})
        if self.path in DAGS:
            return self._answer(200, {"dag_id": self.path.rpartition("/")[2], **DAGS[self.path]})
        if "/logs/" in self.path:
            return self._answer(200, {"content": LOG[:3] if "/killed/" in self.path else LOG})
        if "taskInstances" in self.path:
            state = "success" if StandIn.polls > 2 else "running"
            task = {"task_id": "load", "map_index": -1, "state": state, "try_number": 1, "duration": 1.5}
            return self._answer(200, {"task_instances": [task], "total_entries": 1})
        StandIn.polls += 1
        state = "success" if StandIn.polls > 3 else "running"
        return self._answer(200, {"dag_id": "sync", "dag_run_id": "r/1", "state": state})

    def _answer(self, status: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, template: str, *args: object) -> None:
        """Keep the test's output free of requests."""


@pytest.fixture
def url() -> Iterator[str]:
    StandIn.tokens = StandIn.left = StandIn.polls = 0
    StandIn.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_run_is_watched_to_its_end_across_expired_tokens(url: str) -> None:
    api = AirflowApi(url, "engineer", "right")
    seen: list[list[TaskInstance]] = []
    run = api.wait(api.trigger_dag("sync", {"window": 1}), 20, lambda _, tasks: seen.append(tasks))
    assert run == DagRun("sync", "r/1", "success")
    assert [tasks[0].state for tasks in seen] == ["running", "success"]
    assert StandIn.tokens > 1
    assert StandIn.asked == [("start", WITHOUT_DATE)]


WITHOUT_DATE = {"logical_date": None, "conf": {"window": 1}}
OF_INTERVAL = {
    "logical_date": "2026-03-01T00:00:00Z",
    "data_interval_start": "2026-03-01T00:00:00Z",
    "data_interval_end": "2026-03-02T00:00:00Z",
    "conf": {"window": 1},
}
ON = ("patch", {"is_paused": False})


@pytest.mark.parametrize(
    ("dag_id", "asked"),
    [
        ("due", [("start", OF_INTERVAL), ON]),  # before it is unpaused: the scheduler finds that the interval has a run
        ("has_run", [("start", OF_INTERVAL), ("start", WITHOUT_DATE), ON]),
        ("not_due", [("start", WITHOUT_DATE), ON]),
        ("unscheduled", [("start", WITHOUT_DATE), ON]),
        ("on", [("start", WITHOUT_DATE)]),
    ],
)
def test_a_paused_dag_is_started_once_the_run_stands_for_the_one_that_unpausing_would_start(
    url: str, dag_id: str, asked: list[tuple[str, object]]
) -> None:
    run = AirflowApi(url, "engineer", "right").start_dag(dag_id, {"window": 1})
    assert run == DagRun("sync", "r/1", "queued")
    assert StandIn.asked == asked


def test_a_failed_task_is_told_of_by_its_message_alone_and_one_that_was_killed_by_its_log(url: str) -> None:
    api, run = AirflowApi(url, "engineer", "right"), DagRun("sync", "r/1", "failed")
    assert api.failure(run, TaskInstance("account", -1, "failed", 1, 1.5)) == SAID
    assert api.failure(run, TaskInstance("killed", -1, "failed", 1, 1.5)) == "account load 7: page 1, 3 records"


def test_the_log_of_a_task_has_its_lines_and_errors_without_frames_and_no_markers_of_groups(url: str) -> None:
    task = TaskInstance("account", -1, "failed", 1, 1.5)
    shown = AirflowApi(url, "engineer", "right").log(DagRun("sync", "r/1", "failed"), task)
    assert shown.splitlines() == [
        "account load 7: page 1, 3 records",
        "Task failed with exception",
        f"AirflowFailException: {SAID}",
    ]


def test_a_pool_is_made_where_it_is_missing_and_keeps_the_slots_that_somebody_gave_it(url: str) -> None:
    StandIn.pools.clear()
    api = AirflowApi(url, "engineer", "right")
    api.ensure_pool("sized_by_hand", 1, "x")
    api.ensure_pool("new", 2, "y")
    assert StandIn.pools == [{"name": "new", "slots": 2, "description": "y"}]


def test_airflow_says_who_has_signed_in(url: str) -> None:
    assert AirflowApi(url, "whoever", "right").user_name() == "engineer"


def test_a_wrong_password_is_fatal(url: str) -> None:
    with pytest.raises(Fatal, match="refused to sign engineer in"):
        AirflowApi(url, "engineer", "wrong")


def test_a_failing_airflow_is_retriable(url: str) -> None:
    with pytest.raises(Retriable, match="500"):
        AirflowApi(url, "engineer", "right").dag_run("broken", "r")


def test_an_airflow_that_is_down_says_how_to_start_it() -> None:
    with pytest.raises(Retriable, match="bin/onefold up"):
        AirflowApi(f"http://127.0.0.1:{free_port()}", "engineer", "right")


def test_an_airflow_that_is_busy_is_not_taken_for_one_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "TIMEOUT", (5, 0.1))
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,  # it takes the connection, and says nothing
        pytest.raises(Retriable, match=r"runs, and has not answered within 0\.1 s"),
    ):
        AirflowApi(f"http://127.0.0.1:{silent.getsockname()[1]}", "engineer", "right")


@pytest.mark.parametrize("answer", [{}, {"dag_runs": None}])
def test_an_answer_without_its_list_is_another_version_of_airflow(answer: dict[str, object]) -> None:
    with pytest.raises(Fatal, match=r"is it the version of requirements\.txt"):
        listed(answer, "dag_runs")
