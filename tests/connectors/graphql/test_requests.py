"""What is asked of a GraphQL service as strict about types as real ones: names, arguments, how it is sent."""

from __future__ import annotations

import pytest

from onefold.errors import Fatal
from tests.connectors.graphql.api import Api, Connection, Field, Object
from tests.connectors.graphql.issues import CONNECTION, issues, payloads, read
from tests.connectors.rest_shop import keys
from tests.http.web_server import WebServer


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


def test_a_value_that_another_type_needs_is_refused_by_the_source_and_told(web: WebServer) -> None:
    """The service of these tests is as strict as a real one, or the others would prove nothing."""
    types = {"state": "State", "stars": "Int", "title": "String", "order": "Order"}
    wrong: list[Object] = [{"state": "OPEN"}, {"stars": "3"}, {"title": 3}, {"order": {"field": "X"}}, {"other": 1}]
    for arguments in wrong:
        api = Api({"issues": Connection(issues(1), types)})
        with pytest.raises(Fatal, match="the query was refused"):
            read(web, api, request={"operation": "issues", "arguments": arguments}, next=CONNECTION)
