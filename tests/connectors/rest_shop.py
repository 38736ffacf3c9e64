"""A source whose list the REST reader reads, and its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import Window
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.reading import reader
from tests.http.web_server import Asked, Say, WebServer

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
NEXT_URL = {"kind": "url", "path": "next"}


def shop(
    web: WebServer, system: dict[str, object] | None = None, *, password: str | None = None, **stream: object
) -> PageReader:
    """Reads the stream `item`; `system` and `stream` are what the YAML says besides, `password` is the connection's."""
    described = System.model_validate(
        {
            "system": "shop",
            "title": "A shop",
            "protocol": "rest",
            "connection": "shop_api",
            "schedule": "0 * * * *",
            "limits": {"rate": ["100000/s"], "attempts": 3},
            "streams": {
                "item": {
                    "title": "Items",
                    "records": "items",
                    "primary_key": ["id"],
                    "fields": {"id": "text", "city": {"path": "address.city"}},
                    "request": {
                        "path": "/items",
                        "params": {"from": "{start}", "to": "{end}", "only": "{fields}"},
                    },
                }
                | stream
            },
        }
        | (system or {})
    )
    endpoint = Endpoint(web.url, None, password)
    client = Client(described, endpoint, lambda _: None, limiter=MemoryLimiter(), stream="item", sleep=lambda _: None)
    return reader(described, "item", endpoint, client, lambda after, changed: iter(()))


def body(*ids: int, **more: object) -> Say:
    return Say(200, json.dumps({"items": [{"id": str(each)} for each in ids], **more}).encode())


def keys(pages: Iterator[Page] | list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


def by_page(texts: dict[str, Say], parameter: str = "page") -> Callable[[Asked], Say]:
    return lambda asked: texts[asked.params.get(parameter, "")]
