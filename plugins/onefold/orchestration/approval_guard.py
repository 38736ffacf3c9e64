"""Stands before Airflow's API: an answer to what a run asks is recorded in the warehouse, or refused.

Airflow runs it in the API server alone, the only process that has seen who signed in and that has the credentials of
onefold_approvals. It records first and lets Airflow go on then: an answer that Airflow refuses afterwards leaves an
approval that can be given again; an answer that gets past it leaves none, so that nothing is done.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from sqlalchemy import select
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onefold.audit import actor
from onefold.audit.approval import REJECT, decide, question_of_run
from onefold.errors import Fatal, Retriable
from onefold.orchestration.request_user import user_of
from onefold.settings import APPROVALS_URL, secret
from onefold.warehouse.connection import connect

_ANSWER = re.compile(
    r"/api/v2/dags/(?P<dag_id>[^/]+)/dagRuns/(?P<run_id>[^/]+)/taskInstances/(?P<task_id>[^/]+)"
    r"/(?P<map_index>-?\d+)/hitlDetails/?"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What Airflow shows the person, and who, as Airflow knows it, has started the run."""

    body: str
    started_by: str | None


class ApprovalGuard:
    """The ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _ANSWER.search(scope.get("path", "")) if scope.get("method") == "PATCH" else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        refused = await _record(HTTPConnection(scope), answer.groupdict(), body)
        if refused is not None:
            await refused(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


async def _record(request: HTTPConnection, task: Mapping[str, str], body: bytes) -> JSONResponse | None:
    """Record the decision; the refusal when it may not be, None when Airflow may go on (it refuses what is no answer,
    and whom it does not know)."""
    chosen = _chosen(body)
    by = await _who_may_answer(request, task["dag_id"])
    if chosen is None or by is None:
        return None
    try:
        await asyncio.to_thread(_decide, task, chosen, by)
    except Fatal as error:
        return JSONResponse({"detail": str(error)}, status_code=403)
    except (Retriable, psycopg.Error):
        return JSONResponse(
            {"detail": "The decision could not be recorded: the warehouse does not answer. Try again."}, status_code=503
        )
    return None


def _decide(task: Mapping[str, str], chosen: str, by: str) -> None:
    url = secret(APPROVALS_URL)
    if not url:
        raise Fatal(
            f"{APPROVALS_URL} is not set for the API server, so nothing can be approved. Start it with bin/onefold up."
        )
    with connect(url, autocommit=True) as connection:
        question = question_of_run(connection, task["dag_id"], task["run_id"])
        if question is None:
            return  # some other task that asks; nothing of ours is done by it
        if chosen not in (question.approve_option, REJECT):
            raise Fatal("This page shows an older plan than is asked about now. Nothing was approved. Reload the page.")
        shown = _shown(task)
        decide(
            connection,
            question.approval_id,
            approved=chosen != REJECT,
            by=by,
            started_by=shown.started_by,
            shown=shown.body,
        )


async def _who_may_answer(request: HTTPConnection, dag_id: str) -> str | None:
    """The person as audit events name them; None for whom Airflow itself will refuse."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    user = await user_of(request)
    if user is None:
        return None
    allowed = get_auth_manager().is_authorized_dag(
        method="PUT", access_entity=DagAccessEntity.HITL_DETAIL, details=DagDetails(id=dag_id), user=user
    )
    return actor(user.get_name()) if allowed else None


def _shown(task: Mapping[str, str]) -> Shown:
    from airflow.models.dagrun import DagRun
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    query = (
        select(HITLDetail.body, DagRun.triggering_user_name)
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .join(DagRun, (DagRun.dag_id == TaskInstance.dag_id) & (DagRun.run_id == TaskInstance.run_id))
        .where(
            TaskInstance.dag_id == task["dag_id"],
            TaskInstance.run_id == task["run_id"],
            TaskInstance.task_id == task["task_id"],
            TaskInstance.map_index == int(task["map_index"]),
        )
    )
    with create_session() as session:
        found = session.execute(query).one_or_none()
    if found is None:
        raise Fatal("This task asks nothing now. Reload the page.")
    body, started_by = found
    return Shown(body or "", actor(started_by) if started_by else None)


def _chosen(body: bytes) -> str | None:
    """What was chosen; None when it is not one thing."""
    try:
        options = json.loads(body)["chosen_options"]
        return str(options[0]) if len(options) == 1 else None
    except (ValueError, KeyError, TypeError, IndexError):
        return None


async def _whole_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """What Airflow receives: the whole body once, then what comes."""
    left = [body]

    async def replay() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return replay
