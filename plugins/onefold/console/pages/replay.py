"""Replays: what one would select, its start, and its account."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from onefold.catalog.reader import read_catalog
from onefold.console.actions import require_operator, run_of, start
from onefold.console.airflow_links import run_page
from onefold.console.pages import quarantine
from onefold.console.pages.quarantine import Asked, Filter, in_words, see_operations
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.errors import Fatal
from onefold.insight import waiting
from onefold.insight.replays import recent_replays, replay_of_run
from onefold.orchestration.forms import REASON
from onefold.replay.ledger import find_replay, why_nothing_selected
from onefold.replay.selection import check_selection, matching_rows

DAG = "replay"
router = APIRouter()


@router.get("/quarantine/replay", dependencies=[Depends(require_operator)])
def plan(request: Request, asked: Asked) -> HTMLResponse:
    """What a replay of this would select, and the form that starts it. Raises Fatal when the selection is wrong."""
    catalog, selection = read_catalog(), asked.selection
    check_selection(selection, catalog.systems)
    with reading() as connection:
        groups = waiting.groups(connection, selection, catalog.systems, quarantine.ALL_REASONS)
        matching = matching_rows(connection, selection, catalog.systems)
    return page(
        request,
        request.state.viewer,
        "replay_plan.html",
        asked=asked,
        selected=sum(each.rows for each in matching if not each.why_not),
        values=sum(each.rows for each in matching if not each.why_not and each.attribute),
        not_replayable=[each for each in matching if each.why_not],
        groups=[(each, in_words(catalog, each.system, each.stream, each)) for each in groups],
        few=quarantine.FEW_REASONS,
        reason=REASON,
    )


@router.post("/quarantine/replay")
def begin(
    request: Request,
    reason: Annotated[str, Form(min_length=3, max_length=500)],
    system: Annotated[str, Form()] = "",
    stream: Annotated[str, Form()] = "",
    expectation: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    rows: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Start the replay in the viewer's name, and go to its account. Raises Fatal, with nothing changed, when nothing
    can be replayed."""
    require_operator(request)
    asked = Filter(system, stream, expectation, since, until, rows)
    systems, selection = read_catalog().systems, asked.selection
    check_selection(selection, systems)
    with reading() as connection:
        matching = matching_rows(connection, selection, systems)
    if all(each.why_not for each in matching):
        raise Fatal(why_nothing_selected(matching))
    conf = {
        "reason": reason,
        "system": system or None,
        "stream": stream or None,
        "expectation": expectation or None,
        "quarantined_from": selection.start.isoformat() if selection.start else None,
        "quarantined_to": selection.end.isoformat() if selection.end else None,
        "rows": rows or None,
    }
    run_id = start(request, DAG, conf)
    root = request.scope.get("root_path", "")
    return RedirectResponse(f"{root}/quarantine/replays?{urlencode({'run': run_id})}", 303)


@router.get("/quarantine/replays", dependencies=[Depends(see_operations)])
def account(request: Request, run: str | None = None) -> HTMLResponse:
    """What became of the rows of one replay; without a run, the newest replays. Raises HTTPException 404 when there is
    no such run."""
    with reading() as connection:
        if run is None:
            return page(request, request.state.viewer, "replays.html", replays=recent_replays(connection, limit=100))
        summary = replay_of_run(connection, run)
        found = find_replay(connection, DAG, run) if summary else None
    seen = run_of(request, DAG, run) if summary is None or summary.ended_at is None else None
    if summary is None and seen is not None and not seen.exists:
        raise HTTPException(404)
    return page(
        request,
        request.state.viewer,
        "replay.html",
        run=run,
        replay=summary,
        account=found,
        seen=seen,
        pending=sum(each.pending for each in found.streams) if found else 0,
        log=run_page(request.scope.get("root_path", ""), DAG, run),
    )
