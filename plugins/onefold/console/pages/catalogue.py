"""Catalogue: the data dictionary, searched, and a page for each of its things."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.console.render import page
from onefold.console.sheets import golden, rules, sources
from onefold.console.sheets.sheet import Sheet
from onefold.insight.dictionary import KINDS, Dictionary, Kind, read_dictionary, search

router = APIRouter()
_SHEETS: Mapping[str, Callable[[Dictionary, str], Sheet]] = {
    "system": sources.system_sheet,
    "stream": sources.stream_sheet,
    "field": sources.field_sheet,
    "entity": golden.entity_sheet,
    "attribute": golden.attribute_sheet,
    "transform": rules.transform_sheet,
    "suite": rules.suite_sheet,
    "class": rules.class_sheet,
    "mart": golden.mart_sheet,
}
PLURALS: Mapping[Kind, str] = {each: f"{each}s" for each in KINDS} | {
    "entity": "entities",
    "class": "classes of personal data",
    "column": "columns of marts",
}


@router.get("/catalogue")
def catalogue(request: Request, q: str = "", kind: Kind | None = None, after: int = 0) -> HTMLResponse:
    """What has these words, of one kind or all; without words, all there is."""
    found = search(read_dictionary(), q, kind, after)
    return page(
        request,
        request.state.viewer,
        "catalogue.html",
        words=q.strip(),
        kind=kind,
        after=after,
        found=found,
        plurals=PLURALS,
    )


@router.get("/catalogue/{kind}/{name:path}")
def thing(request: Request, kind: Kind, name: str) -> HTMLResponse:
    """What the dictionary says of one thing. A mart's column is shown among the mart's."""
    dictionary = read_dictionary()
    if not any(each.kind == kind and each.name == name for each in dictionary.things()):
        raise HTTPException(404)
    if kind == "column":
        kind, name = "mart", name.partition(".")[0]
    return page(request, request.state.viewer, "sheet.html", sheet=sheet_of(dictionary, kind, name), plurals=PLURALS)


def sheet_of(dictionary: Dictionary, kind: Kind, name: str) -> Sheet:
    """All that the dictionary says of one of its things."""
    return _SHEETS[kind](dictionary, name)
