"""Write-back: how each target stands, what its plans do row by row, and what did not get there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, HTTPException, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.audit.approval import triggering_user
from onefold.catalog.reader import read_catalog
from onefold.catalog.target import Target
from onefold.catalog.target_reader import read_targets
from onefold.console.actions import require_same_origin, run_of
from onefold.console.airflow_links import decision_page, run_page
from onefold.console.next_step import NextStep
from onefold.console.reading import reading, reading_people
from onefold.console.render import page
from onefold.console.viewer import Viewer, require_operations
from onefold.errors import Fatal
from onefold.insight.write_backs import (
    VALUES,
    NotWritten,
    PlanSummary,
    not_written,
    outcomes,
    plan,
    plan_rows,
    plans,
    target_states,
)
from onefold.write_back.resolve import longest_wait

router = APIRouter(dependencies=[Depends(require_operations)])
ROWS = 25
PLAN_ROWS = 50
BY_COMMAND = "command__"
"""How the runs of `bin/onefold write-back` begin: Airflow has none of this name."""
_WORKS, _WAITS = 2, 15
"""Seconds until the page of a plan looks again: while it is executed, and while it waits for a person."""
Number = Annotated[int, Query(ge=1, lt=2**63)]


@router.get("/write-back")
def write_back(request: Request, target: str | None = None, before: Number | None = None) -> HTMLResponse:
    """The page, of all targets or one. Raises Fatal when there is no such target."""
    targets = read_targets(read_catalog())
    with reading() as connection:
        states = target_states(connection, targets)
        names = [each.target for each in states]
        if target and target not in names:
            raise Fatal(f"There is no target {target!r} in catalog/targets.")
        newest = plans(connection, target or None) if before is None else []
        waiting = not_written(connection, [target] if target else names, before=before, limit=ROWS)
    viewer, root = request.state.viewer, request.scope.get("root_path", "")
    return page(
        request,
        viewer,
        "write_back.html",
        targets=targets,
        chosen=target or "",
        states=states,
        plans=[(each, step(each, root, viewer)) for each in newest],
        rows=[(each, *next_of(each, targets)) for each in waiting.rows],
        before=before,
        next=waiting.before,
    )


@router.get("/write-back/plans/{plan_id}")
def plan_page(request: Request, plan_id: int, after: int = 0) -> HTMLResponse:
    """One plan, without personal values. Raises HTTPException 404 when there is none of this number."""
    with reading() as connection:
        return _plan_page(request, connection, plan_id, after, people=False)


@router.post("/write-back/plans/{plan_id}", dependencies=[Depends(require_same_origin)])
def plan_with_people(request: Request, plan_id: int, after: int = 0) -> HTMLResponse:
    """The same with its personal values, which is recorded before. Raises HTTPException 403 when the viewer may not see
    them."""
    with reading_people(request.state.viewer, VALUES, {"write_back_plan": plan_id}) as (connection, read):
        shown = _plan_page(request, connection, plan_id, after, people=True)
        read.rows = PLAN_ROWS
    return shown


def _plan_page(
    request: Request, connection: psycopg.Connection, plan_id: int, after: int, *, people: bool
) -> HTMLResponse:
    viewer: Viewer = request.state.viewer
    root = request.scope.get("root_path", "")
    found = plan(connection, plan_id)
    if found is None:
        raise HTTPException(404)
    rows, more = plan_rows(connection, plan_id, after=after, limit=PLAN_ROWS, people=people)
    at_work = found.state == "planned" and not found.asks and not found.run_id.startswith(BY_COMMAND)
    seen = run_of(request, found.dag_id, found.run_id) if at_work else None
    return page(
        request,
        viewer,
        "write_back_plan.html",
        found=found,
        target=read_targets(read_catalog()).get(found.target),
        rows=rows,
        after=after,
        next=more,
        outcomes=outcomes(connection, plan_id),
        people=people,
        seen=seen,
        step=step(found, root, viewer),
        run=None if found.run_id.startswith(BY_COMMAND) else run_page(root, found.dag_id, found.run_id),
        poll=None if people else _WAITS if found.asks else _WORKS if seen and seen.goes_on else None,
    )


def step(found: PlanSummary, root: str, viewer: Viewer) -> NextStep | None:
    """What is next about a plan; None where nothing is left to do."""
    by_command = found.run_id.startswith(BY_COMMAND)
    if found.asks and by_command:
        command = f"bin/onefold write-back {found.target} --approve {found.plan_id}"
        return NextStep(f"Another person than who made it reads it, and approves it: {command}")
    if found.asks:
        where = decision_page(root, found.dag_id, found.run_id)
        if triggering_user(found.actor) == viewer.name:
            own = "You have started its run: another person approves it, and your own approval is refused."
            return NextStep(own, where, "Plan in Airflow")
        text = "Somebody else than who started its run reads it, and approves or rejects it."
        return NextStep(text, where, "Decide")
    if found.state == "planned" and by_command:
        return NextStep(f"Execute it: bin/onefold write-back {found.target} --run")
    if found.state == "planned":
        text = "Its run executes it, within the target's hours. A task that failed says why; clear it, and it goes on."
        return NextStep(text, run_page(root, found.dag_id, found.run_id), "Run")
    if found.state in ("turned_down", "expired"):
        return NextStep(
            "Nothing of it was written. A newer plan has its records, or they are among what did not go through."
        )
    return None


def next_of(each: NotWritten, targets: Mapping[str, Target]) -> tuple[str, datetime | None]:
    """What to do about a record that did not get there; of an ambiguous one also from when the target can be asked."""
    target = targets.get(each.target)
    if target is None:
        return f"The target is no longer in catalog/targets: put {each.target}.yaml back, or leave it.", None
    if each.state == "ambiguous":
        wait = longest_wait(target, read_catalog().systems[target.system])
        return "Nothing to do: the next run searches it there, and sends it again where it is not found.", (
            each.at + wait
        )
    if each.wanted == "delete":
        return "Delete it there, or permit it in the target's file (may); then replay.", None
    text = (
        f"Correct what the reason names: the value at its source, catalog/targets/{each.target}.yaml, or the target. "
        "What is corrected at its source is planned by itself; after any other correction, replay."
    )
    return text, None
