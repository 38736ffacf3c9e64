"""The end of a listing is proven, and an answer that is an error or a part is never the whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from onefold.errors import Fatal, Retriable
from tests.connectors.rest_shop import WINDOW, body, keys, shop
from tests.http.web_server import Asked, Say, WebServer


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


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        ({"first": False}, {}),
        ({"previous": "/items?page=0"}, {}),
        ({"meta": {"prev_page": "?page=0"}}, {}),
        ({"pagination": {"has_previous": True}}, {}),
        ({}, {"Link": '</items?page=0>; rel="prev"'}),
        ({}, {"X-Prev-Page": "?page=0"}),
    ],
    ids=str,
)
def test_pages_that_are_counted_from_0_are_not_read_from_1(
    web: WebServer, more: dict[str, object], headers: dict[str, str]
) -> None:
    web.answer = lambda _: Say(200, body(1, 2, **more).body, headers)
    with pytest.raises(Fatal, match=r"a page before the first.*Say under `next` .*first"):
        list(shop(web, next={"kind": "number", "parameter": "page"})(WINDOW, None))
    web.script(body(1, first=True, previous=None, has_previous=False), Say(200, body().body, headers))
    assert keys(shop(web, next={"kind": "number", "parameter": "page"})(WINDOW, None)) == ["1"]


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
