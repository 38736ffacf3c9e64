"""`onefold new system --from graphql`: what a schema lists is drafted, from wherever the schema is, and loads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from onefold.draft.graphql.draft import graphql_draft
from onefold.draft.graphql.schema import introspected
from onefold.draft.graphql.sdl import read_sdl
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from tests.connectors.graphql.api import Api, Connection, Field, Object
from tests.draft.drafting import DESCRIPTIONS, drafted, drafted_text, pages, read_text, with_privacy
from tests.http.web_server import Asked, Say, WebServer, serving

SDL = DESCRIPTIONS / "tracker.graphql"
INTROSPECTION = DESCRIPTIONS / "tracker.json"


@pytest.fixture
def tracker() -> Iterator[WebServer]:
    """The service of tracker.graphql, which tells its schema too."""
    api = Api(_root())

    def answer(asked: Asked) -> Say:
        if b"__schema" in asked.body:
            assert asked.method == "POST" and asked.path == "/api/graphql"
            return Say(200, INTROSPECTION.read_bytes())
        return api(asked)

    with serving() as web:
        web.answer = answer
        yield web


def _root() -> Object:
    stamp = "2026-01-01T10:00:00Z"
    user: Object = {"login": "ann", "email": None, "createdAt": stamp}
    issues: list[object] = [
        {
            "id": f"i{each}", "title": "t", "state": "OPEN", "estimate": 0.5, "effort": "1.50", "weight": None,
            "open": True,
            "tags": ["a"], "author": user if each % 2 else None, "assigneeId": None, "updatedAt": stamp, "dueOn": None,
            "place": {"city": "Łódź", "zip": None}, "number": each,
        }
        for each in range(250)
    ]  # fmt: skip
    rows: list[object] = [{"login": f"u{each}", "email": None, "createdAt": stamp} for each in range(130)]
    projects: list[object] = [{"key": f"P{each}", "name": "n"} for each in range(101)]
    events: list[object] = [{"id": f"e{each}", "at": stamp, "kind": "k"} for each in range(3)]

    def users(given: Object) -> object:
        begin = cast("int", given["offset"])
        return rows[begin : begin + cast("int", given["limit"])]

    def paged(given: Object) -> object:
        begin = (cast("int", given["page"]) - 1) * cast("int", given["perPage"])
        return {"data": projects[begin : begin + cast("int", given["perPage"])], "paginatorInfo": {"total": 101}}

    def listed(given: Object) -> object:
        at = int(cast("str", given.get("nextToken") or "0"))
        return {"items": events[at : at + 1], "nextToken": str(at + 1) if at < 2 else None}

    return {
        "issues": Connection(issues, {"updatedSince": "DateTime"}, nodes_at=("edges",)),
        "users": Field({"limit": "Int", "offset": "Int"}, users),
        "projects": Field({"page": "Int", "perPage": "Int"}, paged),
        "events": Field({"nextToken": "String", "limit": "Int"}, listed),
        "countries": [{"code": "PL", "name": "Polska"}, {"code": "DE", "name": "Niemcy"}],
    }


def test_sdl_and_introspection_tell_the_same_schema() -> None:
    sdl, told = read_sdl(SDL.read_text()), introspected(INTROSPECTION.read_bytes())
    assert sdl.query == told.query == "QueryRoot"
    of_sdl = {name: (kind.kind, {each: (f.type, f.arguments) for each, f in kind.fields.items()})
              for name, kind in sdl.types.items()}  # fmt: skip
    assert len(of_sdl) > 25
    assert of_sdl == {
        name: (kind.kind, {each: (f.type, f.arguments) for each, f in kind.fields.items()})
        for name, kind in told.types.items()
        if name in of_sdl
    }
    assert told.types.keys() - of_sdl.keys() <= {"Int", "Float", "String", "Boolean", "ID"}


def test_a_schema_gives_what_its_query_lists_with_keys_types_and_paging() -> None:
    system = drafted("graphql", SDL)
    assert {name: each.request.operation for name, each in system.streams.items()} == {
        each: each for each in ("issues", "users", "projects", "events", "countries")
    }
    issues = system.streams["issues"]
    assert (issues.primary_key, issues.cursor.fields) == (["id"], ["updatedAt"])
    assert (issues.next.kind, issues.next.total, issues.records) == ("connection", "totalCount", "")
    kinds = {name: (each.type, each.required) for name, each in issues.fields.items()}
    assert kinds == {
        "id": ("text", True), "title": ("text", True), "state": ("text", True), "estimate": ("numeric", False),
        "effort": ("numeric", False), "weight": ("integer", False), "open": ("boolean", True), "tags": ("json", True),
        "author_login": ("text", False), "author_email": ("text", False), "author_created_at": ("timestamp", False),
        "assigneeId": ("text", False), "place_city": ("text", True), "place_zip": ("text", False),
        "updatedAt": ("timestamp", True), "dueOn": ("date", False), "number": ("integer", True),
    }  # fmt: skip
    assert issues.fields["place_city"].path == "place.city"


def test_what_is_left_out_is_said_and_what_is_guessed_is_marked() -> None:
    text = drafted_text("graphql", SDL)
    for said in (
        "# not drafted: issues.labels: a list within each record", "# not drafted: issues.history: a list within",
        "# not drafted: issues.related: it needs an argument", "# not drafted: issues.subject: one of several types",
        "# not drafted: search: its records are of several types", "# not drafted: labels: it needs the argument text",
        "# check: how it wants us to sign in", "# check: primary_key is a guess", "# check: whether updatedSince",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.parametrize(
    ("arguments", "answer", "following", "records"),
    [
        (
            "page: Int, per_page: Int", "{ data: [Row!], page_info: Info }",
            {"kind": "number", "parameter": "page", "size_parameter": "per_page", "total": "page_info.total_count"},
            "data",
        ),
        (
            "page_number: Int!, page_size: Int!", "{ results: [Row!], total_count: Int }",
            {"kind": "number", "parameter": "page_number", "size_parameter": "page_size", "total": "total_count"},
            "results",
        ),
        (
            "next_token: String, limit: Int", "{ items: [Row!], next_token: String }",
            {"kind": "token", "path": "next_token", "parameter": "next_token"}, "items",
        ),
        (
            "_offset: Int, limit: Int!", "{ rows: [Row!], total: Int }",
            {"kind": "offset", "parameter": "_offset", "total": "total"}, "rows",
        ),
    ],
)  # fmt: skip
def test_names_with_underscores_tell_the_same_as_those_without(
    arguments: str, answer: str, following: Object, records: str
) -> None:
    sdl = f"type Query {{ rows({arguments}, updated_since: String): Answer }} type Answer {answer}"
    sdl += " type Info { total_count: Int } type Row { id: ID! }"
    (stream,) = graphql_draft(sdl.encode()).streams
    assert (stream.following, stream.records) == ({**following, "size": 100}, records)
    assert stream.request["arguments"] == {"updated_since": "{start}"}


@pytest.mark.parametrize(
    "arguments", ["after: DateTime!", "token: String!, offset: Int", "number: Int!, page: Int", "first: ID!"]
)
def test_an_argument_that_only_the_user_knows_is_never_taken_for_one_of_the_pages(arguments: str) -> None:
    sdl = f"type Query {{ rows({arguments}): [Row!] others: [Row!] }} type Row {{ id: ID! }}"
    made = graphql_draft(sdl.encode())
    assert [stream.name for stream in made.streams] == ["others"]
    assert made.left_out == (f"rows: it needs the argument {arguments.partition(':')[0]}",)


def test_mutations_are_never_drafted() -> None:
    assert "Mutation" in read_sdl(SDL.read_text()).types
    text = drafted_text("graphql", SDL)
    assert "addIssue" not in text and "deletedIssues" not in text


def test_the_draft_from_a_live_endpoint_passes_check_and_loads_each_stream_to_its_end(
    tracker: WebServer, tmp_path: Path
) -> None:
    text = with_privacy(drafted_text("graphql", f"{tracker.url}/api/graphql"))
    system = read_text(text, tmp_path)
    assert {each.request.path for each in system.streams.values()} == {"/api/graphql"}
    assert json.dumps(drafted("graphql", SDL).model_dump(mode="json")).replace('"/graphql"', '"/api/graphql"') == (
        json.dumps(drafted("graphql", f"{tracker.url}/api/graphql").model_dump(mode="json"))
    )
    found = {
        name: len({record.key for page in pages(system, name, Endpoint(tracker.url)) for record in page.records})
        for name in system.streams
    }
    assert found == {"issues": 250, "users": 130, "projects": 101, "events": 3, "countries": 2}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"data": null}', "no answer to a GraphQL introspection query"),
        (b"{", "no answer to a GraphQL introspection query"),
        (b"type Query {\n  a: Int\n", "cut off"),
        (b"<html>", "line 1: this is no GraphQL schema"),
        (b"type Query { a: Int }\nquery { a }", "line 2.*'query' begins no definition"),
        (b"type Query { a(x Int): Int }", "line 1.*'Int' stands where ':' belongs"),
        (b"type A { a: Int }", "no type Query"),
        (b"type Query { a: Int, b(id: ID!): B } type B { id: ID! }", "lists nothing that can be read"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_line_and_what_to_do(content: bytes, said: str) -> None:
    with pytest.raises(Fatal, match=said):
        graphql_draft(content)
