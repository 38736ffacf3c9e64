"""The REST reader on a real socket: every page once, in order, and never for ever."""

from __future__ import annotations

import pytest

from onefold.catalog.system import System
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from tests.connectors.reading import reader
from tests.connectors.rest_shop import NEXT_URL, WINDOW, body, by_page, keys, shop
from tests.http.web_server import Asked, Say, WebServer


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


@pytest.mark.parametrize("tokens", [(2, 3), ("2", "3"), (2**70, 3)])
def test_a_token_of_the_next_page_may_be_a_number(web: WebServer, tokens: tuple[object, object]) -> None:
    first, second = tokens
    web.answer = by_page({"": body(1, go=first), str(first): body(go=second), str(second): body(2, go=False)})
    following = {"kind": "token", "path": "go", "parameter": "page"}
    assert keys(shop(web, next=following)(WINDOW, None)) == ["1", "2"]


def test_an_empty_page_that_leads_to_itself_is_the_end(web: WebServer) -> None:
    """Whoever asks for changes gets a token with every answer; one that is for the changes to come leads to itself."""
    web.answer = by_page({"": body(1, go="a"), "a": body(go="b"), "b": body(2, go="c"), "c": body(go="c")})
    following = {"kind": "token", "path": "go", "parameter": "page"}
    assert keys(shop(web, next=following)(WINDOW, None)) == ["1", "2"]
    assert len(web.asked) == 4


def test_one_token_for_all_pages_is_refused_because_no_page_could_be_gone_on_from(web: WebServer) -> None:
    numbers = iter(range(99))
    web.answer = lambda _: body(next(numbers), go="abc")
    with pytest.raises(Fatal, match="circle"):
        list(shop(web, next={"kind": "token", "path": "go", "parameter": "page"})(WINDOW, None))


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
