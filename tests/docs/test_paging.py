"""Each pattern of docs/paging.md, read from a source that lists as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import yaml

from onefold.settings import ROOT
from tests.connectors.registers import now_window
from tests.connectors.rest_shop import WINDOW, keys, shop
from tests.connectors.soap import test_paging as soap
from tests.docs.pages import blocks
from tests.http.web_server import Asked, Say, serving

PAGE = ROOT / "docs" / "paging.md"
SAMPLES = {
    found[1]: block.text for block in blocks(PAGE, "yaml") if (found := re.match(r"# (\S+)\n", block.text)) is not None
}
ITEMS, CAP = 95, 25


def rows(start: int, **more: object) -> dict[str, object]:
    return {"items": [{"id": str(each)} for each in range(start, min(start + CAP, ITEMS))], **more}


def said(start: int, headers: dict[str, str] | None = None, **more: object) -> Say:
    return Say(200, json.dumps(rows(start, **more)).encode(), headers or {})


def at(asked: Asked, name: str) -> int:
    return int(asked.params.get(name, 0))


def by_link(asked: Asked) -> Say:
    start = at(asked, "at")
    return said(start, {"Link": f'</items?at={start + CAP}>; rel="next"'} if start + CAP < ITEMS else {})


def by_address(host: str) -> Callable[[Asked], Say]:
    def answer(asked: Asked) -> Say:
        start = at(asked, "at")
        return said(start, links={"next": f"{host}?at={start + CAP}" if start + CAP < ITEMS else None})

    return answer


def by_token(asked: Asked) -> Say:
    start = int(asked.params.get("cursor", "c0").removeprefix("c"))
    return said(start, meta={"next_cursor": f"c{start + CAP}", "has_more": start + CAP < ITEMS})


def by_header(asked: Asked) -> Say:
    start = int(asked.headers.get("X-Page-Token", 0))
    return said(start, {"X-Next-Token": str(start + CAP)} if start + CAP < ITEMS else {})


def by_search(asked: Asked) -> Say:
    question = json.loads(asked.body)
    assert asked.method == "POST" and question["paging"]["order"] == "id" and question["paging"]["limit"] == 50
    start = question["paging"].get("after", {"at": 0})["at"]
    return said(start, paging={"next": {"after": {"at": start + CAP}} if start + CAP < ITEMS else None})


def by_number(asked: Asked) -> Say:
    """Counts by the size that is asked for, and gives no more than CAP."""
    return said(at(asked, "page") * at(asked, "per_page"))


def after(asked: Asked) -> Say:
    start = int(asked.params.get("starting_after", -1)) + 1
    return said(start, has_more=start + CAP < ITEMS)


SOURCES = {
    "header-link": by_link,
    "address": by_address(""),
    "inner-host": by_address("http://inner.local:8080/list"),
    "offset": lambda asked: said(at(asked, "offset"), meta={"total": ITEMS}),
    "number": by_number,
    "token": by_token,
    "token-header": by_header,
    "search": by_search,
    "after": after,
}
SERVICES = {
    "soap": soap.Service("number", ITEMS, CAP, marks=("last",)),
    "soap-token": soap.Service("token", ITEMS, CAP),
}


def test_every_pattern_is_tried() -> None:
    assert SAMPLES.keys() == SOURCES.keys() | SERVICES.keys()


@pytest.mark.parametrize("pattern", SOURCES)
def test_a_pattern_reads_all_that_such_a_source_has(pattern: str) -> None:
    with serving() as web:
        web.answer = SOURCES[pattern]
        stream = {"request": {"path": "/items"}} | yaml.safe_load(SAMPLES[pattern])
        assert keys(shop(web, **stream)(WINDOW, None)) == [str(each) for each in range(ITEMS)]


@pytest.mark.parametrize("pattern", SERVICES)
def test_a_pattern_of_soap_reads_all_that_such_a_service_has(pattern: str) -> None:
    with serving() as web:
        web.answer = SERVICES[pattern]
        sample = yaml.safe_load(SAMPLES[pattern])
        assert sample["records"] == soap.SHOP.streams["account"].records
        pages = list(soap.read(web, sample["next"])(now_window(), None))
        assert soap.keys(pages) == [str(each) for each in range(ITEMS)]


def test_the_table_of_ends_names_every_kind_and_mark() -> None:
    text = PAGE.read_text()
    for word in ("none", "url", "link", "token", "after", "offset", "number", "total", "pages", "more", "last"):
        assert f"`{word}`" in text
