"""Records within what is listed, as orders' lines: each comes with what it needs of its order, and none is made up."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from onefold.connectors.page import Page
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal
from tests.connectors.rest_shop import WINDOW, keys, shop
from tests.http.web_server import Say, WebServer

FIRST = Window(BEGINNING, datetime(2026, 1, 2, tzinfo=UTC))
LINES: dict[str, object] = {
    "nested": {"path": "lines", "carry": {"order_id": "id", "buyer": "customer.name"}},
    "primary_key": ["order_id", "id"],
    "fields": {"order_id": "text", "id": "text", "buyer": {"required": False}},
}


def listed(web: WebServer, *orders: object) -> None:
    web.answer = lambda _: Say(body=json.dumps({"items": orders}).encode())


def records(found: list[Page]) -> list[object]:
    return [json.loads(record.payload) for page in found for record in page.records]


def test_a_line_keeps_its_own_id_and_gets_its_orders_under_another_name(web: WebServer) -> None:
    line = {"id": 1, "net": "1.10"}
    listed(web, {"id": 7, "customer": {"name": "A"}, "lines": [line]}, {"id": 8, "customer": None, "lines": [line]})
    found = list(shop(web, **LINES)(WINDOW, None))
    assert keys(found) == ['["7","1"]', '["8","1"]']
    assert records(found) == [{"order_id": 7, "buyer": "A", **line}, {"order_id": 8, **line}]


def test_a_field_of_the_records_own_goes_before_the_carried_one_and_the_log_says_so_once(
    web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    listed(web, {"id": 7, "lines": [{"id": 1}, {"id": 2}, {"id": 7}]})
    nested = {"path": "lines", "carry": ["id"]}
    assert keys(shop(web, nested=nested)(WINDOW, None)) == ["1", "2", "7"]
    (told,) = (each.getMessage() for each in caplog.records if "of their own" in each.getMessage())
    assert told.startswith("shop.item: its records have a id of their own") and "{parent_id: …}" in told


@pytest.mark.parametrize(
    ("path", "order", "expected"),
    [
        ("lines", {"lines": None}, []),
        ("lines", {}, []),
        ("lines", {"lines": []}, []),
        ("lines", {"lines": {"id": 1}}, ['["7","1"]']),
        ("a.lines", {"a": None}, []),
        ("a.lines", {}, []),
        ("a.lines", {"a": {}}, []),
        ("a.lines", {"a": {"lines": [{"id": 1}]}}, ['["7","1"]']),
        ("a.lines", {"a": [{"lines": [{"id": 1}]}, {"lines": None}, None]}, ['["7","1"]']),
        ("lines", {"lines": "none"}, [None]),
        ("a.lines", {"a": 5}, [None]),
        ("lines", {"lines": [{"id": 1}, "odd", {"id": 2}]}, ['["7","1"]', None, '["7","2"]']),
    ],
)  # fmt: skip
def test_no_list_is_no_record_and_what_is_odd_stops_only_itself(
    web: WebServer, path: str, order: dict[str, object], expected: list[str | None]
) -> None:
    listed(web, {"id": 6, "lines": [{"id": 9}], "a": {"lines": [{"id": 9}]}}, {"id": 7, **order})
    nested = {"path": path, "carry": {"order_id": "id"}}
    found = list(shop(web, **LINES | {"nested": nested})(WINDOW, None))
    assert keys(found) == ['["6","9"]', *expected]


def test_a_list_that_is_nowhere_in_all_that_there_is_fails_the_first_load(web: WebServer) -> None:
    listed(web, *({"id": each, "positions": []} for each in range(20)))
    with pytest.raises(Fatal, match=r"none of the 20 records that are listed has lines, where nested\.path says"):
        list(shop(web, **LINES)(FIRST, None))
    assert keys(shop(web, **LINES)(WINDOW, None)) == [], "in a window that brings few, none may have one"
    listed(web, *({"id": each, "lines": None} for each in range(20)))
    assert keys(shop(web, **LINES)(FIRST, None)) == []


def test_a_group_that_is_always_complete_and_has_no_record_any_more_is_gone(web: WebServer) -> None:
    orders = [{"id": 6, "lines": [{"id": 1}]}, {"id": 7, "lines": []}, {"id": 8}]
    listed(web, *({**order, "at": "2026-01-01T00:00:00Z"} for order in orders))
    stream = LINES | {
        "nested": {"path": "lines", "carry": {"order_id": "id", "at": "at"}},
        "fields": {"order_id": "text", "id": "text", "at": "timestamp"},
        "cursor": {"fields": ["at"]},
        "deletes": {"complete_group": True},
    }
    (page,) = shop(web, **stream)(WINDOW, None)
    assert [(each.name, each.snapshot_since) for each in page.ended if each.name] == [
        ("7", page.extracted_at),
        ("8", page.extracted_at),
    ]
    (page,) = shop(web, **stream | {"deletes": {}})(WINDOW, None)
    assert not [each for each in page.ended if each.name]


@pytest.mark.parametrize("carry", [{"a.b": "id"}, [""], {"": "id"}])
def test_a_carried_field_needs_a_plain_name(web: WebServer, carry: object) -> None:
    with pytest.raises(ValueError, match="a carried field needs a plain name"):
        shop(web, **LINES | {"nested": {"path": "lines", "carry": carry}})
