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

LOG = [
    {"event": "::group::land"},
    {"event": "account load 7: page 1, 3 records"},
    {"event": "::endgroup::"},
    {
        "event": "Task failed with exception",
        "error_detail": [
            {"exc_type": "AirflowFailException", "exc_value": "Step gate failed.", "is_cause": False, "frames": [{}]}
        ],
    },
    {"event": "::group::Post Execute"},
    {"event": "::endgroup::"},
]
"""A task's log, as Airflow gives it."""


class StandIn(BaseHTTPRequestHandler):
    """Airflow's answers, as version 3.3.2 gives them. A token is good for three requests."""

    tokens = 0
    left = 0
    polls = 0
    pools: ClassVar[list[dict[str, object]]] = []

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
        assert body == {"logical_date": None, "conf": {"window": 1}}
        return self._answer(200, {"dag_id": "sync", "dag_run_id": "r/1", "state": "queued"})

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
        if "/logs/" in self.path:
            return self._answer(200, {"content": LOG})
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


def test_the_log_of_a_task_has_its_lines_and_errors_without_frames_and_no_markers_of_groups(url: str) -> None:
    task = TaskInstance("account", -1, "failed", 1, 1.5)
    shown = AirflowApi(url, "engineer", "right").log(DagRun("sync", "r/1", "failed"), task)
    assert shown.splitlines() == [
        "account load 7: page 1, 3 records",
        "Task failed with exception",
        "AirflowFailException: Step gate failed.",
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
