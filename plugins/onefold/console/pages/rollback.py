"""Rollbacks: the loads that can be taken out, what is chosen, and the start in the viewer's name; an undo likewise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from onefold.catalog.reader import read_systems
from onefold.console.actions import require_operator, require_same_origin, start
from onefold.console.pages.started import Started, started_page
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.errors import Fatal, Retriable
from onefold.insight.loads import PublishedLoad, loads_of_numbers, published_loads
from onefold.orchestration.forms import REASON, load_numbers, stated_reason
from onefold.rollback.request import RollbackRequest, checked_changes, requested_loads
from onefold.rollback.stream_change import Target
from onefold.rollback.written_out import WrittenOut, written_out

DAG: Started = "rollback"
SHOWN = 100
"""So many of the chosen loads are listed."""
Number = Annotated[int, Query(ge=1, lt=2**63)]
router = APIRouter(dependencies=[Depends(require_operator)])


@dataclass(frozen=True, slots=True)
class Choice:
    """What a request names: how many loads, the first of them, why it cannot be, what the run will wait for, and what
    was already written into other systems."""

    loads: int = 0
    first: tuple[PublishedLoad, ...] = ()
    why_not: str = ""
    waits: str = ""
    written: tuple[WrittenOut, ...] = ()


@router.get("/operations/rollback")
def choose(
    request: Request,
    system: str | None = None,
    stream: str | None = None,
    before: Number | None = None,
    load: Annotated[list[Number] | None, Query()] = None,
) -> HTMLResponse:
    """The published loads, to choose from. Raises Fatal when there is no such system or stream."""
    systems = read_systems()
    if system and system not in systems:
        raise Fatal(f"There is no system {system!r} in the catalogue.")
    streams = systems[system].streams if system else {}
    if stream and stream not in streams:
        stream = None  # of the system that was chosen before
    with reading() as connection:
        found = published_loads(connection, system=system or None, stream=stream or None, before=before)
    on_page = {each.load_id for each in found.rows}
    return page(
        request,
        request.state.viewer,
        "rollback.html",
        systems={name: each.title for name, each in sorted(systems.items())},
        streams={name: each.title for name, each in sorted(streams.items())},
        system=system,
        stream=stream,
        rows=found.rows,
        next_before=found.before,
        before=before,
        chosen=set(load or ()),
        elsewhere=[number for number in sorted(set(load or ())) if number not in on_page],
    )


@router.get("/operations/rollback/plan")
def plan(
    request: Request,
    load: Annotated[list[Number] | None, Query()] = None,
    dag: str | None = None,
    run: str | None = None,
    undo: Number | None = None,
) -> HTMLResponse:
    """What is chosen, and the form that starts its rollback."""
    return _plan_page(request, RollbackRequest(tuple(load or ()), dag or None, run or None, undo))


@router.post("/operations/rollback/plan", dependencies=[Depends(require_same_origin)])
def begin(
    request: Request,
    loads: Annotated[str, Form()] = "",
    dag: Annotated[str, Form()] = "",
    run: Annotated[str, Form()] = "",
    undo: Annotated[int | None, Form(ge=1, lt=2**63)] = None,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Start the rollback in the viewer's name, and go to its page; what cannot be is said beside what was chosen."""
    asked = RollbackRequest(load_numbers(loads), dag or None, run or None, undo, reason.strip())
    try:
        stated_reason(reason)
    except Fatal as error:
        return _plan_page(request, asked, str(error))
    if _choice(asked).why_not:
        return _plan_page(request, asked)
    conf = {
        "loads": ", ".join(map(str, asked.loads)) or None,
        "dag": asked.dag_id,
        "run": asked.run_id,
        "undo": asked.undo,
        "reason": asked.reason,
    }
    return RedirectResponse(started_page(request, DAG, start(request, DAG, conf)), 303)


def _plan_page(request: Request, asked: RollbackRequest, wrong_reason: str = "") -> HTMLResponse:
    choice = _choice(asked)
    return page(
        request,
        request.state.viewer,
        "rollback_plan.html",
        400 if wrong_reason or choice.why_not else 200,
        asked=asked,
        choice=choice,
        written=choice.written,
        back=urlencode([("load", number) for number in asked.loads]),
        reason=REASON,
        wrong_reason=wrong_reason,
    )


def _choice(asked: RollbackRequest) -> Choice:
    """What the request names, as the warehouse has it now."""
    target: Target = "published" if asked.undo else "rolled_back"
    with reading() as connection:
        try:
            numbers = requested_loads(connection, asked)
        except Fatal as error:
            return Choice(why_not=str(error))
        written = () if asked.undo else tuple(written_out(connection, numbers))
        choice = Choice(len(numbers), tuple(loads_of_numbers(connection, numbers, SHOWN)), written=written)
        try:
            checked_changes(connection, read_systems(), numbers, target)
        except Fatal as error:
            return replace(choice, why_not=str(error))
        except Retriable as error:
            return replace(choice, waits=str(error))
    return choice
