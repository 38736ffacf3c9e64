"""Sweeps: the keys of a stream are listed, and what is gone at its source is deleted; nothing else, and once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest
from psycopg import sql

from onefold.catalog.system import System
from onefold.connectors.key_listing import key_system, why_no_sweep
from onefold.connectors.listing import whole_listing
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.window import Window
from onefold.errors import Fatal, Rejected
from onefold.load import gate_step, landing, steps
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.reconcile.sweep import sweep_stream, sweep_table, sweeps_of_run
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, Shop, record

NOW = datetime.now(UTC)


class Keys:
    """A source that is swept: it has these keys, and lists them three to a page."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.has = shop, list[str | None]()
        self.asked: list[Window] = []
        self.dies_after = 0

    def loaded(self, count: int) -> None:
        """So many records, at the source and in staging."""
        self.has = [f"k{number:02}" for number in range(count)]
        self.shop.load([record(key, number) for number, key in enumerate(self.has)])

    def job(self, run: str | None = None, **more: object) -> Job:
        def read(window: Window, token: str | None) -> Iterator[Page]:
            self.asked.append(window)
            place = int(token or 0)
            while True:
                at, found = datetime.now(UTC), self.has[place : place + 3]
                place += 3
                if self.dies_after and place > self.dies_after:
                    self.dies_after = 0
                    raise KeyboardInterrupt
                records = [Record(key, None, False, b"{}") for key in found]
                yield Page(records, at, str(place) if place < len(self.has) else None)
                if place >= len(self.has):
                    return

        @contextmanager
        def source(stream_name: str, usage: object) -> Iterator[object]:
            yield whole_listing(read)

        return replace(self.shop.job([], run, **more), source=source, sweep=True)

    def sweep(self, run: str | None = None, **more: object) -> Load:
        return steps.run(self.job(run, **more))


@pytest.fixture
def keys(shop: Shop) -> Keys:
    return Keys(shop)


def test_a_sweep_deletes_what_the_source_no_longer_lists_and_moves_nothing_else(keys):
    keys.loaded(8)
    cursor = keys.shop.query("select value, window_end, load_id from ops.cursor")
    keys.has.remove("k03")
    load = keys.sweep()
    assert (load.sweep, load.state, load.rows_deleted, load.rows_new, load.rows_changed) == (True, "published", 1, 0, 0)
    assert set(keys.shop.current()) == set(keys.has)
    assert keys.shop.query("select value, window_end, load_id from ops.cursor") == cursor
    assert keys.shop.versions()[4][1]["name"] == "Name k03"  # with what was seen of it last
    assert keys.sweep().rows_deleted == 0
    assert keys.shop.query("select tablename from pg_tables where schemaname = 'landing' and tablename ~ 'load_'") == []


def test_a_record_that_is_created_changed_or_created_again_is_not_deleted(keys):
    keys.loaded(8)
    keys.has.remove("k03")
    keys.sweep()
    keys.shop.load([record("k03", 99)])  # created again
    keys.has += ["k03", "new"]  # and one that no load has brought yet
    assert keys.sweep().rows_deleted == 0
    assert "k03" in keys.shop.current()
    assert keys.asked[-1].end > datetime.now(UTC) + timedelta(hours=23)  # what changes meanwhile stays in the window


def test_what_was_read_after_the_sweep_began_is_not_deleted(keys):
    keys.loaded(8)
    keys.has.remove("k03")
    keys.shop.execute(
        "update staging.shop__customer set _extracted_at = now() + interval '1 minute' where _key = 'k03'"
    )
    assert keys.sweep().rows_deleted == 0


@pytest.mark.parametrize("dies_after", [3, 6])
def test_a_sweep_that_dies_goes_on_and_deletes_the_same(keys, dies_after):
    keys.loaded(8)
    keys.has.remove("k03")
    keys.dies_after = dies_after
    with pytest.raises(KeyboardInterrupt):
        keys.sweep("scheduled__1", last_attempt=False)
    assert keys.sweep("scheduled__1", is_retry=True).rows_deleted == 1
    assert set(keys.shop.current()) == set(keys.has)


def test_a_sweep_that_lacks_too_much_or_lists_a_record_without_a_key_deletes_nothing(keys):
    keys.loaded(40)
    keys.has = keys.has[20:]
    with pytest.raises(Rejected, match=r"bin/onefold sweep shop\.customer --accept-deletes 20$"):
        keys.sweep()
    assert keys.sweep(accept_deletes=20).rows_deleted == 20
    keys.has = [*keys.has[1:], None]
    with pytest.raises(Rejected, match="1 of the records that the sweep has listed have no readable key"):
        keys.sweep()
    assert len(keys.shop.current()) == 20
    keys.has = []
    with pytest.raises(Rejected, match="the listing is empty, and 20 of 20"):
        keys.sweep()


def test_what_waits_in_quarantine_and_is_gone_is_closed(keys):
    keys.shop.load([record("good", 1), record("bad", 1, credit=-1)])
    keys.has = ["good"]
    keys.sweep()
    assert keys.shop.query("select _key, state from ops.quarantine") == [("bad", "superseded")]


