"""However a source lists its records, all of them are read, or the load fails and says what to set."""

from __future__ import annotations

import json
import random

import pytest
from pydantic import ValidationError

from onefold.catalog.paging import NextPage
from onefold.errors import Fatal
from tests.connectors.paged_source import PagedSource, any_source
from tests.connectors.rest_shop import WINDOW, body, by_page, keys, shop
from tests.effort import TORTURE
from tests.http.web_server import Asked, Say, WebServer, serving

SOURCES = 5_000 if TORTURE else 250


def test_any_source_whose_yaml_is_right_is_read_to_its_end_and_gone_on_with_from_any_page(web: WebServer) -> None:
    for seed in range(SOURCES):
        rng = random.Random(seed)
        source = web.answer = any_source(rng, web.url)
        read = shop(web, request=source.request, next=source.next)
        try:
            pages = list(read(WINDOW, None))
            resumed = rng.choice(pages[:-1] or pages)
            rest = list(read(WINDOW, resumed.token))
        except Exception as error:
            raise AssertionError(f"seed {seed}: {source}") from error
        assert keys(pages) == [str(each) for each in range(source.items)], f"seed {seed}: {source}"
        seen = pages[: pages.index(resumed) + 1] if resumed.token else []
        assert keys([*seen, *rest]) == keys(pages), f"seed {seed}, from {resumed.token}: {source}"


