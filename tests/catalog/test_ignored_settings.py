"""What a protocol would ignore, or send as it stands, is a mistake with its line."""

from __future__ import annotations

import pytest

from onefold.catalog.ignored_settings import READ, ignored_settings
from onefold.catalog.system import System
from tests.catalog.conftest import SYSTEM, Checkout

STREAM = {"title": "Things", "primary_key": ["id"], "fields": {"id": "text"}}
NEEDED = {
    "soap": {"wsdl": "things.wsdl"},
    "sql": {},
    "graphql": {},
}
SETTINGS: dict[str, dict[str, object]] = {
    "request.table": {"request": {"table": "thing"}},
    "request.operation": {"request": {"operation": "things"}},
    "request.select": {"request": {"select": {"id": "id"}}},
    "request.expand": {"request": {"expand": ["parts"]}},
    "request.slices": {"request": {"slices": {"longest": "P30D", "since": "2020-01-01"}}},
    "request.empty": {"request": {"empty": {"text": "nothing"}}},
    "request.body": {"request": {"body": "{}"}},
    "request.bulk": {"request": {"bulk": {"path": "/jobs"}}},
    "next.kind": {"next": {"kind": "url", "path": "next"}},
    "next.size": {"next": {"size": 10}},
    "nested": {"nested": {"path": "parts"}},
    "answer": {"answer": {"single": True}},
    "arrival": {"arrival": {"settled": "PT1M"}},
    "records": {"records": "things"},
}


@pytest.mark.parametrize("protocol", ["rest", "odata", "soap"])
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_read_by_its_protocol_or_refused(protocol: str, setting: str) -> None:
    system = System.model_validate(
        {"system": "shop", "title": "Shop", "protocol": protocol, "connection": "shop", "schedule": "0 2 * * *"}
        | NEEDED.get(protocol, {})
        | {"streams": {"thing": STREAM | SETTINGS[setting]}}
    )
    refused = {name for name, _ in ignored_settings(protocol, system.streams["thing"])}
    assert (setting in refused) == (setting not in READ[protocol])


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            "request: {path: /accounts, table: account}",
            "protocol rest ignores request.table (read by protocol cdc and sql)",
        ),
        (
            "request: {path: /accounts}\n    next: {size: 50}",
            "protocol rest ignores next.size (protocol graphql and",
        ),
        ("request: {path: /accounts, params: {since: '{strat}'}}", "{strat} would be sent as it stands"),
        ("request: {path: '/accounts/{id}'}", "{id} would be sent as it stands"),
        ("request: {path: /accounts, headers: {X-Since: '{Start}'}}", "{Start} would be sent as it stands"),
        ("request: {path: /accounts, params: {since: '{ start }'}}", "{ start } would be sent as it stands"),
        ("request: {path: /accounts, params: {since: '{start-1}'}}", "{start-1} would be sent as it stands"),
        ("request: {path: '/accounts/{window.start}'}", "{window.start} would be sent as it stands"),
        ("request: {path: /accounts, params: {n: '{0}'}}", "{0} would be sent as it stands"),
        ('request: {path: /a, method: POST, body: \'{"from": "{start2}"}\'}', "{start2} would be sent as it stands"),
    ],
)
def test_what_a_protocol_would_ignore_or_send_as_it_stands_is_refused(
    checkout: Checkout, new: str, message: str
) -> None:
    checkout.write("catalog/systems/shop.yaml", SYSTEM.replace("request: {path: /accounts}", new))
    (mistake,) = checkout.mistakes()
    assert message in mistake and mistake.startswith(("shop.yaml:9:", "shop.yaml:10:"))


def test_braces_that_are_no_placeholder_stay(checkout: Checkout) -> None:
    body = """request: {path: /accounts, method: POST, body: '{"from": "{start}", "query": "{ account { Id } }"}'}"""
    checkout.write("catalog/systems/shop.yaml", SYSTEM.replace("request: {path: /accounts}", body))
    assert checkout.read().systems["shop"].streams["account"].request.body


ISSUES = {"path": "/graphql", "operation": "issues"}


@pytest.mark.parametrize(
    ("stream", "where", "message"),
    [
        ({"request": {**ISSUES, "params": {"a": "b"}}}, "request.params", "stand under request.arguments"),
        ({"next": {"kind": "url", "path": "next"}}, "next.kind", "does not go on by url"),
        ({"next": {"kind": "offset"}}, "next", "needs parameter"),
        ({"next": {"parameter": "page"}}, "next.parameter", "without a kind"),
        ({"next": {"kind": "connection", "path": "x"}}, "next.path", "does not read it"),
        ({"next": {"total": "totalCount"}}, "next.total", "say in records where it is"),
        ({"next": {"kind": "number", "parameter": "p", "size_parameter": "n"}}, "next.size_parameter", "without"),
        ({"request": {**ISSUES, "operation": "issues(first: 5)"}}, "request.operation", "names with dots"),
        ({"records": "edges[*].node"}, "records", "names with dots"),
        ({"nested": {"path": "lines", "carry": ["id"]}}, "nested.carry", "parent.NAME"),
        ({"request": {**ISSUES, "connections": ["lines"]}}, "request.connections", "no field is read from lines"),
        ({"request": {**ISSUES, "arguments": {"q": {"a": ["{strat}"]}}}}, "request.arguments.q.a.0", "{strat} would"),
    ],
)  # fmt: skip
def test_what_cannot_be_true_of_a_graphql_stream_is_refused(
    stream: dict[str, object], where: str, message: str
) -> None:
    system = System.model_validate(
        {"system": "shop", "title": "Shop", "protocol": "graphql", "connection": "shop", "schedule": "0 2 * * *"}
        | {"streams": {"thing": STREAM | {"request": ISSUES} | stream}}
    )
    assert [(where, True)] == [
        (name, message in text) for name, text in ignored_settings("graphql", system.streams["thing"])
    ]


def test_a_connection_is_graphqls_and_a_type_that_is_of_no_argument_is_a_mistake(checkout: Checkout) -> None:
    new = "request: {path: /accounts}\n    next: {kind: connection}"
    checkout.write("catalog/systems/shop.yaml", SYSTEM.replace("request: {path: /accounts}", new))
    assert "protocol graphql has connections" in checkout.mistakes()[0]
    new = "request: {path: /accounts, types: {order: Order}}"
    checkout.write("catalog/systems/shop.yaml", SYSTEM.replace("request: {path: /accounts}", new))
    assert "names 'order', which is not under arguments" in checkout.mistakes()[0]
