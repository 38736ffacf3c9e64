"""What the console does for somebody: it starts runs of DAGs in their name, by Airflow's own API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.requests import Request

from onefold.errors import Fatal, OnefoldError
from onefold.platform.api import FINISHED, AirflowApi, DagRun, Refused
from onefold.settings import settings

_FAILED_TASKS = 5
_RAISED = re.compile(r"^[\w.]+(?:Exception|Error): (.{1,2000})", re.MULTILINE)


def start(request: Request, dag_id: str, conf: Mapping[str, object]) -> str:
    """Start a run of the DAG as whoever sends the request; its run id.

    Raises HTTPException 403 when their duty does not let them, or another site made their browser send this; Fatal, in
    Airflow's words, when it refuses; Retriable when it does not answer. Each of them becomes a page.
    """
    require_operator(request)
    require_same_origin(request)
    try:
        return _airflow(request).start_dag(dag_id, conf).run_id
    except Refused as error:
        said = error.detail.rstrip(".")
        raise Fatal(f"Airflow has not started the DAG {dag_id}: {said}. Nothing was changed.") from error


@dataclass(frozen=True, slots=True)
class Seen:
    """What Airflow tells the viewer of a run: the run, or why it does not, in words. `failure`: why a task of it has
    failed. `exists` is False where there is no such run."""

    run: DagRun | None
    why_not: str = ""
    failure: str = ""
    exists: bool = True

    @property
    def goes_on(self) -> bool:
        """Whether the scheduler has not ended it."""
        return self.run is not None and self.run.state not in FINISHED

    @property
    def has_failed(self) -> bool:
        return self.run is not None and self.run.state == "failed"


def run_of(request: Request, dag_id: str, run_id: str) -> Seen:
    """The run as the scheduler sees it."""
    try:
        api = _airflow(request)
        run = api.dag_run(dag_id, run_id)
        return Seen(run, failure=_failure(api, run) if run.state == "failed" else "")
    except Refused as error:
        return Seen(None, f"Airflow does not tell you how the run stands: {error.detail}", exists=error.status != 404)
    except OnefoldError as error:
        return Seen(None, str(error))


def _failure(api: AirflowApi, run: DagRun) -> str:
    """What the tasks of a run that failed have raised, one line each."""
    failed = [task for task in api.task_instances(run) if task.state == "failed"]
    raised = [(task.task_id, _RAISED.findall(api.log(run, task))) for task in failed[:_FAILED_TASKS]]
    return " ".join(f"{name}: {said[-1]}" for name, said in raised if said)


def require_operator(request: Request) -> None:
    """Raises HTTPException 403 unless the viewer may start and repair runs."""
    if not request.state.viewer.operates:
        raise HTTPException(403)


def require_same_origin(request: Request) -> None:
    """Raises HTTPException 403 unless the browser says that a page of this very server sends the request.

    Browsers say so in Sec-Fetch-Site (on HTTPS and on this machine), and in Origin with every POST.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        is_same = site == "same-origin"
    else:
        is_same = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if not is_same:
        raise HTTPException(403)


def _airflow(request: Request) -> AirflowApi:
    viewer = request.state.viewer
    return AirflowApi(settings().ui_url, viewer.name, token=viewer.token)
