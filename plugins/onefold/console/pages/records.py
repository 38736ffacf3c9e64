"""Golden records: found by name or number; each with where its values came from, what lost, and why it is one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import psycopg
from fastapi import APIRouter, Depends, Form, HTTPException
from psycopg import sql
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.catalog.entity import Entity
from onefold.catalog.reader import Catalog, read_catalog
from onefold.catalog.system import System
from onefold.console.actions import require_same_origin
from onefold.console.reading import reading, reading_people
from onefold.console.render import page
from onefold.console.viewer import Viewer
from onefold.insight.golden_record import golden_record
from onefold.insight.golden_search import MOST, search, searched
from onefold.insight.other_values import other_values

router = APIRouter()


@router.get("/records")
def search_form(request: Request) -> HTMLResponse:
    """Where to search."""
    entities = {name: each.title for name, each in read_catalog().entities.items()}
    return page(
        request, request.state.viewer, "records.html", entities=entities, found=None, text="", chosen="", people=False
    )


@router.post("/records")
def search_page(
    request: Request, text: str = Form(""), entity: str = Form(""), people: bool = Form(False)
) -> HTMLResponse:
    """What was found. The text is sent, and stands in no address: it may be somebody's name. With `people` also by what
    is personal, which is recorded before, without the text; raises HTTPException 403 when the viewer may not see it."""
    entities = read_catalog().entities
    chosen = entity if entity in entities else None
    if people:
        require_same_origin(request)
        about = {"entity": chosen} if chosen else {}
        with reading_people(request.state.viewer, searched(entities, chosen), about) as (connection, read):
            found = search(connection, entities, text, chosen, people=True)
            read.rows = len(found)
    else:
        with reading() as connection:
            found = search(connection, entities, text, chosen)
    return page(
        request,
        request.state.viewer,
        "records.html",
        entities={name: each.title for name, each in entities.items()},
        found=found,
        most=MOST,
        text=text,
        chosen=entity,
        people=people,
    )


@router.get("/records/{entity}/{golden_id}")
def record_page(request: Request, entity: str, golden_id: UUID) -> HTMLResponse:
    """One of them."""
    with reading() as connection:
        return _record_page(request, connection, _entity(read_catalog(), entity), str(golden_id), None)


@router.post("/records/{entity}/{golden_id}", dependencies=[Depends(require_same_origin)])
def record_with_people(request: Request, entity: str, golden_id: UUID) -> HTMLResponse:
    """The same with its personal values, which is recorded before. Raises HTTPException 403 when the viewer may not see
    them."""
    catalog = read_catalog()
    described = _entity(catalog, entity)
    about = {"entity": entity, "golden_id": str(golden_id)}
    statement = sql.SQL("select * from {} where {} = {}").format(
        sql.Identifier("conformed", entity), sql.Identifier(f"{entity}_id"), sql.Literal(str(golden_id))
    )
    with reading_people(request.state.viewer, statement, about) as (connection, read):
        read.rows = 1
        return _record_page(request, connection, described, str(golden_id), catalog.systems)


def _entity(catalog: Catalog, name: str) -> Entity:
    """Raises HTTPException 404 when there is none of this name."""
    found = catalog.entities.get(name)
    if found is None:
        raise HTTPException(404)
    return found


def _record_page(
    request: Request,
    connection: psycopg.Connection,
    described: Entity,
    golden_id: str,
    systems: Mapping[str, System] | None,
) -> HTMLResponse:
    """With `systems` also what is personal."""
    viewer: Viewer = request.state.viewer
    record = golden_record(connection, described, golden_id, people=systems is not None)
    if record is None:
        raise HTTPException(404)
    others = other_values(connection, described, record, systems) if viewer.operates else None
    return page(
        request,
        viewer,
        "record.html",
        entity=described,
        record=record,
        people=systems is not None,
        others=others,
        empty=[name for name in described.attributes if name not in {each.attribute for each in record.attributes}],
    )
