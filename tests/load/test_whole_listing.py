"""What a stream that is listed whole lacks is deleted, through the real REST reader; a guard refuses too much of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from onefold.catalog.stream import Stream
from onefold.connectors.listing import is_listed_whole, whole_listing
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.registry import connector_class
from onefold.connectors.window import Window
from onefold.errors import Rejected
from onefold.load import steps
from onefold.load.ledger import Load
from onefold.reconcile.refused_deletes_alert import check_refused_deletes
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, Shop, record


class Lists:
    """A source that lists what it has, in pages of `size`, as a connector of a stream that is listed whole does."""

    def __init__(self, shop: Shop, size: int = 100) -> None:
        self.shop, self.size = shop, size
        self.has: dict[str, Record] = {}
        self.listings: list[str | None] = []
        self.between_pages: list[str] = []
        self.dies_after: int | None = None

    def put(self, *keys: str) -> None:
        for key in keys:
            content = {"id": key, "name": f"Name {key}", "credit": 10, "changed": "2026-03-01T08:00:00.000000Z"}
            self.has[key] = Record(key, "2026-03-01T08:00:00.000000Z", False, msgspec.json.encode(content))

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        """By offset, so that a row which is deleted between two pages moves those behind it."""
        self.listings.append(token)
        offset = int(token or 0)
        while True:
            at = datetime.now(UTC)
            found = list(self.has.values())[offset : offset + self.size]
            offset += len(found)
            more = len(found) == self.size and offset < len(self.has)
            if self.dies_after is not None and offset >= self.dies_after:
                self.dies_after = None
                raise KeyboardInterrupt
            yield Page(found, at, str(offset) if more else None)
            if self.between_pages:
                self.has.pop(self.between_pages.pop(0), None)
            if not more:
                return

    def job(self, run: str | None = None, **more: object):
        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            yield whole_listing(self.read)

        return replace(self.shop.job([], run, **more), source=source)

    def load(self, run: str | None = None, **more: object) -> Load:
        return self.shop.run(self.job(run, **more))


@pytest.fixture
def lists(shop: Shop) -> Lists:
    return Lists(shop)


def names(count: int) -> list[str]:
    return [f"k{number:03}" for number in range(count)]


def test_what_a_whole_listing_lacks_is_deleted_without_a_word_in_the_yaml(lists):
    lists.put(*names(12))
    lists.load()
    del lists.has["k003"], lists.has["k007"]
    assert lists.load().rows_deleted == 2
    assert set(lists.shop.current()) == set(names(12)) - {"k003", "k007"}
    lists.put("k003")
    assert (lists.load().rows_deleted, "k003" in lists.shop.current()) == (0, True)


def test_a_row_that_fell_between_two_pages_is_not_deleted(lists):
    lists.size = 4
    lists.put(*names(12))
    lists.load()
    lists.between_pages = ["k000"]  # k004 moves to the page that has been read
    assert lists.load().rows_deleted == 0  # k000 was met by the first reading, k004 by the second
    assert set(lists.shop.current()) == set(names(12))
    assert lists.load().rows_deleted == 1
    assert set(lists.shop.current()) == set(names(12)) - {"k000"}


def test_a_listing_is_read_a_second_time_only_where_something_is_missing(lists):
    lists.size = 4
    lists.put(*names(12))
    lists.load()
    lists.load()
    assert len(lists.listings) == 2
    del lists.has["k005"]
    assert lists.load().rows_deleted == 1
    assert len(lists.listings) == 4


def test_a_source_that_gives_no_page_has_listed_nothing_and_is_asked_once(shop):
    shop.load([record("a", 1)])
    shop.asked.clear()
    assert shop.run(shop.job([])).rows_deleted == 0
    assert len(shop.asked) == 1


@pytest.mark.parametrize("dies_after", [4, 8])
def test_a_listing_that_dies_and_goes_on_deletes_what_it_lacks_and_nothing_else(lists, dies_after):
    lists.size = 4
    lists.put(*names(12))
    lists.load()
    del lists.has["k009"]
    lists.dies_after = dies_after
    with pytest.raises(KeyboardInterrupt):
        steps.land(lists.job("scheduled__1", last_attempt=False))
    assert lists.load("scheduled__1", is_retry=True).rows_deleted == 1
    assert set(lists.shop.current()) == set(names(12)) - {"k009"}


def test_a_listing_that_lacks_too_much_is_refused_with_its_counts_until_it_is_accepted_by_name(lists):
    lists.put(*names(40))
    lists.load()
    for key in names(11):
        del lists.has[key]
    with pytest.raises(Rejected, match=r"11 of 40 records would be deleted.*--accept-deletes customer=11$"):
        lists.load()
    assert len(lists.shop.current()) == 40
    assert lists.shop.query("select missing, known from ops.deletes_refused") == [(11, 40)]
    with pytest.raises(Rejected, match=r"Accepted were 10\."):
        lists.load(accept_deletes=10)
    with connect(lists.shop.url, autocommit=True) as connection:
        assert not check_refused_deletes(connection, "os:tester", "shop", "customer")
        assert lists.load(accept_deletes=11).rows_deleted == 11
        assert check_refused_deletes(connection, "os:tester", "shop", "customer")
    assert lists.shop.query("select kind, message ~ 'lacks 11 of 40', resolved_at is null from ops.alert") == [
        ("deletes", True, False)
    ]
    events = "select actor, payload ->> 'missing', payload ->> 'known' from audit.event where action = 'deletes.accept'"
    assert lists.shop.query(events) == [("os:tester", "11", "40")]


def test_few_missing_records_of_a_small_stream_are_deleted(lists):
    lists.put(*names(12))
    lists.load()
    for key in names(10):
        del lists.has[key]
    assert lists.load().rows_deleted == 10


def test_an_empty_listing_of_a_stream_that_had_records_is_refused_however_few_they_are(lists):
    lists.put("only")
    lists.load()
    lists.has.clear()
    with pytest.raises(Rejected, match="the listing is empty, and 1 of 1 records would be deleted"):
        lists.load()
    assert set(lists.shop.current()) == {"only"}
    assert lists.load(accept_deletes=1).rows_deleted == 1
    assert lists.load().rows_deleted == 0  # nothing is known any more


def test_the_yaml_says_how_much_may_be_missing(lists):
    stream = SHOP.streams["customer"]
    deletes = stream.deletes.model_copy(update={"max_share": 0.5})
    more = {"customer": stream.model_copy(update={"deletes": deletes})}
    lists.shop.system = SHOP.model_copy(update={"streams": more})
    lists.put(*names(40))
    lists.load()
    for key in names(20):
        del lists.has[key]
    assert lists.load().rows_deleted == 20


CUSTOMER = {"title": "Customers", "primary_key": ["id"], "fields": {"id": "text", "changed": "timestamp"}}
CURSOR = {"cursor": {"fields": ["changed"]}}
BY_TIME = {"request": {"path": "/x", "params": {"since": "{start_unix}"}}}
IN_BODY = {"request": {"path": "/x", "method": "POST", "body": '{"to": "{end}"}'}}
SLICED = {"request": {"path": "/x/{first_day}", "slices": {"longest": "P30D", "since": "2020-01-01"}}}


@pytest.mark.parametrize(
    ("protocol", "more", "whole"),
    [
        ("rest", {}, True),
        ("rest", CURSOR, True),
        ("rest", BY_TIME, False),
        ("rest", IN_BODY, False),
        ("rest", SLICED, False),
        ("rest", {"retention_limited": True}, False),
        ("rest", {"lookup": {"attribute": "customer.tax_id_pl"}}, False),
        ("soap", {}, True),
        ("graphql", {}, True),
        ("odata", {}, True),
        ("odata", CURSOR, False),
        ("odata", {"request": {"path": "/x", "params": {"$filter": "at ge {start}"}}}, False),
        ("sql", {}, True),
        ("sql", CURSOR, False),
    ],
)
def test_a_stream_is_listed_whole_where_nothing_that_is_asked_names_a_time(protocol, more, whole):
    system = SHOP.model_copy(update={"protocol": protocol})
    stream = Stream.model_validate(CUSTOMER | more)
    assert is_listed_whole(connector_class(system).capabilities, stream) is whole
