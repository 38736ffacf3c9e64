"""The web shop: pages and bulk operations give the same, points are waited for, errors come with status 200."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from purgatory import SyncCircuitBreakerFactory
from pydantic import JsonValue

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.systems.shopify import bulk as shopify_bulk
from onefold.systems.shopify import records as shopify
from tests.connectors.reading import reader
from tests.connectors.running_sandbox import Connected, Sandbox, everything, running
from tests.http.web_server import Say, WebServer, serving

STREAMS = ("customer", "product", "order", "order_line")
SYSTEM = read_systems()["shop"]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_SHOP_POINTS": "1e9"}
    with running(tmp_path_factory.mktemp("sandbox"), 240, environment) as sandbox:
        yield sandbox


@pytest.fixture
def connected(sandbox: Sandbox) -> Iterator[Callable[[str], Connected]]:
    sandbox.clear()
    yield lambda stream: Connected(sandbox, "shop", stream, "", f"{sandbox.url}/shop")
    requests.post(f"{sandbox.url}/control/reset", timeout=10).raise_for_status()


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


@pytest.fixture
def in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every window is large, and a bulk operation's file is read in small ranges."""
    monkeypatch.setattr(shopify, "BULK_FROM", 1)
    monkeypatch.setattr(shopify_bulk, "RANGE", 4000)


def contents(pages: list[Page]) -> dict[str | None, tuple[str | None, bool, object]]:
    found = [record for page in pages for record in page.records]
    return {record.key: (record.cursor, record.deleted, json.loads(record.payload)) for record in found}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_bulk_operation_gives_the_same_records_as_pages_do(
    connected: Callable[[str], Connected], stream: str, in_bulk: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = connected(stream)
    bulk = source.pages()
    monkeypatch.setattr(shopify, "BULK_FROM", 1_000)
    paged = source.pages()
    assert len(bulk) > 3
    assert len(contents(bulk)) > 50
    assert contents(bulk) == contents(paged)
    assert [r.payload for p in bulk for r in p.records] == [r.payload for p in paged for r in p.records]


@pytest.mark.parametrize("stream", STREAMS)
def test_a_bulk_operation_is_gone_on_with_in_the_middle_of_its_file(
    connected: Callable[[str], Connected], stream: str, in_bulk: None
) -> None:
    source = connected(stream)
    pages = source.pages()
    for place, page in enumerate(pages[:-1]):
        assert contents(source.pages(token=page.token)) == contents(pages[place + 1 :])


def test_a_bulk_operation_that_is_no_more_begins_anew(connected: Callable[[str], Connected], in_bulk: None) -> None:
    source = connected("order")
    gone = source.pages(token="bulk gid://shopify/BulkOperation/1 99")
    assert contents(gone) == contents(source.pages())


def test_a_bulk_operation_waits_for_the_one_that_is_in_its_way(
    connected: Callable[[str], Connected], in_bulk: None
) -> None:
    source = connected("order")
    url, headers = f"{source.url}/admin/api/2025-10/graphql.json", {"X-Shopify-Access-Token": "sandbox-secret"}

    def ask(query: str) -> dict[str, object]:
        return requests.post(url, json={"query": query}, headers=headers, timeout=10).json()["data"]

    ask('mutation { bulkOperationRunQuery(query: "{ orders { edges { node { id } } } }") { bulkOperation { id } } }')

    class Noted(list[float]):
        def append(self, seconds: float) -> None:
            super().append(seconds)
            ask("{ currentBulkOperation { status } }")  # time passes for the other one too

    source.slept = Noted()
    assert len(contents(source.pages())) == 60
    assert len(source.slept) >= 2


def test_an_order_with_more_lines_than_a_page_holds_is_read_by_a_bulk_operation(
    connected: Callable[[str], Connected], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = connected("order_line")
    all_lines = contents(source.pages())
    monkeypatch.setattr(shopify, "NESTED", 2)
    assert contents(source.pages()) == all_lines


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("UPDATED_AT", "OrderSortKeys", "UPDATED_AT"),
        (["PAID", "OPEN"], "[State!]!", "[PAID, OPEN]"),
        ("A", "String", '"A"'),
        (["A"], "[ID!]", '["A"]'),
        ("2026-01-01", "Date", '"2026-01-01"'),
        ("A", None, '"A"'),
        (3, "Int", "3"),
    ],
)
def test_a_bulk_operation_has_no_variables_so_only_what_can_be_an_enum_stands_without_quotation_marks(
    value: JsonValue, kind: str | None, expected: str
) -> None:
    assert shopify.without_variables(value, kind) == expected


def test_a_deleted_order_takes_its_lines_along_and_is_named_itself(connected: Callable[[str], Connected]) -> None:
    orders, lines = connected("order"), connected("order_line")
    began = datetime.now(UTC) - timedelta(minutes=1)
    orders.sandbox.advance(deletions=5)
    since = Window(began, datetime.now(UTC) + timedelta(minutes=1))
    gone = {record.key for page in orders.pages(since) for record in page.records if record.deleted}
    ended = {part.name: part.snapshot_since is not None for page in lines.pages(since) for part in page.ended}
    assert len(gone) == 5
    assert ended == dict.fromkeys(gone, True)


