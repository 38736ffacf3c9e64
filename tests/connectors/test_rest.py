"""The REST reader on a real socket: every page once, in order, and never for ever."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import Window
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.reading import reader
from tests.http.web_server import Asked, Say, WebServer, serving

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
NEXT_URL = {"kind": "url", "path": "next"}


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


def shop(web: WebServer, **stream: object) -> PageReader:
    system = System.model_validate(
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
    )
    endpoint = Endpoint(web.url)
    client = Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), stream="item", sleep=lambda _: None)
    return reader(system, "item", endpoint, client, lambda after, changed: iter(()))


def body(*ids: int, **more: object) -> Say:
    return Say(200, json.dumps({"items": [{"id": str(each)} for each in ids], **more}).encode())


def keys(pages: Iterator[Page] | list[Page]) -> list[str | None]:
    return [record.key for page in pages for record in page.records]


def by_page(texts: dict[str, Say], parameter: str = "page") -> Callable[[Asked], Say]:
    return lambda asked: texts[asked.params.get(parameter, "")]


def test_the_window_and_the_declared_fields_are_asked_for(web: WebServer) -> None:
    web.script(body(1))
    list(shop(web)(WINDOW, None))
    assert web.asked[0].params == {
        "from": "2026-01-01T00:00:00Z",
        "to": "2026-01-02T00:00:00Z",
        "only": "id,address",
    }


def test_pages_go_on_by_address_and_the_token_goes_on_after_the_page(web: WebServer) -> None:
    web.answer = by_page({"": body(1, 2, next="/items?page=b"), "b": body(3, next="/items?page=c"), "c": body(4)})
    pages = list(shop(web, next=NEXT_URL)(WINDOW, None))
    assert keys(pages) == ["1", "2", "3", "4"]
    assert pages[-1].token is None
    resumed = list(shop(web, next=NEXT_URL)(WINDOW, pages[0].token))
    assert keys(resumed) == ["3", "4"]


def test_a_page_is_fetched_only_when_the_one_before_was_taken(web: WebServer) -> None:
    web.answer = by_page({"": body(1, next="/items?page=b"), "b": body(2)})
    pages = shop(web, next=NEXT_URL)(WINDOW, None)
    next(pages)
    assert len(web.asked) == 1


def test_an_empty_page_in_the_middle_is_not_the_end(web: WebServer) -> None:
    web.answer = by_page({"": body(next="/items?page=b"), "b": body(2)})
    assert keys(shop(web, next=NEXT_URL)(WINDOW, None)) == ["2"]


def test_a_page_served_twice_is_passed(web: WebServer) -> None:
    web.script(body(1, next="/items?page=b"), body(2, next="/items?page=b"), body(2, next="/items?page=c"), body(3))
    assert keys(shop(web, next=NEXT_URL)(WINDOW, None)) == ["1", "2", "2", "3"]


@pytest.mark.parametrize("circle", [["b"], ["b", "c"]], ids=["itself", "two pages"])
def test_a_next_page_that_leads_in_a_circle_ends_with_a_clear_error(web: WebServer, circle: list[str]) -> None:
    turns = iter(circle * 100)
    web.answer = lambda _: body(1, next=f"/items?page={next(turns)}")
    with pytest.raises(Fatal, match=r"shop\.item.*circle"):
        list(shop(web, next=NEXT_URL)(WINDOW, None))
    assert len(web.asked) < 10


def test_a_next_page_on_another_host_is_refused(web: WebServer) -> None:
    web.script(body(1, next="https://evil.example/items?page=b"))
    with pytest.raises(Fatal, match="another host"):
        list(shop(web, next=NEXT_URL)(WINDOW, None))


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_page_to_go_on_from_that_is_gone_starts_the_window_anew(web: WebServer, status: int) -> None:
    web.answer = by_page({"old": Say(status, b'[{"errorCode":"INVALID_QUERY_LOCATOR"}]'), "": body(1, 2)})
    assert keys(shop(web, next=NEXT_URL)(WINDOW, "/items?page=old")) == ["1", "2"]


def test_a_page_that_is_gone_in_the_middle_is_an_error(web: WebServer) -> None:
    web.answer = by_page({"": body(1, next="/items?page=b"), "b": Say(404)})
    with pytest.raises(Fatal, match="404"):
        list(shop(web, next=NEXT_URL)(WINDOW, None))


@pytest.mark.parametrize(
    ("kind", "parameter", "asked"), [("offset", "skip", ["0", "2", "3"]), ("number", "page", ["1", "2", "3"])]
)
def test_pages_go_on_by_offset_and_by_number(web: WebServer, kind: str, parameter: str, asked: list[str]) -> None:
    web.script(body(1, 2), body(3), body())
    pages = list(shop(web, next={"kind": kind, "parameter": parameter})(WINDOW, None))
    assert keys(pages) == ["1", "2", "3"]
    assert [each.params[parameter] for each in web.asked] == asked
    web.asked.clear()
    web.script(body())
    list(shop(web, next={"kind": kind, "parameter": parameter})(WINDOW, pages[0].token))
    assert web.asked[0].params[parameter] == asked[1]


def paged(items: int, size: int, parameter: str, *, first: int | None = None, **more: object) -> Callable[[Asked], Say]:
    """A list of so many items in pages of `size`, whatever was asked for: by number from `first`, else by offset."""

    def answer(asked: Asked) -> Say:
        position = int(asked.params.get(parameter, 0))
        start = position if first is None else (position - first) * size
        return body(*range(start, min(start + size, items)), **more)

    return answer


@pytest.mark.parametrize("total", [0, 1, 24, 25, 26, 95, 100])
@pytest.mark.parametrize(
    "following",
    [
        {"kind": "offset", "parameter": "at"},
        {"kind": "number", "parameter": "at"},
        {"kind": "number", "parameter": "at", "first": 0},
        {"kind": "offset", "parameter": "at", "overlap": 3},
        {"kind": "offset", "parameter": "at", "total": "meta.count"},
        {"kind": "number", "parameter": "at", "total": "meta.count"},
    ],
    ids=["offset", "number", "number from 0", "overlap", "offset, total", "number, total"],
)
def test_a_listing_is_read_to_its_end_however_small_the_pages_of_the_source(
    web: WebServer, following: dict[str, object], total: int
) -> None:
    """The source caps its pages at 25, where more were asked for."""
    first = following.get("first", 1) if following["kind"] == "number" else None
    web.answer = paged(total, 25, "at", first=first, meta={"count": total})
    assert set(keys(shop(web, next=following)(WINDOW, None))) == set(map(str, range(total)))


def test_the_total_that_the_source_names_saves_the_empty_page(web: WebServer) -> None:
    web.answer = paged(50, 25, "at", total=50)
    list(shop(web, next={"kind": "offset", "parameter": "at", "total": "total"})(WINDOW, None))
    assert [asked.params["at"] for asked in web.asked] == ["0", "25"]


@pytest.mark.parametrize(
    ("following", "say"),
    [
        ({}, body(1, 2, total=95)),
        ({}, body(1, 2, meta={"total_count": 3})),
        ({}, body(1, 2, next="/items?page=b")),
        ({}, body(1, 2, _links={"next": {"href": "?page=2"}})),
        ({}, body(1, 2, paging={"has_more": True})),
        ({}, body(1, 2, next_cursor="abc")),
        ({}, body(1, 2, page=1, next_page=2)),
        ({}, body(1, 2, links=[{"rel": "self", "href": "/items"}, {"rel": "next", "href": "/items?page=2"}])),
        ({}, Say(200, body(1, 2).body, {"X-Total-Count": "95"})),
        ({}, Say(200, body(1, 2).body, {"Link": '<http://x/items?page=2>; rel="next", <http://x/items>; rel="first"'})),
        ({"kind": "url", "path": "nxt"}, body(1, 2, next="/items?page=b")),
        ({"kind": "number", "parameter": "page", "total": "count"}, body(count=7)),
    ],
)
def test_an_answer_that_says_that_there_is_more_is_never_the_whole_listing(
    web: WebServer, following: dict[str, object], say: Say
) -> None:
    web.answer = lambda asked: say if asked.params.get("page", "1") == "1" else body(count=7)
    with pytest.raises(Fatal, match=r"shop\.item: the listing was read in part: .* Say under `next`"):
        list(shop(web, next=following)(WINDOW, None))


@pytest.mark.parametrize(
    ("following", "say"),
    [
        ({}, body(1, 2, total=2, next=None, has_more=False)),
        ({}, body(1, 2, total=1)),  # of something else, or counted before
        ({}, body(1, 2, page=1, next_page=None, status="ok", links=[{"rel": "prev", "href": "/items"}])),
        ({}, Say(200, body(1, 2).body, {"X-Total-Count": "2"})),
        ({}, body(1, 2, next="2026-12-01", error=None, success=True, errors=[])),
        ({"complete": True}, body(1, 2, total=95, next="/items?page=b")),
        ({}, Say(200, body(1, 2).body, {"Link": '<http://x/items>; rel="prev"'})),
    ],
)
def test_an_answer_without_a_sign_of_more_is_the_whole_listing(
    web: WebServer, following: dict[str, object], say: Say
) -> None:
    web.answer = lambda _: say
    assert keys(shop(web, next=following)(WINDOW, None)) == ["1", "2"]


def test_a_total_that_is_not_where_the_catalogue_says_is_an_error(web: WebServer) -> None:
    web.answer = lambda _: body(1, 2, count=2)
    with pytest.raises(Fatal, match=r"no number at meta\.total.*next\.total"):
        list(shop(web, next={"kind": "number", "parameter": "page", "total": "meta.total"})(WINDOW, None))


def test_pages_go_on_by_the_header_link(web: WebServer) -> None:
    def answer(asked: Asked) -> Say:
        page = int(asked.params.get("page", "1"))
        link = {"Link": f'<{web.url}/items?page={page + 1}>; rel="next", </items>; rel="first"'} if page < 4 else {}
        return Say(200, body(page).body, link)

    web.answer = answer
    pages = list(shop(web, next={"kind": "link"})(WINDOW, None))
    assert keys(pages) == ["1", "2", "3", "4"]
    assert keys(shop(web, next={"kind": "link"})(WINDOW, pages[1].token)) == ["3", "4"]


@pytest.mark.parametrize("address", ["?page=2", "items?page=2", "/items?page=2"])
def test_a_next_address_is_relative_to_the_page_that_names_it(web: WebServer, address: str) -> None:
    web.answer = by_page({"": body(1, next=address), "2": body(2)})
    assert keys(shop(web, next=NEXT_URL)(WINDOW, None)) == ["1", "2"]
    assert {asked.path for asked in web.asked} == {"/items"}


@pytest.mark.parametrize(
    "more",
    [
        {"success": False, "error": "no such tenant"},
        {"ok": False},
        {"error": {"code": 17}},
        {"errors": ["timeout after 10 records"]},
        {"errorMessage": "quota"},
        {"status": "error", "message": "no such tenant"},
        {"result": "fail"},
    ],
)
@pytest.mark.parametrize("ids", [(), (1,)], ids=["nothing listed", "a part listed"])
def test_an_error_with_status_200_is_never_a_success(
    web: WebServer, ids: tuple[int, ...], more: dict[str, object]
) -> None:
    web.answer = lambda _: body(*ids, **more)
    with pytest.raises(Retriable, match="status 200 with an error"):
        list(shop(web)(WINDOW, None))


@pytest.mark.parametrize("more", [{"total": 95}, {"has_more": True}, {"next": "/items?page=2"}])
def test_what_stands_beside_a_list_deep_in_the_body_counts_too(web: WebServer, more: dict[str, object]) -> None:
    web.answer = lambda _: Say(200, json.dumps({"data": {"items": [{"id": "1"}], **more}}).encode())
    with pytest.raises(Fatal, match="read in part"):
        list(shop(web, records="data.items")(WINDOW, None))
    web.answer = lambda _: Say(200, json.dumps({"data": {"items": [{"id": "1"}], "total": 1}}).encode())
    following = {"kind": "number", "parameter": "page", "total": "data.total"}
    assert keys(shop(web, records="data.items", next=following)(WINDOW, None)) == ["1"]


def test_a_page_without_content_ends_a_listing_whatever_the_page_before_said(web: WebServer) -> None:
    web.script(body(1, has_more=True), Say(204))
    assert keys(shop(web, next={"kind": "number", "parameter": "page"})(WINDOW, None)) == ["1"]


def test_no_content_is_an_empty_listing(web: WebServer) -> None:
    web.answer = lambda _: Say(204)
    assert keys(shop(web)(WINDOW, None)) == []


def test_a_source_that_ignores_the_offset_ends_with_a_clear_error(web: WebServer) -> None:
    web.script(body(1, 2))
    with pytest.raises(Fatal, match="circle"):
        list(shop(web, next={"kind": "offset", "parameter": "skip"})(WINDOW, None))


@pytest.mark.parametrize(
    "bad",
    [
        Say(200, b"<html>sorry</html>"),
        Say(200, b'{"items": [{"id": "1"'),
        Say(200, b'{"items": [', announced=90),
        Say(200, b'{"error": "internal"}'),
        Say(429, headers={"Retry-After": "2"}),
        Say(429),
    ],
    ids=["html", "cut json", "cut body", "error with 200", "429 with", "429 without"],
)
def test_a_damaged_page_is_read_again_and_a_lasting_damage_is_told(web: WebServer, bad: Say) -> None:
    web.script(bad, body(1))
    assert keys(shop(web)(WINDOW, None)) == ["1"]
    web.script(bad)
    with pytest.raises(Retriable, match=r"shop\.item: GET /items failed 3 times"):
        list(shop(web)(WINDOW, None))


def test_an_unknown_stream_and_a_missing_module_are_named(web: WebServer) -> None:
    system = System.model_validate(
        {
            "system": "shop",
            "title": "A shop",
            "protocol": "rest",
            "connection": "shop_api",
            "schedule": "0 * * * *",
            "python": {"module": "no_such_module", "why": "to show what a missing module is told"},
            "streams": {"item": {"title": "Items", "primary_key": ["id"], "fields": {"id": "text"}}},
        }
    )
    endpoint = Endpoint(web.url)
    client = Client(system, endpoint, lambda _: None)
    with pytest.raises(Fatal, match="no stream 'thing'"):
        reader(system, "thing", endpoint, client, lambda after, changed: iter(()))
    with pytest.raises(Fatal, match="no_such_module"):
        reader(system, "item", endpoint, client, lambda after, changed: iter(()))
