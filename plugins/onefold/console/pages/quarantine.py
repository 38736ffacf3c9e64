"""Quarantine: what waits and what is withheld, why, and the way to a replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException
from psycopg import sql
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.catalog.reader import Catalog, read_catalog
from onefold.catalog.yaml_file import CatalogError
from onefold.console.actions import require_same_origin
from onefold.console.reading import reading, reading_people
from onefold.console.render import page
from onefold.console.viewer import Viewer
from onefold.insight import waiting
from onefold.insight.quarantine_reason import Context, Why, in_short, why
from onefold.insight.replays import recent_replays
from onefold.insight.withheld_value import all_values, plain_values
from onefold.insight.write_backs import target_states
from onefold.orchestration.forms import instant, numbers
from onefold.quality.suite import Suite, read_suite
from onefold.replay.selection import Selection, check_selection

router = APIRouter()
FEW_REASONS, ALL_REASONS = 15, 100
ROWS = 25
"""Of a page: what a phone shows without endless scrolling."""
_RECORD = sql.SQL("select payload, raw from ops.quarantine where quarantine_id = 0")
"""By what the reading of a whole record is recorded: a withheld value's, which is in staging, too."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What the page is asked for, as it stands in its address."""

    system: str | None = None
    stream: str | None = None
    expectation: str | None = None
    since: str | None = None
    until: str | None = None
    rows: str | None = None

    @property
    def selection(self) -> Selection:
        """The same as a replay selects it. Raises Fatal when a time is none."""
        stream = self.stream or None
        return Selection(
            self.system or None,
            stream,
            self.expectation or None,
            instant(self.since),
            instant(self.until),
            rows=numbers(self.rows),
        )

    def query(self, **others: object) -> str:
        """The part of an address that asks for the same, and for these others."""
        own = {name: getattr(self, name) for name in ("system", "stream", "expectation", "since", "until", "rows")}
        return urlencode({name: value for name, value in (own | others).items() if value})


def see_operations(request: Request) -> None:
    """Raises HTTPException 403 when the viewer's duty does not let them see what is in quarantine."""
    if not request.state.viewer.sees_operations:
        raise HTTPException(403)


Asked = Annotated[Filter, Depends()]


@router.get("/quarantine", dependencies=[Depends(see_operations)])
def quarantine(
    request: Request, asked: Asked, before: int | None = None, reasons: Literal["few", "all"] = "few"
) -> HTMLResponse:
    """The page, of all streams or some; with a few of the most frequent reasons, or ALL_REASONS of them. Raises Fatal
    when there is no such system or stream, or a time is none."""
    catalog = read_catalog()
    selection = asked.selection
    check_selection(selection, catalog.systems)
    with reading() as connection:
        total = waiting.waiting(connection, selection, catalog.systems)
        groups = waiting.groups(connection, selection, catalog.systems, ALL_REASONS) if before is None else []
        rows = waiting.rows(connection, selection, catalog.systems, before=before, limit=ROWS)
        replays = recent_replays(connection)
        states = target_states(connection, ())
    streams = catalog.systems[asked.system].streams if asked.system else {}
    shown = FEW_REASONS if reasons == "few" else ALL_REASONS
    return page(
        request,
        request.state.viewer,
        "quarantine.html",
        systems={name: each.title for name, each in sorted(catalog.systems.items())},
        streams={name: each.title for name, each in sorted(streams.items())},
        asked=asked,
        total=total,
        groups=[(each, in_words(catalog, each.system, each.stream, each)) for each in groups[:shown]],
        more_reasons=len(groups) - shown,
        most_reasons=ALL_REASONS,
        rows=[(each, in_words(catalog, each.system, each.stream, each)) for each in rows.rows],
        before=before,
        next=rows.before,
        replays=replays,
        out=[each for each in states if each.refused or each.ambiguous],
    )


@router.get("/quarantine/row/{quarantine_id}", dependencies=[Depends(see_operations)])
def row(request: Request, quarantine_id: int) -> HTMLResponse:
    """One row. Raises HTTPException 404 when there is none of this number."""
    catalog = read_catalog()
    with reading() as connection:
        found = waiting.row(connection, quarantine_id)
        if found is None:
            raise HTTPException(404)
        context = context_of(catalog, found.system, found.stream, found.suite)
        values = plain_values(connection, found, context.stream) if request.state.viewer.operates else {}
    return _row_page(request, catalog, found, context, values, None)


@router.post("/quarantine/row/{quarantine_id}", dependencies=[Depends(see_operations), Depends(require_same_origin)])
def row_with_people(request: Request, quarantine_id: int) -> HTMLResponse:
    """The same with the whole record as it was received, personal values too, which is recorded before. Raises
    HTTPException 403 when the viewer may not see them."""
    viewer: Viewer = request.state.viewer
    if not (viewer.operates and viewer.reads_people):
        raise HTTPException(403)
    catalog = read_catalog()
    with reading() as connection:
        found = waiting.row(connection, quarantine_id)
    if found is None:
        raise HTTPException(404)
    about: dict[str, str | int] = {"stream": f"{found.system}.{found.stream}", "quarantine_id": quarantine_id}
    with reading_people(viewer, _RECORD, about) as (connection, read):
        record = all_values(connection, found)
        read.rows = int(bool(record))
    context = context_of(catalog, found.system, found.stream, found.suite)
    return _row_page(request, catalog, found, context, {}, record)


def _row_page(
    request: Request,
    catalog: Catalog,
    found: waiting.Row,
    context: Context,
    values: Mapping[str, str],
    record: Mapping[str, str | None] | None,
) -> HTMLResponse:
    return page(
        request,
        request.state.viewer,
        "quarantine_row.html",
        row=found,
        reasons=why(context, found.expectation, found.reason, value_kind=found.value_kind, values=values),
        record=record,
        why_not=found.why_not(catalog.systems),
        alike=Filter(found.system, found.stream, " ".join(filter(None, (found.expectation, found.reason)))),
        only=Filter(found.system, found.stream, rows=str(found.quarantine_id)),
        suite_file=f"expectations/{found.suite}.yaml" if context.suite else None,
        has_stream=context.stream is not None,
    )


def context_of(catalog: Catalog, system: str, stream: str, suite: str) -> Context:
    """What the stream's reasons are explained by; of a suite or a stream that is gone, nothing."""
    known = catalog.systems.get(system)
    return Context(_suite(suite), known.streams.get(stream) if known else None, catalog.entities, f"{system}.{stream}")


def in_words(catalog: Catalog, system: str, stream: str, each: waiting.Group | waiting.Row) -> list[Why]:
    """Each field that is wrong, once."""
    context = context_of(catalog, system, stream, each.suite)
    kind = each.value_kind if isinstance(each, waiting.Row) else None
    return list(in_short(why(context, each.expectation, each.reason, value_kind=kind)))


def _suite(name: str) -> Suite | None:
    try:
        return read_suite(name)
    except CatalogError:  # of a stream that is gone, or `landing`, which is none
        return None