def test_overlapping_windows_give_the_union(connected: Callable[[str], Connected]) -> None:
    source = connected("customer")
    whole = source.versions()
    moments = sorted(cursor for _, cursor in whole)
    cut, early = (datetime.fromisoformat(moments[len(moments) // n]) for n in (2, 3))
    first = source.versions(Window(BEGINNING, cut))
    second = source.versions(Window(early, everything().end))
    assert first | second == whole
    assert len(first) < len(whole) > len(second)


def test_a_field_that_the_schema_does_not_have_is_fatal_and_named(sandbox: Sandbox) -> None:
    stream = SYSTEM.streams["customer"]
    fields = {**stream.fields, "shoeSize": stream.fields["state"]}
    streams = {"customer": stream.model_copy(update={"fields": fields})}
    system = SYSTEM.model_copy(update={"streams": streams})
    with pytest.raises(Fatal, match=r"shop\.customer.*undefinedField, shoeSize"):
        list(shop(f"{sandbox.url}/shop", "customer", [], system)(everything(), None))


def test_a_wrong_token_is_fatal_and_names_the_connection(sandbox: Sandbox) -> None:
    endpoint = Endpoint(f"{sandbox.url}/shop", None, "another-token", {"rate": "100000/s"})
    with (
        Client(SYSTEM, endpoint, lambda _: None, limiter=MemoryLimiter()) as http,
        pytest.raises(Fatal, match=r"status 401.*connection 'shop'"),
    ):
        list(reader(SYSTEM, "order", endpoint, http, lambda after, changed: iter(()))(everything(), None))


def shop(url: str, stream: str, slept: list[float], system: System = SYSTEM) -> PageReader:
    endpoint = Endpoint(
        url, None, "secret-of-the-tests" if system is SYSTEM else "sandbox-secret", {"rate": "100000/s"}
    )
    breakers = SyncCircuitBreakerFactory(default_threshold=100)
    client = Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), breakers=breakers, sleep=slept.append)
    return reader(system, stream, endpoint, client, lambda after, changed: iter(()))


def said(*, available: float, price: float, errors: list[str] | None = None, **data: object) -> Say:
    """An answer as the source gives it, always with status 200."""
    status = {"maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": 50}
    body: dict[str, object] = {"extensions": {"cost": {"requestedQueryCost": price, "throttleStatus": status}}}
    if errors:
        body["errors"] = [{"message": code.capitalize(), "extensions": {"code": code}} for code in errors]
    else:
        body["data"] = data
    return Say(200, json.dumps(body).encode())


def listed(operation: str, *ids: str, after: str | None = None) -> dict[str, object]:
    nodes = [{"id": each, "updatedAt": "2026-03-01T10:00:00Z"} for each in ids]
    return {operation: {"pageInfo": {"hasNextPage": after is not None, "endCursor": after}, "nodes": nodes}}


def short_window() -> Window:
    return Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))


def test_a_query_that_the_points_do_not_pay_waits_until_they_do(web: WebServer) -> None:
    throttled = said(available=120, price=720, errors=["THROTTLED"])
    web.script(
        throttled,
        said(available=80, price=720, **listed("orders", "a")),
        said(available=0, price=2, **listed("events")),
    )
    slept: list[float] = []
    pages = list(shop(web.url, "order", slept)(short_window(), None))
    assert slept == [12.0]  # (720 - 120) / 50
    assert list(contents(pages)) == ["a"]


def test_the_next_page_is_not_asked_for_before_there_are_points_for_it(web: WebServer) -> None:
    web.script(
        said(available=220, price=720, **listed("orders", "a", after="c1")),
        said(available=2000, price=720, **listed("orders", "b")),
        said(available=2000, price=2, **listed("events")),
    )
    slept: list[float] = []
    pages = list(shop(web.url, "order", slept)(short_window(), None))
    assert [round(seconds) for seconds in slept] == [10]  # (720 - 220) / 50
    assert list(contents(pages)) == ["a", "b"]


def test_points_that_never_come_end_the_load_as_retriable(web: WebServer) -> None:
    web.script(said(available=0, price=100, errors=["THROTTLED"]))
    with pytest.raises(Retriable, match="THROTTLED"):
        list(shop(web.url, "order", [])(short_window(), None))


def test_a_query_dearer_than_all_points_is_fatal_and_says_what_to_change(web: WebServer) -> None:
    web.script(said(available=2000, price=2500, errors=["THROTTLED"]))
    with pytest.raises(Fatal, match=r"next\.size"):
        list(shop(web.url, "order", [])(short_window(), None))


def test_an_internal_error_with_status_200_is_tried_again(web: WebServer) -> None:
    web.script(
        said(available=2000, price=9, errors=["INTERNAL_SERVER_ERROR"]),
        said(available=2000, price=9, **listed("orders", "a")),
        said(available=2000, price=2, **listed("events")),
    )
    assert list(contents(list(shop(web.url, "order", [])(short_window(), None)))) == ["a"]


def test_a_cursor_that_leads_to_itself_ends_with_a_clear_error(web: WebServer) -> None:
    web.script(said(available=2000, price=9, **listed("orders", "a", after="c1")))
    with pytest.raises(Fatal, match=r"shop\.order.*circle"):
        list(shop(web.url, "order", [])(short_window(), None))


def test_a_connection_that_was_renamed_is_a_changed_contract(web: WebServer) -> None:
    web.script(said(available=2000, price=9, **listed("sales", "a")))
    with pytest.raises(Fatal, match=r"shop\.order.*shape has changed.*data\.orders.*sales"):
        list(shop(web.url, "order", [])(short_window(), None))
