"""What the console does for somebody: it starts runs of DAGs in their name, by Airflow's own API."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.requests import Request

from onefold.errors import OnefoldError
from onefold.platform.api import AirflowApi, DagRun
from onefold.settings import settings


def start(request: Request, dag_id: str, conf: Mapping[str, object]) -> str:
    """Start a run of the DAG as whoever sends the request; its run id.

    Raises HTTPException 403 when their duty does not let them, or another site made their browser send this; Fatal when
    Airflow refuses; Retriable when it does not answer. Each of them becomes a page.
    """
    require_operator(request)
    require_same_origin(request)
    return _airflow(request).start_dag(dag_id, conf).run_id


def run_of(request: Request, dag_id: str, run_id: str) -> DagRun | None:
    """The run as the scheduler sees it; None when there is none, or Airflow does not tell this viewer."""
    try:
        return _airflow(request).dag_run(dag_id, run_id)
    except OnefoldError:
        return None


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
