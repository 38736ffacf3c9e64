"""Golden records: found by name or number; each with where its values came from, what lost, and why it is one."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Form, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.catalog.reader import read_catalog
from onefold.console.reading import reading
from onefold.console.render import page
from onefold.console.viewer import Viewer
from onefold.insight.golden_record import golden_record
from onefold.insight.golden_search import MOST, search
from onefold.insight.other_values import other_values

router = APIRouter()


@router.get("/records")
def search_form(request: Request) -> HTMLResponse:
    """Where to search."""
    entities = {name: each.title for name, each in read_catalog().entities.items()}
    return page(request, request.state.viewer, "records.html", entities=entities, found=None, text="", chosen="")


@router.post("/records")
def search_page(request: Request, text: str = Form(""), entity: str = Form("")) -> HTMLResponse:
    """What was found. The text is sent, and stands in no address: it may be somebody's name."""
    entities = read_catalog().entities
    with reading() as connection:
        found = search(connection, entities, text, entity or None)
    return page(
        request,
        request.state.viewer,
        "records.html",
        entities={name: each.title for name, each in entities.items()},
        found=found,
        most=MOST,
        text=text,
        chosen=entity,
    )


@router.get("/records/{entity}/{golden_id}")
def record_page(request: Request, entity: str, golden_id: UUID) -> HTMLResponse:
    """One of them."""
    viewer: Viewer = request.state.viewer
    described = read_catalog().entities.get(entity)
    if described is None:
        raise HTTPException(404)
    with reading() as connection:
        record = golden_record(connection, described, str(golden_id))
        if record is None:
            raise HTTPException(404)
        others = other_values(connection, described, record) if viewer.operates else None
    return page(
        request,
        viewer,
        "record.html",
        entity=described,
        record=record,
        others=others,
        empty=[name for name in described.attributes if name not in {each.attribute for each in record.attributes}],
    )
