"""Connections and lists within the records of GraphQL are read to their ends."""

from __future__ import annotations

import json

import pytest

from onefold.errors import Fatal, Retriable
from tests.connectors.graphql.api import Api, Connection, Object
from tests.connectors.graphql.issues import CONNECTION, payloads, read
from tests.connectors.rest_shop import keys
from tests.http.web_server import Say, WebServer


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
