"""Replay of records that a target did not get: what is intended again, its start in the viewer's name, its run."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from onefold.catalog.reader import read_catalog
from onefold.catalog.target_reader import read_targets
from onefold.console.actions import require_operator, run_of, start
from onefold.console.airflow_links import run_page
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.console.viewer import require_operations
from onefold.errors import Fatal
from onefold.insight.write_backs import not_written, target_states
from onefold.orchestration.forms import REASON, stated_reason
from onefold.write_back.plan_ledger import plans_of_run

router = APIRouter()
SHOWN = 25
Number = Annotated[int, Query(ge=1, lt=2**63)]


@router.get("/write-back/replay", dependencies=[Depends(require_operator)])
def choose(request: Request, target: str, intent: Number | None = None) -> HTMLResponse:
    """What a replay would intend again, and the form that starts it. Raises Fatal when there is no such target."""
    return _form(request, target, intent)


@router.post("/write-back/replay")
def begin(
    request: Request,
    target: Annotated[str, Form()],
    intent: Annotated[int | None, Form(ge=1, lt=2**63)] = None,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Start a run that intends them again and plans, in the viewer's name, and go to its page."""
    require_operator(request)
    try:
        stated_reason(reason)
    except Fatal as error:
        return _form(request, target, intent, str(error))
    if _refused(target, intent)[0] == 0:
        return _form(request, target, intent)
    conf = {"replay": "all" if intent is None else str(intent), "reason": reason.strip()}
    run_id = start(request, f"write_back__{target}", conf)
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/write-back/started/{target}?{urlencode({'run': run_id})}", 303)


@router.get("/write-back/started/{target}", dependencies=[Depends(require_operations)])
def started(request: Request, target: str, run: str) -> Response:
    """How the run stands; its plan's page, once it has one. Raises HTTPException 404 when there is no such run."""
    root, dag_id = request.scope.get("root_path", ""), f"write_back__{target}"
    _require_target(target)
    with reading() as connection:
        found = plans_of_run(connection, dag_id, run)
    if found:
        return RedirectResponse(f"{root}/write-back/plans/{found[-1].plan_id}", 303)
    seen = run_of(request, dag_id, run)
    if not seen.exists:
        raise HTTPException(404)
    what, log = f"replay to {target}", run_page(root, dag_id, run)
    return page(
        request, request.state.viewer, "started.html", what=what, seen=seen, log=log, back=("write-back", "Write-back")
    )


def _form(request: Request, target: str, intent: int | None, wrong_reason: str = "") -> HTMLResponse:
    count, rows = _refused(target, intent)
    return page(
        request,
        request.state.viewer,
        "write_back_replay.html",
        400 if wrong_reason else 200,
        target=_require_target(target),
        intent=intent,
        count=count,
        rows=rows,
        reason=REASON,
        wrong_reason=wrong_reason,
    )


def _refused(target: str, intent: int | None) -> tuple[int, list[object]]:
    """How many records would be replayed, and the first of them."""
    _require_target(target)
    with reading() as connection:
        found = not_written(connection, [target], intent=intent, limit=SHOWN, states=("refused",))
        if intent is not None:
            return len(found.rows), list(found.rows)
        counts = {each.target: each.refused for each in target_states(connection, [target])}
    return counts[target], list(found.rows)


def _require_target(name: str) -> str:
    if name not in read_targets(read_catalog()):
        raise Fatal(f"There is no target {name!r} in catalog/targets.")
    return name
