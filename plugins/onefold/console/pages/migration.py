"""Migrations: the form of the DAG `migrate`, what one would take, and its start in the viewer's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.connectors.past import unaskable
from onefold.console.actions import require_operator, require_same_origin, start
from onefold.console.pages.started import Started, started_page
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.errors import Fatal
from onefold.migration.plan import Plan, make_plan
from onefold.migration.request import MigrationRequest, NotPossible
from onefold.orchestration.forms import CHUNK_DAYS, MODES, REASON, needed_instant, stated_reason

DAG: Started = "migrate"
router = APIRouter(dependencies=[Depends(require_operator)])
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as somebody has filled it in: text, whatever it says."""

    system: str = ""
    streams: Sequence[str] = ()
    start: str = ""
    end: str = ""
    chunk: str = "30"
    mode: str = "incremental"
    service_window: str = ""
    rate: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the form asks for, and what it would take; else, by field, what is wrong."""

    request: MigrationRequest | None
    plan: Plan | None
    wrong: Mapping[str, str]


async def filled_in(
    system: Annotated[str, Form()] = "",
    stream: Annotated[list[str] | None, Form()] = None,
    start: Annotated[str, Form()] = "",
    end: Annotated[str, Form()] = "",
    chunk: Annotated[str, Form()] = "",
    mode: Annotated[str, Form()] = "",
    service_window: Annotated[str, Form()] = "",
    rate: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Filled:
    """The form that was sent."""
    texts = (start, end, chunk, mode, service_window, rate, reason)
    return Filled(system, tuple(stream or ()), *(" ".join(text.split()) for text in texts))


@router.get("/operations/migration")
def form(
    request: Request, system: str | None = None, stream: Annotated[list[str] | None, Query()] = None
) -> HTMLResponse:
    """The form. Raises Fatal when there is no such system."""
    systems = read_systems()
    if system and system not in systems:
        raise Fatal(f"There is no system {system!r} in the catalogue.")
    return _form_page(request, systems, Filled(system or "", tuple(stream or ())))


@router.post("/operations/migration/estimate", dependencies=[Depends(require_same_origin)])
def estimate(request: Request, filled: Annotated[Filled, Depends(filled_in)]) -> HTMLResponse:
    """What it would take, as far as loads so far tell; nothing is started."""
    systems = read_systems()
    return _form_page(request, systems, filled, _check(systems, filled))


@router.post("/operations/migration", dependencies=[Depends(require_same_origin)])
def begin(request: Request, filled: Annotated[Filled, Depends(filled_in)]) -> Response:
    """Start the migration in the viewer's name, and go to its page; what cannot be is said beside its field."""
    systems = read_systems()
    checked = _check(systems, filled)
    if checked.request is None or checked.wrong:
        return _form_page(request, systems, filled, checked)
    return RedirectResponse(started_page(request, DAG, start(request, DAG, checked.request.as_form())), 303)


def _form_page(
    request: Request, systems: Mapping[str, System], filled: Filled, checked: Checked | None = None
) -> HTMLResponse:
    now, system = datetime.now(UTC), systems.get(filled.system)
    why_not = {name: unaskable(system, name, None, now) for name in system.streams} if system else {}
    return page(
        request,
        request.state.viewer,
        "migration.html",
        400 if checked and checked.wrong else 200,
        systems={name: each.title for name, each in sorted(systems.items())},
        streams={name: each.title for name, each in system.streams.items()} if system else {},
        why_not=why_not,
        filled=filled,
        wrong=checked.wrong if checked else {},
        told=checked.plan.lines(filled.system) if checked and checked.plan else (),
        modes=MODES,
        chunk_days=CHUNK_DAYS,
        reason=REASON,
    )


def _check(systems: Mapping[str, System], filled: Filled) -> Checked:
    wrong: dict[str, str] = {}

    def read(field: str, reader: Callable[[str], Read]) -> Read | None:
        try:
            return reader(getattr(filled, field))
        except Fatal as error:
            wrong[field] = str(error)
            return None

    start, end = read("start", needed_instant), read("end", needed_instant)
    chunk, reason = read("chunk", _chunk), read("reason", stated_reason)
    mode = read("mode", _mode)
    if start is None or end is None or chunk is None or reason is None or mode is None:
        return Checked(None, None, wrong)
    known = systems.get(filled.system)
    asked = MigrationRequest(
        system=filled.system,
        streams=tuple(dict.fromkeys(filled.streams)) or tuple(known.streams if known else ()),
        start=start,
        end=end,
        chunk=chunk,
        reason=reason,
        mode=mode,
        service_window=filled.service_window or None,
        rate=filled.rate or None,
    )
    try:
        with reading() as connection:
            return Checked(asked, make_plan(connection, systems, asked), {})
    except NotPossible as error:
        return Checked(None, None, {error.field: str(error)})


def _chunk(text: str) -> timedelta:
    least, most = int(str(CHUNK_DAYS["minimum"])), int(str(CHUNK_DAYS["maximum"]))
    days = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
    if not least <= days <= most:
        raise Fatal(f"Write a whole number of days from {least:,} to {most:,}.")
    return timedelta(days=days)


def _mode(text: str) -> str:
    if text not in MODES:
        raise Fatal(f"Choose one of: {', '.join(MODES)}.")
    return text