def swept(every: str) -> System:
    stream = SHOP.streams["customer"]
    described = stream.model_dump(exclude_defaults=True) | {
        "deletes": {"sweep": {"every": every}},
        "request": {"path": "/x", "params": {"since": "{start}"}},
    }
    return System.model_validate(SHOP.model_dump(exclude_defaults=True) | {"streams": {"customer": described}})


def test_a_sweep_runs_when_it_is_due_and_a_retry_does_not_repeat_it(keys):
    keys.shop.system = swept("P2D")
    keys.loaded(4)
    first = sweep_stream(keys.job("scheduled__1"), NOW)
    assert first is not None
    assert sweep_stream(keys.job("scheduled__1", is_retry=True), NOW + timedelta(days=3)) == first
    assert sweep_stream(keys.job(), NOW + timedelta(days=1)) is None
    assert sweep_stream(keys.job(), NOW + timedelta(days=1), now=True) is not None
    assert sweep_stream(keys.job("scheduled__2"), NOW + timedelta(days=2, hours=-1)) is not None
    with connect(keys.shop.url) as connection:
        (line,) = sweeps_of_run(connection, "sync__shop", "scheduled__2")
    assert (line.keys, line.pages, line.deleted, line.state) == (4, 2, 0, "published")
    assert "shop" in sweep_table([line])


def test_a_dry_run_says_what_would_be_deleted_and_deletes_nothing(keys):
    keys.shop.system = swept("P1D")
    keys.loaded(8)
    keys.has.remove("k03")
    load = sweep_stream(keys.job(), NOW, now=True, dry_run=True)
    assert load is not None
    assert (load.state, load.rows_deleted) == ("dry_run", 1)
    assert keys.shop.query(sql.SQL("select _key from {}").format(load.tables.candidate)) == [("k03",)]
    assert len(keys.shop.current()) == 8


HEAD = {"system": "s", "title": "S", "connection": "s", "schedule": "0 * * * *"}
BASE = {"title": "T", "primary_key": ["id"], "fields": {"id": "text", "name": "text", "changed": "timestamp"}}
WINDOW = {"request": {"path": "/t", "params": {"since": "{start}", "only": "{fields}"}}}


@pytest.mark.parametrize(
    ("protocol", "stream", "why"),
    [
        ("rest", WINDOW, None),
        ("rest", {}, "every load lists the stream whole"),
        ("rest", WINDOW | {"retention_limited": True}, "has only expired"),
        ("rest", WINDOW | {"history": "P30D"}, "older records would look deleted"),
        ("rest", WINDOW | {"history": "2020-01-01"}, None),
        ("rest", {"lookup": {"attribute": "customer.tax_id_pl"}}, "the source cannot list its records"),
        ("odata", {"cursor": {"fields": ["changed"]}}, None),
        ("sql", {"cursor": {"fields": ["changed"]}, "request": {"table": "t"}}, None),
        (
            "files",
            {"request": {"path": "a/*.csv"}, "format": {"kind": "csv"}, "volatile": ["_file"]},
            "protocol files cannot list keys alone",
        ),
    ],
)
def test_check_says_why_a_stream_cannot_be_swept(protocol, stream, why):
    system = System.model_validate(HEAD | {"protocol": protocol, "streams": {"t": BASE | stream}})
    found = why_no_sweep(system, "t")
    assert (found is None) if why is None else (why in (found or ""))


def test_a_sweep_asks_for_the_keys_alone_where_the_protocol_can():
    cursor = {"cursor": {"fields": ["changed"]}, "request": {"path": "/T", "expand": ["to_Item"]}}
    odata = key_system(System.model_validate(HEAD | {"protocol": "odata", "streams": {"t": BASE | cursor}}), "t")
    asked = odata.streams["t"]
    assert (asked.request.params, asked.request.expand, asked.cursor) == ({"$select": "id"}, [], None)
    other = {"request": {"path": "/keys"}, "records": "ids"}
    more = {"records": "data", "deletes": {"sweep": other}}
    rest = key_system(System.model_validate(HEAD | {"protocol": "rest", "streams": {"t": BASE | WINDOW | more}}), "t")
    asked = rest.streams["t"]
    assert (asked.request.path, asked.records, list(asked.fields)) == ("/keys", "ids", ["id"])


def test_a_gate_that_dies_after_it_has_found_what_is_missing_finds_the_same_again(keys, monkeypatch):
    keys.loaded(8)
    keys.has.remove("k03")
    job = keys.job("scheduled__1", last_attempt=False)
    steps.land(job)
    with monkeypatch.context() as broken:
        broken.setattr(gate_step, "make_candidates", lambda *_, **__: 1 / 0)
        with pytest.raises(Fatal):
            steps.gate(replace(job))
    assert keys.sweep("scheduled__2").rows_deleted == 1
    job = keys.job("scheduled__3", last_attempt=False)
    keys.has.remove("k05")
    with monkeypatch.context() as broken:
        broken.setattr(landing, "mark_gated", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            steps.run(job)
    assert steps.run(replace(job, is_retry=True)).rows_deleted == 1
    assert set(keys.shop.current()) == set(keys.has)
