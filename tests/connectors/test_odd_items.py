"""One odd item of an answer never keeps the others from being read, in whatever protocol it comes."""

from __future__ import annotations

import json

import pytest

from onefold.catalog.auth import NoAuth
from onefold.catalog.deletes import Tombstones
from onefold.catalog.reader import read_systems
from onefold.connectors.delta import RoundReader
from onefold.connectors.graphql.client import GraphQL
from onefold.connectors.graphql.reader import Records
from onefold.connectors.records import value_at
from onefold.connectors.tombstones import Entries
from onefold.http.attempt import Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.systems.krs.connector import _bulletin
from onefold.systems.microsoft365 import ByUser
from onefold.systems.shopify.bulk import _nodes
from tests.connectors.rest_shop import WINDOW
from tests.http.calls import Out
from tests.http.web_server import Say, WebServer

DEEP = "[" * 10_000 + "]" * 10_000
SYSTEMS = read_systems()


@pytest.mark.parametrize(
    "odd", ["null", "7", '"x"', "[]", DEEP, '{"id": "o", "@removed": "yes"}', '{"id": "o", "x": NaN}']
)
@pytest.mark.parametrize("owner", ["", "user"])
def test_an_odd_item_of_a_delta_round_is_handed_on_as_it_is_and_the_others_are_read(odd: str, owner: str) -> None:
    stream = SYSTEMS["microsoft365"].streams["message"]
    items = [json.dumps({"id": key, "subject": key, "internetMessageId": key}) for key in ("a", "b")]
    body = f'{{"value": [{items[0]}, {odd}, {items[1]}], "@odata.deltaLink": "https://x/y"}}'
    read = RoundReader("microsoft365.message", stream)(body.encode(), owner)
    assert len(read.records) == 3
    assert [record for record in read.records if b'"internetMessageId"' in record.payload and not record.deleted]


def test_a_change_of_some_fields_of_what_cannot_be_read_is_not_merged_into_it() -> None:
    stream = SYSTEMS["microsoft365"].streams["message"]
    first, change = (
        '{"id": "a", "internetMessageId": "m", "subject": "\\ud800"}',
        '{"id": "a", "isRead": true, "x": NaN}',
    )
    body = f'{{"value": [{first}, {change}], "@odata.deltaLink": "https://x/y"}}'
    assert len(RoundReader("microsoft365.message", stream)(body.encode(), "user").records) == 1


@pytest.mark.parametrize("odd", ["null", "7", DEEP, '{"node": NaN}', '{"uri": "\\ud800"}'])
def test_an_odd_entry_of_a_feed_of_deletions_does_not_hide_the_others(odd: str) -> None:
    feed = Tombstones.model_validate({"request": {"path": "/deleted"}, "records": "entries", "key": "uri"})
    body = f'{{"entries": [{{"uri": "a"}}, {odd}, {{"uri": "b"}}]}}'.encode()
    keys = [record.key for record in Entries(feed)(Response(200, {}, body)).records]
    assert {"a", "b"} <= set(keys) and len(keys) == 3


def test_an_odd_node_of_a_connection_is_handed_on_as_it_is(web: WebServer) -> None:
    system = SYSTEMS["shop"]
    stream = system.streams["order"]
    nodes = [{"id": "gid://1"}, None, 7, {"id": "gid://2"}, {"id": "gid://3", "lineItems": "gone"}]
    connection = {"pageInfo": {"hasNextPage": False}, "nodes": nodes}
    web.script(Say(200, json.dumps({"data": {stream.request.operation: connection}}).encode()))
    reading = Records("shop.order", stream, GraphQL("shop.order", Out(web.url).client))
    (page,) = reading.read(WINDOW, None)
    assert len(page.records) == 5
    assert [record.payload for record in page.records].count(b"null") == 1


def test_what_is_no_number_in_a_bulletin_of_the_court_register_hides_no_number() -> None:
    body = json.dumps(["0000000001", None, 5, {"a": 1}, "0000000002"]).encode()
    assert _bulletin(Response(200, {}, body)) == ["0000000001", "0000000002"]


@pytest.mark.parametrize("odd", ["null", "5", "{}", DEEP, '{"id": 7}'])
def test_what_is_no_user_in_a_list_of_users_hides_no_user(web: WebServer, odd: str) -> None:
    web.script(Say(200, f'{{"value": [{{"id": "a"}}, {odd}, {{"id": "b"}}]}}'.encode()))
    system = SYSTEMS["microsoft365"]
    system = system.model_copy(update={"auth": NoAuth()})
    with Client(system, Endpoint(web.url), lambda _: None, limiter=MemoryLimiter()) as http:
        stream = next(name for name, each in system.streams.items() if "{user}" in each.request.path)
        assert ByUser(system, stream, http)._users() == ["a", "b"]


@pytest.mark.parametrize("odd", [b"null", b"7", b'"x"', b"[]"])
def test_a_line_of_a_bulk_operation_that_is_no_object_hides_no_node(odd: bytes) -> None:
    nodes, _ = _nodes(b'{"id": "a"}\n' + odd + b'\n{"id": "b"}\n', ended=True)
    assert [bytes(node.root["id"]) for node in nodes if "id" in node.root] == [b'"a"', b'"b"'] and len(nodes) == 3


@pytest.mark.parametrize(
    "payload", [b'{"a": 1, "b": NaN}', b'{"a": 1, "b": "\\ud800"}', b"null", b"7", b'{"a": 1, "b": ']
)
def test_a_value_of_a_record_that_is_no_sound_json_is_read_where_it_can_be(payload: bytes) -> None:
    assert value_at(payload, ("a",)) == (1 if payload.endswith(b"}") else None)
    assert value_at(DEEP.encode(), ("a",)) is None
