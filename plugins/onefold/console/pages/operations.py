"""Operations: what people and schedules have asked the engine to do: each with its plan, its report, what is next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import psycopg
from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.console.actions import run_of
from onefold.console.airflow_links import run_page
from onefold.console.next_step import next_step
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.console.viewer import Viewer, require_operations
from onefold.errors import Fatal
from onefold.insight.operation_report import asked, report
from onefold.insight.operations import KINDS, Kind, Operation, open_operations, operation, operations
from onefold.rollback.written_out import loads_of, written_out

router = APIRouter(dependencies=[Depends(require_operations)])
_WORKS, _WAITS = 2, 15
"""Seconds until the page of an operation looks again: while its run works, and while it waits for a person."""
_MENTIONS_RECORDS = ("erasure", "plan")
"""Kinds whose plans may name keys or show values of records, which auditors do not read."""


@router.get("/operations")
def operations_page(
    request: Request, kind: str | None = None, show: str | None = None, before: str | None = None
) -> HTMLResponse:
    """All of them, the newest first. Raises Fatal when there is no such kind."""
    if kind and kind not in KINDS:
        raise Fatal(f"There is no kind of operation {kind!r}. There are: {', '.join(KINDS)}.")
    viewer: Viewer = request.state.viewer
    root = request.scope.get("root_path", "")
    with reading() as connection:
        found = operations(connection, kind=cast("Kind", kind) or None, only_open=show == "open", before=before or None)
        waiting = open_operations(connection)
    return page(
        request,
        viewer,
        "operations.html",
        kinds=KINDS,
        chosen=kind,
        show=show,
        before=before,
        rows=found.rows,
        next_before=found.before,
        waiting=waiting,
        next_steps={(each.kind, each.number): next_step(each, root, viewer) for each in found.rows},
    )


@router.get("/operations/{kind}/{number}")
def operation_page(request: Request, kind: Kind, number: int) -> HTMLResponse:
    """One of them."""
    viewer: Viewer = request.state.viewer
    root = request.scope.get("root_path", "")
    with reading() as connection:
        found = operation(connection, kind, number)
        if found is None:
            raise HTTPException(404)
        account = account_of(connection, found, viewer)
    at_work = found.is_open and not found.asks and found.dag_id and found.run_id
    seen = run_of(request, str(found.dag_id), str(found.run_id)) if at_work else None
    return page(
        request,
        viewer,
        "operation.html",
        found=found,
        **account,
        step=next_step(found, root, viewer),
        run=_run(found, root),
        seen=seen,
        poll=_WAITS if found.asks else _WORKS if seen and seen.goes_on else None,
    )


def account_of(connection: psycopg.Connection, found: Operation, viewer: Viewer) -> Mapping[str, object]:
    """Its plans and reports, as far as the viewer may read them, as the template `_operation.html` names them."""
    withheld = viewer.duty == "auditor" and found.kind in _MENTIONS_RECORDS
    questions = [] if withheld else asked(connection, found.subject)
    parts = [] if withheld else report(connection, found)
    return {
        "written": written_out(connection, loads_of(connection, found.number)) if found.kind == "rollback" else [],
        "withheld": withheld,
        "questions": questions,
        "parts": [each for each in parts if each.title != "Plan" or not questions],
    }


def _run(found: Operation, root: str) -> str | None:
    return run_page(root, found.dag_id, found.run_id) if found.dag_id and found.run_id else None
