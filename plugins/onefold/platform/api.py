"""A small client of Airflow's REST API v2, for the commands that trigger and watch DAG runs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from onefold.errors import Fatal, Retriable
from onefold.settings import ui_authority

SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 0.8
"""Seconds between two questions about a run."""
TIMEOUT = (5, 30)
CONFLICT = 409
FINISHED = frozenset({"success", "failed"})
INTERVAL = ("logical_date", "data_interval_start", "data_interval_end")
GROUP_MARKERS = ("::group::", "::endgroup::")

Json = Mapping[str, object]


@dataclass(frozen=True)
class TaskInstance:
    """One try of a task in a run. `state` is None until it is scheduled; `seconds` None until it has ended."""

    task_id: str
    map_index: int
    state: str | None
    try_number: int
    seconds: float | None


@dataclass(frozen=True)
class DagRun:
    """A run as the scheduler sees it."""

    dag_id: str
    run_id: str
    state: str


class Refused(Fatal):
    """Airflow does not do what it is asked: `status` is its answer's, `detail` what it says itself."""

    def __init__(self, what: str, status: int, answer: str) -> None:
        super().__init__(f"Airflow refused {what}: {status} {answer}")
        self.status = status
        self.detail = _detail(answer)


class AirflowApi:
    """A signed-in session. Calls raise Retriable when Airflow is down or failing, Refused when it refuses.

    It has the user's password, an ID token of the identity provider, or the token of a sign-in before, which ends some
    time; `renew` then gives the next one.
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str | None = None,
        *,
        id_token: str | None = None,
        token: str | None = None,
        renew: Callable[[], str] | None = None,
    ) -> None:
        self._url = url
        self._user = user
        self._credentials: dict[str, str | None] = (
            {"id_token": id_token} if id_token else {"username": user, "password": password}
        )
        self._renew = renew
        self._session = _session()
        self.token = token or self._sign_in()
        """What proves who this is, to whoever has it: a secret."""

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run the DAG."""
        self._call("PATCH", f"/dags/{dag_id}", {"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Keep the scheduler from starting runs of the DAG; one that is running continues."""
        self._call("PATCH", f"/dags/{dag_id}", {"is_paused": True})

    def is_paused(self, dag_id: str) -> bool:
        """Whether the scheduler begins no run of the DAG."""
        return bool(self._call("GET", f"/dags/{dag_id}")["is_paused"])

    def user_name(self) -> str:
        """Who has signed in, as Airflow says whose token it is."""
        return str(self._call("GET", "/auth/me", base="/ui")["username"])

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Make the pool where it is missing; one that is there keeps the slots that it has."""
        if self._send("GET", f"/pools/{name}", None).status_code == 404:
            self._call("POST", "/pools", {"name": name, "slots": slots, "description": description})

    def wait_for_dag(self, dag_id: str, seconds: float = 60) -> None:
        """Return once the DAG processor has read the DAG. Raises Retriable after `seconds`, with import errors."""
        deadline = time.monotonic() + seconds
        while self._send("GET", f"/dags/{dag_id}", None).status_code == 404:
            if time.monotonic() > deadline:
                raise Retriable(f"DAG {dag_id} is not known after {seconds:.0f} s. {self._import_errors()}")
            time.sleep(0.3)

    def read_again(self, dag_id: str, seconds: float = 60) -> None:
        """Let the DAG processor read the DAG's file now, and return once it has.

        Triggers that watch for a DAG which was paused begin only then. Raises Retriable when it is not after `seconds`.
        """
        dag = self._call("GET", f"/dags/{dag_id}")
        response = self._send("PUT", f"/parseDagFile/{dag['file_token']}", None)
        if not response.ok and response.status_code != CONFLICT:  # it is asked for already
            raise Refused(f"to read the file of {dag_id} again", response.status_code, response.text[:500])
        deadline = time.monotonic() + seconds
        while self._call("GET", f"/dags/{dag_id}")["last_parsed_time"] == dag["last_parsed_time"]:
            if time.monotonic() > deadline:
                raise Retriable(f"The file of DAG {dag_id} was not read again within {seconds:.0f} s.")
            time.sleep(0.3)

    def start_dag(self, dag_id: str, conf: Json | None = None) -> DagRun:
        """Start a run now, let the scheduler run the DAG, and return the run.

        Once a DAG is paused no longer, the scheduler starts a run of the last interval that has none. The run that is
        started here stands for that interval, so that there is one and not two.
        """
        dag = self._call("GET", f"/dags/{dag_id}")
        if not dag["is_paused"]:
            return self.trigger_dag(dag_id, conf)
        run = self._in_place_of_the_next(dag, conf) or self.trigger_dag(dag_id, conf)
        self.unpause(dag_id)
        return run

    def _in_place_of_the_next(self, dag: Json, conf: Json | None) -> DagRun | None:
        """A run of the interval that is due; None where none is, or it has a run already."""
        due = dag["next_dagrun_run_after"]
        if due is None or datetime.fromisoformat(str(due)) > datetime.now(UTC):
            return None
        interval = {name: dag[f"next_dagrun_{name}"] for name in INTERVAL}
        response = self._send("POST", f"/dags/{dag['dag_id']}/dagRuns", {**interval, "conf": dict(conf or {})})
        return _run(response.json()) if response.ok else None

    def trigger_dag(self, dag_id: str, conf: Json | None = None) -> DagRun:
        """Start a run now (without a logical date) and return it; of a paused DAG it waits."""
        return _run(self._call("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": dict(conf or {})}))

    def dag_run(self, dag_id: str, run_id: str) -> DagRun:
        """The run as it is now."""
        return _run(self._call("GET", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe=':+')}"))

    def dag_runs(self, dag_id: str, limit: int = 20) -> list[DagRun]:
        """The newest runs of a DAG, newest first; also those that an asset or the schedule has started."""
        answer = self._call("GET", f"/dags/{dag_id}/dagRuns?limit={limit}&order_by=-run_after")
        return [_run(run) for run in listed(answer, "dag_runs")]

    def wait(
        self,
        run: DagRun,
        seconds: float,
        progress: Callable[[DagRun, list[TaskInstance]], None] | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> DagRun:
        """Wait for the run to end and return it; `progress` is called whenever a task's state has changed.

        A long run is asked about more seldom, and a short one often: Airflow spends 20 ms of a core on each
        answer, which the tasks that are waited for would have.

        Raises Retriable when it has not ended within `seconds`, and what `check` raises, which is called now and then.
        """
        deadline = time.monotonic() + seconds
        seen: list[TaskInstance] = []
        pause = SHORTEST_PAUSE
        while True:
            run = self.dag_run(run.dag_id, run.run_id)
            if progress and (tasks := self.task_instances(run)) != seen:
                progress(run, tasks)
                seen = tasks
            if run.state in FINISHED:
                return run
            check()
            if time.monotonic() > deadline:
                raise Retriable(f"Run {run.run_id} of {run.dag_id} is {run.state} after {seconds:.0f} s.")
            time.sleep(pause)
            pause = min(1.2 * pause, LONGEST_PAUSE)

    def task_instances(self, run: DagRun) -> list[TaskInstance]:
        """Every task of the run, mapped ones each by itself."""
        found: list[TaskInstance] = []
        while True:
            path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances?limit=100&offset={len(found)}"
            answer = self._call("GET", path)
            page = [
                TaskInstance(task["task_id"], task["map_index"], task["state"], task["try_number"], task["duration"])
                for task in listed(answer, "task_instances")
            ]
            found += page
            if not page or len(found) >= int(str(answer["total_entries"])):
                return found

    def log(self, run: DagRun, task: TaskInstance) -> str:
        """The log of the task's last try, one line an event."""
        return "\n".join(text for line in self._log(run, task) for text in _log_lines(line))

    def failure(self, run: DagRun, task: TaskInstance) -> str:
        """Why the task's last try has failed: the message of its error; the log's end where it was killed."""
        raised = [error for line in self._log(run, task) for error in _raised(line)]
        return str(raised[-1]["exc_value"] or raised[-1]["exc_type"]) if raised else self.log(run, task)[-1500:]

    def _log(self, run: DagRun, task: TaskInstance) -> list[dict[str, Any]]:
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task.task_id}/logs/{max(task.try_number, 1)}"
        return listed(self._call("GET", f"{path}?map_index={task.map_index}&full_content=true"), "content")

    def _import_errors(self) -> str:
        errors = listed(self._call("GET", "/importErrors"), "import_errors")
        return " ".join(f"{error['filename']}: {error['stack_trace']}" for error in errors) or "No import errors."

    def _call(self, method: str, path: str, body: Json | None = None, base: str = "/api/v2") -> dict[str, object]:
        response = self._send(method, path, body, base)
        if response.status_code >= 500:
            raise Retriable(f"Airflow failed at {method} {path}: {response.status_code} {response.text[:500]}")
        if not response.ok:
            raise Refused(f"{method} {path}", response.status_code, response.text[:500])
        answer: dict[str, object] = response.json()
        return answer

    def _send(self, method: str, path: str, body: Json | None, base: str = "/api/v2") -> requests.Response:
        try:
            response = self._request(method, f"{base}{path}", body)
            if response.status_code == 401:  # the token has expired
                self.token = self._sign_in()
                response = self._request(method, f"{base}{path}", body)
        except requests.RequestException as error:
            raise self._unanswered(error) from error
        return response

    def _request(self, method: str, path: str, body: Json | None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self._session.request(method, f"{self._url}{path}", json=body, headers=headers, timeout=TIMEOUT)

    def _unanswered(self, error: requests.RequestException) -> Fatal | Retriable:
        if isinstance(error, requests.exceptions.SSLError):
            return Fatal(
                f"Airflow at {self._url} did not show a certificate for this address that is trusted here. "
                "Set ONEFOLD_UI_CA as for `bin/onefold up`."
            )
        if isinstance(error, requests.exceptions.ReadTimeout):
            return Retriable(
                f"Airflow at {self._url} runs, and has not answered within {TIMEOUT[1]} s. Wait until the machine is "
                "less busy, then try again; `bin/onefold status` says what runs."
            )
        return Retriable(f"Airflow at {self._url} does not answer. Start it with `bin/onefold up`.")

    def _sign_in(self) -> str:
        if self._renew is not None:
            return self._renew()
        if None in self._credentials.values():
            raise Fatal(f"The sign-in of {self._user} has ended. Sign in with: bin/onefold login {self._user}")
        try:
            response = self._session.post(f"{self._url}/auth/token", json=self._credentials, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise self._unanswered(error) from error
        if not response.ok:
            raise Fatal(f"Airflow at {self._url} refused to sign {self._user or 'you'} in: {response.text[:300]}")
        return str(response.json()["access_token"])


def answers(url: str) -> bool:
    """Whether an HTTP server answers there without an error status."""
    try:
        return _session().get(url, timeout=2).ok
    except requests.RequestException:
        return False


def health(url: str) -> dict[str, datetime | None]:
    """The last heartbeat of each Airflow service, by its name; empty when the API server does not answer."""
    try:
        response = _session().get(f"{url}/api/v2/monitor/health", timeout=5)
        response.raise_for_status()
        answer = response.json()
    except (requests.RequestException, ValueError):
        return {}
    beats = {}
    for name in ("scheduler", "dag_processor", "triggerer"):
        beat = (answer.get(name) or {}).get(f"latest_{name}_heartbeat")
        beats[name.replace("_", "-")] = datetime.fromisoformat(beat) if beat else None
    return beats


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # Airflow is on this machine: no proxy, no .netrc
    session.verify = ui_authority()
    return session


def _detail(answer: str) -> str:
    """What an answer says in words; the answer itself where it is not one of Airflow's errors."""
    try:
        said = json.loads(answer)["detail"]
    except (ValueError, KeyError, TypeError):
        return answer
    if isinstance(said, list):  # one for each field that is wrong
        return "; ".join(str(each.get("msg", each)) if isinstance(each, dict) else str(each) for each in said)
    return str(said)


def _run(answer: Mapping[str, object]) -> DagRun:
    return DagRun(str(answer["dag_id"]), str(answer["dag_run_id"]), str(answer["state"]))


def _log_lines(line: object) -> list[str]:
    """The text of one log line; of an exception its class and message, without the stack; of a group's marker none."""
    if not isinstance(line, dict):
        return [str(line)]
    raised = [f"{error['exc_type']}: {error['exc_value']}" for error in _raised(line)]
    event = str(line.get("event", ""))
    return [*([] if event.startswith(GROUP_MARKERS) else [event]), *raised]


def _raised(line: object) -> list[dict[str, Any]]:
    """The exceptions that a log line tells of, without their causes."""
    told = line.get("error_detail") if isinstance(line, dict) else None
    return [error for error in told or [] if not error["is_cause"]]


def listed(answer: Json, key: str) -> list[dict[str, Any]]:
    """A list in an answer. Raises Fatal when there is none."""
    items = answer.get(key)
    if not isinstance(items, list):
        raise Fatal(f"Airflow answered without a list {key!r}: is it the version of requirements.txt?")
    return items
