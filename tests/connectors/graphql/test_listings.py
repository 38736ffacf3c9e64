"""The GraphQL reader reads a listing's records, all of them, to a proven end, whatever its pages are like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

import pytest

from onefold.errors import Fatal
from tests.connectors.graphql.api import Api, Connection, Field, Object, QueryError
from tests.connectors.graphql.issues import CONNECTION, issues, listed, payloads, read
from tests.connectors.rest_shop import keys
from tests.http.web_server import Say, WebServer


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


def test_half_a_surrogate_pair_spoils_its_own_record_only(web: WebServer) -> None:
    api = Api({"issues": listed(issues(1, 2))})
    odd = b'{"data": {"issues": [{"id": "1", "title": "\\ud800"}, {"id": "2", "title": 1234567890123456.78}]}}'
    api.change = lambda _: Say(200, odd)
    pages = read(web, api, request={"operation": "issues"})
    assert keys(pages) == ["1", "2"] and pages[0].records[1].payload.endswith(b"1234567890123456.78}")


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
