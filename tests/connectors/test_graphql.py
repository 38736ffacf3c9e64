"""The GraphQL reader against a service as strict about types as real ones: all records, to a proven end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

import pytest

from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.graphql_api import Api, Connection, Field, Object, QueryError
from tests.connectors.reading import reader
from tests.connectors.rest_shop import WINDOW, keys
from tests.http.web_server import Say, WebServer

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


@pytest.mark.parametrize("nodes_at", [("edges",), ("nodes",), ("edges", "nodes")], ids="+".join)
def test_a_connection_is_read_to_its_end_by_edges_or_by_nodes_and_goes_on_after_a_page(
    web: WebServer, nodes_at: tuple[str, ...]
) -> None:
    api = Api({"issues": Connection(issues(1, 2, 3, 4, 5), nodes_at=nodes_at)})
    given = {"request": {"operation": "issues"}, "next": CONNECTION}
    given |= {"records": "nodes"} if "edges" not in nodes_at else {}
    pages = read(web, api, **given)
    assert keys(pages) == ["1", "2", "3", "4", "5"]
    assert payloads(pages)[0] == {"id": "1", "title": "Issue 1"}  # what is declared is asked for, and nothing else
    assert keys(read(web, api, pages[0].token, **given)) == ["3", "4", "5"]


def test_the_arguments_of_pages_are_called_as_the_source_calls_them_and_its_smaller_pages_are_noticed(
    web: WebServer,
) -> None:
    api = Api({"issues": Connection(issues(*range(9)), size="limit", after="cursor", largest=3)})
    following = {"kind": "connection", "size": 50, "size_parameter": "limit", "parameter": "cursor"}
    assert len(keys(read(web, api, request={"operation": "issues"}, next=following))) == 9


def test_a_connection_may_be_at_a_dotted_place_whose_names_have_arguments(web: WebServer) -> None:
    def repository(given: Object) -> object:
        return {"issues": Connection(issues(1, 2, 3))} if given == {"owner": "acme", "name": "x(1) {y}"} else None

    api = Api({"viewer": {"repository": Field({"owner": "String!", "name": "String!"}, repository)}})
    request = {
        "operation": "viewer.repository.issues",
        "select": {"repository": 'repository(owner: "acme", name: "x(1) {y}")'},
    }
    assert keys(read(web, api, request=request, next=CONNECTION)) == ["1", "2", "3"]


@pytest.mark.parametrize("written", ["titleOfIt", "title: titleOfIt", "title_", "titleOfIt(upper: true)"])
def test_a_name_may_be_written_as_another_one_that_begins_like_it(web: WebServer, written: str) -> None:
    api = Api({"issues": [{"id": "1", "titleOfIt": "x", "title_": "x"}]})
    if "(" in written:
        api = Api({"issues": [{"id": "1", "titleOfIt": Field({"upper": "Boolean"}, lambda given: "x")}]})
    assert payloads(read(web, api, request={"operation": "issues", "select": {"title": written}})) == [
        {"id": "1", "title": "x"}
    ]


def test_arguments_are_of_the_types_that_the_yaml_gives_them(web: WebServer) -> None:
    seen: list[Object] = []
    types = {
        "title": "String", "state": "State", "states": "[State!]", "order": "Order!", "filter": "Filter",
        "weight": "Float",
        "open": "Boolean", "from": "Int", "text": "String", "stars": "Int",
    }  # fmt: skip

    def keep(given: Object, node: object) -> bool:
        seen.append(given)
        return True

    api = Api({"issues": Connection(issues(1), types, keep=keep)})
    request = {
        "operation": "issues",
        "arguments": {
            "title": 'ABC "quoted" {start}', "state": "OPEN", "states": ["OPEN", "CLOSED"], "stars": 3, "weight": 0.5,
            "order": {"field": "UPDATED", "direction": "ASC"}, "open": True, "from": "{start_unix}",
            "text": "{start_unix}", "filter": {"since": "{start}", "title": "ABC", "labels": ["A", "B"]},
        },
        "types": {"state": "State", "states": "[State!]", "order": "Order!", "text": "String"},
    }  # fmt: skip
    assert keys(read(web, api, request=request, next=CONNECTION)) == ["1"]
    given = {name: value for name, value in seen[0].items() if name != "first"}
    assert given == {
        "title": 'ABC "quoted" 2026-01-01T00:00:00Z', "state": "OPEN", "states": ["OPEN", "CLOSED"], "stars": 3,
        "weight": 0.5, "order": {"field": "UPDATED", "direction": "ASC"}, "open": True, "from": 1767225600,
        "text": "1767225600", "filter": {"since": "2026-01-01T00:00:00Z", "title": "ABC", "labels": ["A", "B"]},
    }  # fmt: skip


def test_a_query_may_be_sent_by_get_with_headers(web: WebServer) -> None:
    api = Api({"issues": Connection(issues(1, 2, 3), {"state": "State"})})
    request = {
        "operation": "issues", "method": "GET", "headers": {"X-Version": "7"}, "arguments": {"state": "OPEN"},
        "types": {"state": "State"},
    }  # fmt: skip
    assert keys(read(web, api, request=request, next=CONNECTION)) == ["1", "2", "3"]
    assert {(each.method, each.headers["X-Version"]) for each in web.asked} == {("GET", "7")}


@pytest.mark.parametrize("lacking", [0, 2])
def test_a_connection_ends_when_as_many_were_read_as_the_source_counts(web: WebServer, lacking: int) -> None:
    api = Api({"issues": Connection(issues(1, 2, 3))})
    api.change = lambda answer: _with(answer, "issues", totalCount=3 + lacking)
    given = {"request": {"operation": "issues"}, "next": {**CONNECTION, "total": "totalCount"}}
    if not lacking:
        assert len(keys(read(web, api, **given))) == 3
        return
    with pytest.raises(Fatal, match=r"tracker\.issue.*totalCount is 5, and 3 were read"):
        read(web, api, **given)


def _with(answer: Object, name: str, **more: object) -> Say:
    data = cast("dict[str, Object]", answer["data"])
    return Say(200, json.dumps({"data": {name: data[name] | more}}).encode())


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"hasNextPage": True, "endCursor": None}, "no pageInfo.endCursor"),
        ({"hasNextPage": True, "endCursor": "MQ=="}, "circle"),
        ({"hasNextPage": None, "endCursor": None}, "shape has changed"),
    ],
)
def test_a_connection_that_says_there_is_more_and_leads_nowhere_is_never_taken_for_the_whole(
    web: WebServer, info: Object, said: str
) -> None:
    api = Api({"issues": Connection(issues(1, 2, 3))})
    api.change = lambda answer: _with(answer, "issues", pageInfo=info)
    with pytest.raises(Fatal, match=rf"tracker\.issue.*{said}"):
        read(web, api, request={"operation": "issues"}, next=CONNECTION)


def listed(rows: list[object], largest: int = 100) -> Field:
    """A list by offset that gives no more than so many at once."""

    def of(given: Object) -> object:
        begin = cast("int", given.get("offset") or 0)
        return rows[begin : begin + min(cast("int", given.get("limit") or 100), largest)]

    return Field({"limit": "Int", "offset": "Int"}, of)


def test_a_list_by_offset_is_read_until_it_is_empty_whatever_the_size_of_its_pages(web: WebServer) -> None:
    api = Api({"issues": listed(issues(*range(7)), largest=3)})
    following = {"kind": "offset", "parameter": "offset", "size": 5}
    pages = read(web, api, request={"operation": "issues"}, next=following)
    assert [len(page.records) for page in pages] == [3, 3, 1, 0]
    assert keys(read(web, api, pages[0].token, request={"operation": "issues"}, next=following)) == list("3456")


def test_a_list_whose_offset_is_not_heeded_is_a_circle(web: WebServer) -> None:
    api = Api({"issues": Field({"offset": "Int"}, lambda given: issues(1, 2))})
    with pytest.raises(Fatal, match="circle"):
        read(web, api, request={"operation": "issues"}, next={"kind": "offset", "parameter": "offset"})


def test_a_list_by_numbers_in_an_envelope_ends_at_its_total_and_the_number_may_be_in_an_input_object(
    web: WebServer,
) -> None:
    rows = issues(*range(5))

    def of(given: Object) -> object:
        page = cast("dict[str, int]", given["page"])
        begin = (page["number"] - 1) * page["size"]
        return {"data": rows[begin : begin + page["size"]], "meta": {"pagination": {"total": 5}}}

    api = Api({"issues": Field({"page": "Page"}, of)})
    following = {
        "kind": "number", "parameter": "page.number", "size": 2, "size_parameter": "page.size",
        "total": "meta.pagination.total",
    }  # fmt: skip
    pages = read(web, api, request={"operation": "issues"}, records="data", next=following)
    assert keys(pages) == list("01234") and len(api.asked) == 3


@pytest.mark.parametrize("sizes", [range(1, 100), (5,)], ids=["any size", "one size only"])
@pytest.mark.parametrize("largest", [1, 3, 5])
def test_no_page_by_number_is_skipped_where_the_source_gives_fewer_records_than_were_asked_for(
    web: WebServer, largest: int, sizes: Sequence[int]
) -> None:
    rows = issues(*range(11))

    def of(given: Object) -> object:
        page, size = cast("int", given["page"]), cast("int", given["limit"])
        if size not in sizes:
            raise QueryError("limit must be 5")
        begin = (page - 1) * (size if len(sizes) > 1 else largest)
        return rows[begin : begin + min(size, largest)]

    api = Api({"issues": Field({"page": "Int", "limit": "Int"}, of)})
    following = {"kind": "number", "parameter": "page", "size": 5}
    pages = read(web, api, request={"operation": "issues"}, next=following)
    assert keys(pages) == [str(each) for each in range(11)]
    assert keys(read(web, api, pages[0].token, request={"operation": "issues"}, next=following)) == [
        str(each) for each in range(largest, 11)
    ]


def test_a_list_by_token_goes_on_by_what_stands_beside_it(web: WebServer) -> None:
    steps = {None: "b", "b": "c", "c": None}

    def of(given: Object) -> object:
        token = cast("str | None", given.get("nextToken"))
        return {"items": issues({None: 1, "b": 2, "c": 3}[token]), "nextToken": steps[token]}

    api = Api({"issues": Field({"nextToken": "String", "limit": "Int"}, of)})
    following = {"kind": "token", "path": "nextToken", "parameter": "nextToken", "size": 1}
    assert keys(read(web, api, request={"operation": "issues"}, records="items", next=following)) == ["1", "2", "3"]


def test_a_plain_list_is_whole_unless_it_is_as_long_as_was_asked_for(web: WebServer) -> None:
    api = Api({"issues": listed(issues(1, 2, 3))})
    assert len(keys(read(web, api, request={"operation": "issues"}))) == 3
    assert len(keys(read(web, api, request={"operation": "issues"}, next={"size": 4}))) == 3
    with pytest.raises(Fatal, match=r"as many records as were asked for \(3\)"):
        read(web, api, request={"operation": "issues"}, next={"size": 3})
    assert len(keys(read(web, api, request={"operation": "issues"}, next={"size": 3, "complete": True}))) == 3
    with pytest.raises(Fatal, match=r"as many records as were asked for \(3\)"):
        read(web, api, request={"operation": "issues", "arguments": {"limit": 3}})
    assert len(keys(read(web, api, request={"operation": "issues", "arguments": {"limit": 4, "offset": 0}}))) == 3


@pytest.mark.parametrize("answer", [b'{"data": {"issues": null}}', b'{"data": {"others": []}}', b'{"data": {}}'])
def test_a_list_that_is_null_or_not_there_is_a_changed_contract_and_no_empty_listing(
    web: WebServer, answer: bytes
) -> None:
    api = Api({"issues": listed([])})
    api.change = lambda _: Say(200, answer)
    with pytest.raises(Fatal, match=r"shape has changed.*data\.issues"):
        read(web, api, request={"operation": "issues"})


def failed(code: object = None, *, data: object = None, status: int = 200, **headers: str) -> Say:
    error: Object = {"message": "someone@example.com is wrong", "path": ["issues", "edges", 3, "node", "title"]}
    error |= {"extensions": {"code": code}} if code is not None else {}
    return Say(status, json.dumps({"errors": [error]} | ({"data": data} if data else {})).encode(), headers)


def test_data_with_errors_beside_it_is_asked_for_again_and_never_taken_for_the_whole(web: WebServer) -> None:
    api = Api({"issues": Connection(issues(1, 2))})
    part = {"issues": {"pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": []}}
    answers = [failed(data=part)]
    api.change = lambda _: answers.pop() if answers else None
    assert keys(read(web, api, request={"operation": "issues"}, next=CONNECTION)) == ["1", "2"]
    api.change = lambda _: failed(data=part)
    with pytest.raises(Retriable, match=r"data with errors beside it at issues\.edges\.node\.title") as error:
        read(web, api, request={"operation": "issues"}, next=CONNECTION)
    assert "someone" not in str(error.value)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", ["THROTTLED", "RATE_LIMITED", "rate-limited", 429])
def test_a_source_that_says_we_ask_too_much_is_left_alone_as_long_as_it_says(
    web: WebServer, status: int, code: object
) -> None:
    api, slept = Api({"issues": Connection(issues(1))}), list[float]()
    answers = [failed(code, status=status, **{"Retry-After": "7"})]
    api.change = lambda _: answers.pop() if answers else None
    pages = list(source(web, api, slept, request={"operation": "issues"}, next=CONNECTION)(WINDOW, None))
    assert keys(pages) == ["1"] and slept == [7.0]
    api.change = lambda _: failed(code, status=status)
    with pytest.raises(Retriable, match="we ask too much"):
        read(web, api, request={"operation": "issues"}, next=CONNECTION)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (failed("GRAPHQL_VALIDATION_FAILED"), Fatal, "the query was refused .*GRAPHQL_VALIDATION_FAILED"),
        (failed("GRAPHQL_VALIDATION_FAILED", status=400), Fatal, "the query was refused .*GRAPHQL_VALIDATION_FAILED"),
        (failed(status=400), Fatal, "the query was refused"),
        (failed("FORBIDDEN", data={"issues": None}), Fatal, "the query was refused .*FORBIDDEN"),
        (failed("UNAUTHENTICATED"), Fatal, "Check login, password and rights of the Airflow connection 'tracker_api'"),
        (failed("INTERNAL_SERVER_ERROR"), Retriable, "the error INTERNAL_SERVER_ERROR"),
        (Say(400, b"come again"), Retriable, "we ask too much"),
        (Say(400, b"<html>no</html>"), Fatal, "refused with status 400"),
        (Say(200, b'{"errors": "no"}'), Retriable, "errors that are no list"),
        (Say(200, b'{"data": null}'), Retriable, "neither data nor errors"),
        (Say(200, b'{"data": {"issues": {"edges": [{"no'), Retriable, "cut off"),
    ],
    ids=lambda each: each if isinstance(each, str) else None,
)
def test_an_error_is_told_by_what_to_do_whatever_its_status(
    web: WebServer, answer: Say, kind: type[Exception], said: str
) -> None:
    api = Api({"issues": Connection(issues(1))})
    api.change = lambda _: answer
    with pytest.raises(kind, match=said) as error:
        read(web, api, request={"operation": "issues"}, next=CONNECTION)
    assert "someone" not in str(error.value)


def test_half_a_surrogate_pair_spoils_its_own_record_only(web: WebServer) -> None:
    api = Api({"issues": listed(issues(1, 2))})
    odd = b'{"data": {"issues": [{"id": "1", "title": "\\ud800"}, {"id": "2", "title": 1234567890123456.78}]}}'
    api.change = lambda _: Say(200, odd)
    pages = read(web, api, request={"operation": "issues"})
    assert keys(pages) == ["1", "2"] and pages[0].records[1].payload.endswith(b"1234567890123456.78}")


def ordered(*counts: int, **kinds: object) -> list[object]:
    """Orders with so many lines and notes each."""

    def lines(order: int, count: int) -> list[object]:
        return [{"id": f"{order}-{each}", "sku": f"S{each}", "tags": [{"name": "t"}]} for each in range(count)]

    return [
        {
            "id": str(order),
            "lines": Connection(lines(order, count), **kinds),
            "detail": {"notes": Connection([{"text": f"n{each}"} for each in range(count)], **kinds), "by": "x"},
            "links": [{"url": "u"}] * count,
        }
        for order, count in enumerate(counts)
    ]


def _orders(size: int) -> Object:
    fields = {"id": "text", "first_line": {"path": "$.lines[0].id", "required": False}}
    fields |= {"sku": {"path": "$.lines[0].sku", "required": False}, "by": {"path": "detail.by"}}
    fields |= {"note": {"path": "$.detail.notes[0].text", "required": False}}
    fields |= {"url": {"path": "$.links[0].url", "required": False}}
    return {
        "request": {"operation": "orders", "connections": ["lines", "detail.notes"]},
        "next": {"kind": "connection", "size": size},
        "fields": fields,
    }


@pytest.mark.parametrize("nodes_at", ["edges.node", "nodes"])
@pytest.mark.parametrize("largest", [1, 2, 100])
def test_several_connections_in_a_record_are_read_to_their_ends_and_give_the_same_bytes_whatever_the_pages(
    web: WebServer, nodes_at: str, largest: int
) -> None:
    api = Api({"orders": Connection(ordered(5, 0, 2, 1, largest=largest))})
    pages = read(web, api, records=nodes_at, **_orders(3))
    assert [record.payload for page in pages for record in page.records] == [
        json.dumps(
            {
                "id": str(order),
                "lines": [{"id": f"{order}-{each}", "sku": f"S{each}"} for each in range(count)],
                "detail": {"by": "x", "notes": [{"text": f"n{each}"} for each in range(count)]},
                "links": [{"url": "u"}] * count,
            },
            separators=(",", ":"),
        ).encode()
        for order, count in enumerate((5, 0, 2, 1))
    ]


def test_the_records_in_a_nested_connection_are_all_of_them_with_what_they_need_of_their_parent(web: WebServer) -> None:
    api = Api({"orders": Connection(ordered(5, 0, 2, largest=2))})
    fields = {"order": {"path": "parent.id"}, "id": "text", "by": {"path": "parent.detail.by"}}
    given = {"nested": {"path": "lines"}, "primary_key": ["order", "id"], "fields": fields, "next": CONNECTION}
    pages = read(web, api, request={"operation": "orders", "connections": ["lines"]}, **given)
    assert keys(pages) == [json.dumps([key[0], key], separators=(",", ":")) for key in
                           ("0-0", "0-1", "0-2", "0-3", "0-4", "2-0", "2-1")]  # fmt: skip
    assert payloads(pages)[0] == {"parent": {"id": "0", "detail": {"by": "x"}}, "id": "0-0"}


@pytest.mark.parametrize("lists", [[[{"url": "a"}], None, []], [None, None, [{"url": "a"}]], [{"url": "a"}]])
def test_the_records_in_a_plain_list_need_no_connection_and_a_list_that_is_null_has_none(
    web: WebServer, lists: list[object]
) -> None:
    api = Api({"orders": [{"id": str(number), "links": links} for number, links in enumerate(lists)]})
    fields = {"order": {"path": "parent.id"}, "url": "text"}
    given = {"nested": {"path": "links"}, "primary_key": ["order", "url"], "fields": fields}
    assert len(keys(read(web, api, request={"operation": "orders"}, **given))) == 1


def test_a_record_that_changed_its_place_while_it_was_read_on_is_an_error_and_no_mixture(web: WebServer) -> None:
    api = Api({"orders": Connection(ordered(5, 3, largest=2))})
    answers = 0

    def change(answer: Object) -> None:
        nonlocal answers
        answers += 1
        if answers == 1:
            api.root["orders"] = Connection(list(reversed(ordered(5, 3, largest=2))))

    api.change = change
    with pytest.raises(Retriable, match="changed while lines of a record was read on"):
        read(web, api, **_orders(3))


def test_a_connection_in_a_record_that_never_ends_is_given_up(web: WebServer) -> None:
    api = Api({"orders": Connection(ordered(3, largest=1))})

    def change(answer: Object) -> Say:
        return Say(200, json.dumps(answer).replace('"endCursor": "Mg=="', '"endCursor": "MQ=="').encode())

    api.change = change
    with pytest.raises(Fatal, match="lines of a record does not end"):
        read(web, api, **_orders(3))


def test_deletions_arrive_by_flag_and_by_a_feed_of_their_own(web: WebServer) -> None:
    gone = [{"subject": {"id": each}, "at": "2026-01-01T10:00:00Z"} for each in ("7", "8", "9")]
    api = Api(
        {
            "issues": Connection(issues(1, gone=True) + issues(2, gone=False)),
            "deleted": Connection(gone, {"kind": "String"}, largest=2),
        }
    )
    feed = {
        "request": {"operation": "deleted", "arguments": {"kind": "ISSUE"}},
        "next": CONNECTION, "key": "subject.id", "cursor": "at",
    }  # fmt: skip
    given = {"deletes": {"tombstones": feed, "flag": {"field": "gone"}}, "fields": {"id": "text", "gone": "boolean"}}
    pages = read(web, api, request={"operation": "issues"}, next=CONNECTION, **given)
    found = {record.key: record.deleted for page in pages for record in page.records}
    assert found == {"1": True, "2": False, "7": True, "8": True, "9": True}


def test_a_value_that_another_type_needs_is_refused_by_the_source_and_told(web: WebServer) -> None:
    """The service of these tests is as strict as a real one, or the others would prove nothing."""
    types = {"state": "State", "stars": "Int", "title": "String", "order": "Order"}
    wrong: list[Object] = [{"state": "OPEN"}, {"stars": "3"}, {"title": 3}, {"order": {"field": "X"}}, {"other": 1}]
    for arguments in wrong:
        api = Api({"issues": Connection(issues(1), types)})
        with pytest.raises(Fatal, match="the query was refused"):
            read(web, api, request={"operation": "issues", "arguments": arguments}, next=CONNECTION)
