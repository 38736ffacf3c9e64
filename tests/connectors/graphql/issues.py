"""A tracker's issues that are read by GraphQL: what is listed, and what was read of it."""

from __future__ import annotations

import json
from typing import cast

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.graphql.api import Api, Field, Object
from tests.connectors.reading import reader
from tests.connectors.rest_shop import WINDOW
from tests.http.web_server import WebServer

CONNECTION = {"kind": "connection", "size": 2}


def issues(*ids: int, **more: object) -> list[object]:
    return [{"id": str(each), "title": f"Issue {each}", "state": "OPEN", **more} for each in ids]


def source(web: WebServer, api: Api, slept: list[float] | None = None, **stream: object) -> PageReader:
    request = {"path": "/graphql", **cast("dict[str, object]", stream.pop("request", {}))}
    system = System.model_validate(
        {
            "system": "tracker",
            "title": "A tracker",
            "protocol": "graphql",
            "connection": "tracker_api",
            "schedule": "0 * * * *",
            "limits": {"rate": ["100000/s"], "attempts": 3},
            "errors": {"retry": ["come again"]},
            "streams": {
                "issue": {"title": "Issues", "primary_key": ["id"], "fields": {"id": "text", "title": "text"}}
                | {"request": request}
                | stream
            },
        }
    )
    web.answer = api
    endpoint = Endpoint(web.url)
    naps: list[float] = [] if slept is None else slept
    client = Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), stream="issue", sleep=naps.append)
    return reader(system, "issue", endpoint, client)


def read(web: WebServer, api: Api, token: str | None = None, **stream: object) -> list[Page]:
    return list(source(web, api, **stream)(WINDOW, token))


def payloads(pages: list[Page]) -> list[Object]:
    return [json.loads(record.payload) for page in pages for record in page.records]


def listed(rows: list[object], largest: int = 100) -> Field:
    """A list by offset that gives no more than so many at once."""

    def of(given: Object) -> object:
        begin = cast("int", given.get("offset") or 0)
        return rows[begin : begin + min(cast("int", given.get("limit") or 100), largest)]

    return Field({"limit": "Int", "offset": "Int"}, of)
