"""Audit: the timeline of what was done, how the chain stands, and a check of its newest events on demand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.audit.anchor import anchors_after, last_anchor
from onefold.audit.verify_newest import NewestVerdict, verify_newest
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.console.viewer import require_operations
from onefold.errors import Fatal, Retriable
from onefold.insight.chain_state import chain_state
from onefold.insight.operations import KINDS
from onefold.insight.reads import direct_reads_missing
from onefold.insight.timeline import Filter, timeline
from onefold.settings import settings

router = APIRouter(dependencies=[Depends(require_operations)])
MOST_EVENTS = 50_000
"""How many events one check reads at most."""
MOST_SECONDS = 3.0
_one_at_a_time = threading.Lock()


@router.get("/audit")
def audit_page(
    request: Request,
    action: str = "",
    subject: str = "",
    since: str = "",
    until: str = "",
    before: int | None = None,
) -> HTMLResponse:
    """The timeline. Who is looked for stays out of the address: POST has it."""
    return _page(request, {"person": "", "action": action, "subject": subject, "since": since, "until": until}, before)


@router.post("/audit")
def filtered_page(
    request: Request,
    person: str = Form(""),
    action: str = Form(""),
    subject: str = Form(""),
    since: str = Form(""),
    until: str = Form(""),
    before: int | None = Form(None),
) -> HTMLResponse:
    """The same, of one person too."""
    given = {"person": person, "action": action, "subject": subject, "since": since, "until": until}
    return _page(request, given, before)


@router.post("/audit/verify")
def verify_page(request: Request) -> HTMLResponse:
    """Checks the newest events, at most MOST_EVENTS within about MOST_SECONDS, and says which they were."""
    if not _one_at_a_time.acquire(blocking=False):
        raise Retriable("Somebody is having the chain verified this moment. Try again in some seconds.")
    try:
        path = settings().audit_anchor
        last = last_anchor(path)
        anchors = list(anchors_after(path, max(last.seq - MOST_EVENTS, 0))) if last else []
        with reading() as connection:  # begun after the anchors were read: it has all their events
            verdict = verify_newest(connection, anchors, events=MOST_EVENTS, seconds=MOST_SECONDS)
    finally:
        _one_at_a_time.release()
    return _page(request, dict.fromkeys(("person", "action", "subject", "since", "until"), ""), None, verdict)


def _page(
    request: Request, given: Mapping[str, str], before: int | None, verdict: NewestVerdict | None = None
) -> HTMLResponse:
    texts = {name: value.strip() for name, value in given.items()}
    wanted = Filter(
        person=texts["person"] or None,
        action=texts["action"] or None,
        subject=texts["subject"] or None,
        since=_instant(texts["since"]),
        until=_instant(texts["until"], whole_day=True),
    )
    path = settings().audit_anchor
    last = last_anchor(path)
    with reading() as connection:
        found = timeline(connection, wanted, before=before)
        state = chain_state(connection, last, path)
        no_reads = direct_reads_missing(connection)
    return page(
        request,
        request.state.viewer,
        "audit.html",
        given=texts,
        found=found,
        state=state,
        no_reads=no_reads,
        verdict=verdict,
        operations=KINDS,
    )


def _instant(text: str, *, whole_day: bool = False) -> datetime | None:
    """A day or an instant in UTC; with `whole_day`, the end of that day. Raises Fatal when it is neither."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Fatal(f"{text!r} is no day: write 2026-01-31, or 2026-01-31T12:00.") from error
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found + timedelta(days=1) if whole_day and len(text) <= len("2026-01-31") else found
