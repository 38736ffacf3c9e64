"""SAP by its YAML alone, against the sandbox: the two-field stamp, server paging, and what v2 calls nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest

from onefold.catalog.reader import read_systems
from onefold.connectors.record import Record
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from tests.connectors.running_sandbox import Connected, Sandbox, everything, running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_SAP_PAGE": "40"}
    with running(tmp_path_factory.mktemp("sandbox"), 300, environment) as sandbox:
        yield sandbox


@pytest.fixture(params=["", "/sap"], ids=["url of the host", "url with a path"])
def partners(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Connected]:
    sandbox.clear()
    yield Connected(sandbox, "sap", "business_partner", "ONEFOLD", f"{sandbox.url}{request.param}")
    sandbox.clear()


def records(partners: Connected) -> list[Record]:
    return [record for page in partners.pages() for record in page.records]


def changed(record: Record) -> bool:
    """Whether the partner was ever changed: else its creation counts, and it comes before those that were."""
    return json.loads(record.payload)["LastChangeDate"] is not None


def test_all_partners_come_once_in_the_cursors_order(partners: Connected) -> None:
    found = records(partners)
    assert len(found) == len({record.key for record in found}) > 100
    moved = [record.cursor or "" for record in found if changed(record)]
    assert moved == sorted(moved) and len(moved) < len(found) and all(record.cursor for record in found)
    assert {len(record.key or "") for record in found} == {7, 10}, "leading zeros belong to the key"
    assert len(partners.attempts) > 2


def test_both_fields_of_the_stamp_make_the_cursor(partners: Connected) -> None:
    for record in records(partners):
        payload = json.loads(record.payload)
        date, time = ("LastChangeDate", "LastChangeTime") if changed(record) else ("CreationDate", "CreationTime")
        millis = int(payload[date].removeprefix("/Date(").removesuffix(")/"))
        at = datetime.fromisoformat(record.cursor or "")
        assert at.timestamp() // 86400 == millis // 86_400_000
        assert f"PT{at:%HH%MM%SS}" == payload[time]


def test_adjoining_windows_within_one_day_lose_nothing_and_share_no_version(partners: Connected) -> None:
    whole = partners.versions()
    edge = datetime.fromisoformat(sorted(cursor for _, cursor in whole)[len(whole) // 2])
    before = partners.versions(Window(BEGINNING, edge))
    after = partners.versions(Window(edge, everything().end))
    assert before | after == whole
    assert all(datetime.fromisoformat(cursor) < edge for _, cursor in before)


def test_any_page_can_be_gone_on_from(partners: Connected) -> None:
    pages = partners.pages()
    resumed = [record for page in partners.pages(token=pages[1].token) for record in page.records]
    assert resumed == [record for page in pages[2:] for record in page.records]


def test_a_partner_marked_for_archiving_is_deleted(partners: Connected) -> None:
    partners.sandbox.advance(deletions=20)
    marked = [record for record in records(partners) if record.deleted]
    assert marked
    assert all(json.loads(record.payload)["IsMarkedForArchiving"] is True for record in marked)


def test_the_declared_paths_find_their_values_in_postgresql(partners: Connected, warehouse_url: str) -> None:
    fields = read_systems()["sap"].streams["business_partner"].fields
    found = {name: 0 for name, field in fields.items() if field.path}
    assert len(found) == 11
    with psycopg.connect(warehouse_url) as connection:
        for record in records(partners)[:150]:
            for name in found:
                value = connection.execute(
                    "SELECT jsonb_path_query_first(%s::jsonb, %s::text::jsonpath) #>> '{}'",
                    (record.payload.decode(), fields[name].path),
                ).fetchone()
                found[name] += bool(value and value[0])
    never = [name for name, times in found.items() if not times]
    assert never == []


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "code": 502},
        {"kind": "html"},
        {"kind": "cut_body"},
        {"kind": "bom"},
        {"kind": "repeat_page"},
        {"kind": "rate_limit", "retry_after": 2},
        {"kind": "status", "code": 200, "body": '{"error":{"code":"SY/530","message":{"value":"x"}}}'},
    ],
    ids=lambda fault: "_".join(str(value)[:12] for value in fault.values()),
)
def test_a_passing_fault_changes_nothing_of_what_is_read(partners: Connected, fault: dict[str, object]) -> None:
    whole = partners.versions()
    partners.sandbox.fault(system="sap", path="A_BusinessPartner", after=1, **fault)
    assert partners.versions() == whole


def test_an_outage_is_retriable_with_the_last_status(partners: Connected) -> None:
    partners.sandbox.fault(system="sap", kind="status", code=503, times=-1)
    with pytest.raises(Retriable, match=r"sap\.business_partner: GET .*failed 5 times.*status 503"):
        partners.pages()


def test_a_field_that_the_service_does_not_know_is_fatal_and_named(partners: Connected) -> None:
    body = '{"error":{"code":"005056A509B11EE1B9A8FEC11C23378E","message":{"value":"Property LegalForm unknown"}}}'
    partners.sandbox.fault(system="sap", kind="status", code=400, body=body)
    with pytest.raises(Fatal, match="LegalForm"):
        partners.pages()


def test_a_wrong_password_is_fatal_and_names_the_connection(sandbox: Sandbox) -> None:
    wrong = Connected(sandbox, "sap", "business_partner", "SOMEONE", sandbox.url)
    with pytest.raises(Fatal, match="connection 'sap'"):
        wrong.pages()


def stream_of(sandbox: Sandbox, system: str, stream: str) -> Connected:
    return Connected(sandbox, system, stream, "ONEFOLD", f"{sandbox.url}/{system}")


def test_items_come_with_the_stamp_of_their_order_and_none_is_read_twice(sandbox: Sandbox) -> None:
    sandbox.clear()
    orders = {record.key: record.cursor for record in records(stream_of(sandbox, "sap", "sales_order"))}
    items = records(stream_of(sandbox, "sap", "sales_order_item"))
    keys = [json.loads(record.key or "[]") for record in items]
    assert len({record.key for record in items}) == len(items) > len(orders) > 40
    assert {order for order, _ in keys} == orders.keys()
    assert all(record.cursor == orders[order] for record, (order, _) in zip(items, keys, strict=True))


def test_a_window_gives_whole_orders(sandbox: Sandbox) -> None:
    items = stream_of(sandbox, "sap", "sales_order_item")
    whole = items.versions()
    edge = datetime.fromisoformat(sorted(cursor for _, cursor in whole)[len(whole) // 2])
    before, after = items.versions(Window(BEGINNING, edge)), items.versions(Window(edge, everything().end))
    assert before | after == whole
    assert not {json.loads(key)[0] for key, _ in before} & {json.loads(key)[0] for key, _ in after}


def test_products_come_over_version_4_page_by_page_and_marked_ones_are_deleted(sandbox: Sandbox) -> None:
    products = stream_of(sandbox, "sap_v4", "product")
    sandbox.advance(deletions=6)
    found = records(products)
    assert len(products.attempts) > 1, "the next link is relative to the service"
    assert len({record.key for record in found}) == len(found) >= 80
    assert [record.cursor for record in found] == sorted(record.cursor or "" for record in found)
    marked = [record for record in found if record.deleted]
    assert marked
    assert all(json.loads(record.payload)["IsMarkedForDeletion"] is True for record in marked)