WRONG = {
    "one page": {},
    "counted from the other number": {"kind": "number", "parameter": "at", "first": None},
    "by offset": {"kind": "offset", "parameter": "at"},
    "by number from 0": {"kind": "number", "parameter": "at", "first": 0},
    "by number from 1": {"kind": "number", "parameter": "at", "first": 1},
    "by a token elsewhere": {"kind": "token", "path": "meta.nowhere", "parameter": "at"},
    "by the header Link": {"kind": "link"},
    "in another parameter": {"kind": "number", "parameter": "page", "first": 1},
    "until the end mark of another kind": {"kind": "number", "parameter": "at", "first": 1, "more": "meta.final"},
    "total of pages": {"kind": "number", "parameter": "at", "first": 1, "total": "meta.sheets"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_yaml_that_is_wrong_reads_all_or_fails_and_never_fewer_where_the_source_counts(
    web: WebServer, wrong: str
) -> None:
    """The source says how many there are, under a usual name or in a header, and the YAML does not know of it."""
    for seed in range(400 if TORTURE else 10):
        rng = random.Random(f"{wrong}{seed}")
        kind = rng.choice(["number", "offset", "token", "url", "after"])
        cap = rng.choice([1, 2, 5, 25])
        items = rng.choice([cap, cap + 1, 3 * cap + 1, 2 * cap + 2])
        first = rng.choice([0, 1]) if kind == "number" else 0
        marks = ("last", "pages")
        source = PagedSource(kind, items, cap, first=first, address="query", marks=marks, counted=rng.choice([1, 2]))
        following = dict(WRONG[wrong])
        if following.get("first", 0) is None:
            following["first"] = 1 - first
        web.answer = source
        try:
            found = len(set(keys(shop(web, request=source.request, next=following)(WINDOW, None))))
        except Fatal as error:
            found = items if "next" in str(error) else -1
        assert found == items, f"seed {seed}: {source}"


AT_THE_END = [{"next": ""}, {"next": None}, {}, {"next": False}]


@pytest.mark.parametrize("end", AT_THE_END, ids=str)
@pytest.mark.parametrize(
    "address", ["?page=2", "items?page=2", "./items?page=2", "../v1/items?page=2", "/v1/items?page=2"]
)
def test_a_next_address_is_meant_from_the_page_that_names_it(
    web: WebServer, address: str, end: dict[str, object]
) -> None:
    web.answer = by_page({"": body(1, next=address), "2": body(2, next="?page=3"), "3": body(3, **end)})
    read = shop(web, request={"path": "/v1/items"}, next={"kind": "url", "path": "next"})
    assert keys(read(WINDOW, None)) == ["1", "2", "3"]
    assert {asked.path for asked in web.asked} == {"/v1/items"}


def test_a_relative_address_may_leave_the_path_of_the_connection_and_an_absolute_path_need_not_name_it() -> None:
    with serving() as web:
        web.url += "/api/v1"
        web.answer = by_page({"": body(1, next="../pages?page=2"), "2": body(2, next="/items?page=3"), "3": body(3)})
        assert keys(shop(web, next={"kind": "url", "path": "next"})(WINDOW, None)) == ["1", "2", "3"]
        assert [asked.path for asked in web.asked] == ["/api/v1/items", "/api/pages", "/api/v1/items"]


def test_a_host_that_the_yaml_trusts_is_asked_with_the_credentials_and_no_other(web: WebServer) -> None:
    with serving() as second, serving() as third:
        second.answer = lambda _: body(2, next=f"{third.url}/items?page=3")
        web.answer = lambda _: body(1, next=f"{second.url}/items?page=2")
        following = {"kind": "url", "path": "next", "hosts": [second.url.removeprefix("http://")]}
        headers = {"path": "/items", "headers": {"X-Ours": "secret"}}
        with pytest.raises(Fatal, match=r"another host.*next\.hosts.*keep: path"):
            list(shop(web, next=following, request=headers)(WINDOW, None))
        assert [asked.headers["X-Ours"] for asked in second.asked] == ["secret"]
        assert third.asked == []


@pytest.mark.parametrize(("keep", "path"), [("query", "/items"), ("path", "/inner/items")])
def test_an_inner_host_in_next_addresses_is_replaced_by_the_connections_own(
    web: WebServer, keep: str, path: str
) -> None:
    web.answer = by_page({"": body(1, next="http://inner.local:8080/inner/items?page=2"), "2": body(2)})
    assert keys(shop(web, next={"kind": "url", "path": "next", "keep": keep})(WINDOW, None)) == ["1", "2"]
    assert web.asked[1].path == path


@pytest.mark.parametrize("address", ["/items?page={0}", "?page={0}", "{url}/items?page={0}"])
def test_addresses_in_a_circle_end_with_what_to_check(web: WebServer, address: str) -> None:
    web.answer = lambda asked: body(1, next=address.format(len(web.asked) % 2, url=web.url))
    with pytest.raises(Fatal, match=r"circle.*check `next`"):
        list(shop(web, next={"kind": "url", "path": "next"})(WINDOW, None))


def test_pages_of_a_post_by_address_are_posted_too(web: WebServer) -> None:
    web.answer = by_page({"": body(1, next="?page=2"), "2": body(2)})
    request = {"path": "/items", "method": "POST", "body": '{"a": 1}'}
    assert keys(shop(web, request=request, next={"kind": "url", "path": "next"})(WINDOW, None)) == ["1", "2"]
    assert [(asked.method, asked.body) for asked in web.asked] == [("POST", b'{"a": 1}')] * 2


def test_a_token_in_a_body_keeps_its_type_and_what_the_body_says(web: WebServer) -> None:
    web.script(body(1, key={"id": 7.10, "t": "x"}), body(2, key=8), body(3, key="9"), body(4, key={}))
    request = {"path": "/search", "method": "POST", "body": '{"from": "{start}", "page": {"size": 2}}'}
    following = {"kind": "token", "path": "key", "parameter": "page.after", "place": "body"}
    assert keys(shop(web, request=request, next=following)(WINDOW, None)) == ["1", "2", "3", "4"]
    pages = [json.loads(asked.body)["page"] for asked in web.asked]
    assert [page.get("after") for page in pages] == [None, {"id": 7.1, "t": "x"}, 8, "9"]
    assert all(page["size"] == 2 for page in pages)
    assert b"7.1" in web.asked[1].body and web.asked[1].headers["Content-Type"] == "application/json"


def test_a_sort_of_several_values_goes_on_after_the_last_record(web: WebServer) -> None:
    """As Elasticsearch's search_after: a list."""
    hits = [{"id": str(each), "sort": [each, "a"]} for each in range(5)]

    def answer(asked: Asked) -> Say:
        after = json.loads(asked.body).get("search_after", [-1])[0]
        return Say(200, json.dumps({"items": hits[after + 1 : after + 3]}).encode())

    web.answer = answer
    following = {"kind": "after", "field": "sort", "parameter": "search_after", "place": "body"}
    read = shop(web, request={"path": "/search", "method": "POST", "body": "{}"}, next=following)
    assert keys(read(WINDOW, None)) == ["0", "1", "2", "3", "4"]


def test_records_within_what_is_listed_do_not_move_the_offset(web: WebServer) -> None:
    """Offsets, totals and the last record are those of what is listed; a page of orders without items is no end."""
    orders = [{"id": str(each), "parts": [{"part": f"{each}-{n}"} for n in range(each % 3)]} for each in range(20)]

    def answer(asked: Asked) -> Say:
        at = int(asked.params.get("at") or 0)
        return Say(200, json.dumps({"items": orders[at : at + 3], "total": len(orders)}).encode())

    web.answer = answer
    stream = {
        "nested": {"path": "parts", "carry": ["id"]},
        "primary_key": ["part"],
        "fields": {"part": "text", "id": "text"},
    }
    expected = [part["part"] for order in orders for part in order["parts"]]
    for more in ({}, {"overlap": 2}, {"total": "total"}):
        read = shop(web, next={"kind": "offset", "parameter": "at"} | more, **stream)
        assert sorted(set(keys(read(WINDOW, None)))) == sorted(expected)


@pytest.mark.parametrize(("cap", "overlap"), [(1, 5), (2, 2), (3, 10), (5, 4)])
def test_pages_smaller_than_the_overlap_are_no_end(web: WebServer, cap: int, overlap: int) -> None:
    web.answer = PagedSource("offset", 17, cap, first=0)
    following = {"kind": "offset", "parameter": "at", "overlap": overlap}
    assert keys(shop(web, request={"path": "/v1/items"}, next=following)(WINDOW, None)) == [str(n) for n in range(17)]


@pytest.mark.parametrize("kind", ["number", "offset"])
def test_rows_that_are_added_in_front_are_no_reason_to_stop_early(web: WebServer, kind: str) -> None:
    """The total grows with them: at the old one, the last rows would not have been read."""
    rows = [str(each) for each in range(6)]

    def answer(asked: Asked) -> Say:
        at = int(asked.params["at"])
        start = at if kind == "offset" else (at - 1) * 2
        said = body(*rows[start : start + 2], total=len(rows))
        if len(web.asked) in (1, 2):
            rows.insert(0, f"new {len(web.asked)}")
        return said

    web.answer = answer
    found = keys(shop(web, next={"kind": kind, "parameter": "at", "total": "total"})(WINDOW, None))
    assert {*found} >= {str(each) for each in range(6)}


@pytest.mark.parametrize(
    ("following", "first", "said"),
    [
        ({"kind": "token", "path": "t", "parameter": "p", "more": "m"}, body(1, m=True), "nothing to go on from"),
        ({"kind": "url", "path": "t", "last": "l"}, body(1, l=False), "nothing to go on from"),
        ({"kind": "offset", "parameter": "p", "more": "m"}, body(m=True), "nothing to go on from"),
        ({"more": "m"}, body(1, m="true"), "nothing to go on from"),
        ({"kind": "number", "parameter": "p", "more": "m"}, body(1), "neither true nor false at m.*next.more"),
        ({"kind": "number", "parameter": "p", "last": "a.l"}, body(1, a={"l": "?"}), "at a.l.*next.last"),
        ({"kind": "number", "parameter": "p", "pages": "n"}, body(1, n="many"), "no number at n.*next.pages"),
        ({"kind": "number", "parameter": "p", "total": "n"}, body(1, 2, 3, n=2), "counts something else.*next.pages"),
        ({"kind": "token", "header": "X-T", "parameter": "p", "place": "header"}, None, "no header may have"),
    ],
)
def test_what_contradicts_itself_is_no_end(
    web: WebServer, following: dict[str, object], first: Say | None, said: str
) -> None:
    web.answer = lambda _: first or Say(200, body(1).body, {"X-T": "\xe9"})
    with pytest.raises(Fatal, match=said):
        list(shop(web, next=following)(WINDOW, None))


def test_an_end_mark_ends_a_listing_whose_tokens_never_do(web: WebServer) -> None:
    web.script(body(1, cursor="a", has_more=True), body(cursor="b", has_more=True), body(2, cursor="c", has_more=False))
    following = {"kind": "token", "path": "cursor", "parameter": "cursor", "more": "has_more"}
    assert keys(shop(web, next=following)(WINDOW, None)) == ["1", "2"]


def test_a_page_behind_the_last_that_is_refused_says_what_to_set(web: WebServer) -> None:
    web.script(body(1), Say(404, b'{"detail": "Invalid page."}'))
    following = {"kind": "number", "parameter": "page", "first": 1}
    with pytest.raises(Fatal, match=r"404.*`total`, `pages`, `more` or `last`.*request\.empty"):
        list(shop(web, next=following)(WINDOW, None))
    web.script(body(1), Say(404, b'{"detail": "Invalid page."}'))
    request = {"path": "/items", "empty": {"status": 404, "text": "Invalid page"}}
    assert keys(shop(web, next=following, request=request)(WINDOW, None)) == ["1"]


def test_the_size_of_pages_is_said_once_and_sent_with_each(web: WebServer) -> None:
    web.script(body(1, 2), body(3), body())
    following = {"kind": "offset", "parameter": "skip", "size": 2, "size_parameter": "limit"}
    assert keys(shop(web, next=following)(WINDOW, None)) == ["1", "2", "3"]
    assert [(asked.params["skip"], asked.params["limit"]) for asked in web.asked] == [
        ("0", "2"),
        ("2", "2"),
        ("3", "2"),
    ]


@pytest.mark.parametrize(
    ("following", "key", "said"),
    [
        ({"kind": "number", "parameter": "p", "path": "next"}, "path", "path is for next of kind token or url"),
        ({"kind": "url", "path": "n", "first": 1}, "first", "first is for next of kind number or offset"),
        ({"kind": "token", "path": "n", "header": "h", "parameter": "p"}, "header", "say the same in two ways"),
        ({"kind": "number", "parameter": "p", "more": "m", "last": "l"}, "last", "say the same in two ways"),
        ({"kind": "link", "hosts": ["api.example.com"], "keep": "query"}, "hosts", "take out hosts or keep"),
        ({"kind": "number", "parameter": "p", "size": 2, "size_parameter": "p"}, "size_parameter", "name two"),
        ({"kind": "link", "place": "body"}, "place", "take it out"),
        ({"kind": "url", "path": "n", "field": "id"}, "field", "field is for next of kind after"),
    ],
)
def test_what_cannot_be_true_of_its_kind_is_refused_on_its_line(
    following: dict[str, object], key: str, said: str
) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        NextPage.model_validate(following)
    assert refused.value.errors()[0]["ctx"]["key"] == key


@pytest.mark.parametrize("kind", ["url", "token", "after"])
def test_a_kind_without_what_it_needs_is_refused(kind: str) -> None:
    with pytest.raises(ValidationError, match=f"next of kind {kind} needs"):
        NextPage.model_validate({"kind": kind})


@pytest.mark.parametrize("host", ["https://api.example.com", "*.example.com", "api.example.com/v1", "a@b.example", ""])
def test_a_trusted_host_is_the_name_of_one_host(host: str) -> None:
    with pytest.raises(ValidationError, match="write the name of one host"):
        NextPage.model_validate({"kind": "link", "hosts": [host]})
