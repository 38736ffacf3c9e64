"""What was started from a page and has no number yet: how its run stands, until the operation has a page of its own."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from onefold.console.actions import run_of
from onefold.console.airflow_links import run_page
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.console.viewer import require_operations
from onefold.insight.operations import operation_of_run

Started = Literal["rollback", "migrate"]
router = APIRouter(dependencies=[Depends(require_operations)])


def started_page(request: Request, dag_id: Started, run_id: str) -> str:
    """The address of the page of this run."""
    return f"{request.scope.get('root_path', '')}/operations/started/{dag_id}?{urlencode({'run': run_id})}"


@router.get("/operations/started/{dag_id}")
def started(request: Request, dag_id: Started, run: str) -> Response:
    """How the run stands; the operation's page, once it has planned one. Raises HTTPException 404 when there is no such
    run."""
    root = request.scope.get("root_path", "")
    with reading() as connection:
        found = operation_of_run(connection, dag_id, run)
    if found:
        kind, number = found
        return RedirectResponse(f"{root}/operations/{kind}/{number}", 303)
    seen = run_of(request, dag_id, run)
    if not seen.exists:
        raise HTTPException(404)
    what = "rollback" if dag_id == "rollback" else "migration"
    log = run_page(root, dag_id, run)
    back = ("operations", "Operations")
    return page(request, request.state.viewer, "started.html", what=what, seen=seen, log=log, back=back)
