"""A full disk, a lost connection, a timeout: the load says what happened and what to do; tried again, it succeeds."""

from __future__ import annotations

import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from _pytest.mark.structures import ParameterSet

from onefold.connectors.page import Page
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.load.job import Job
from onefold.platform.postgres import Postgres
from onefold.warehouse.db_errors import translate_errors
from tests.kills import count_kill
from tests.load.shop import MORNING, Shop, pages, record
from tests.torture.loader import STEPS, Loading
from tests.torture.observing import lies, observe
from tests.torture.wire import Moment, Wire
from tests.torture.world import NIGHTLY, Warehouse, World

KINDS = {
    "08006": Retriable,
    "25006": Retriable,
    "40001": Retriable,
    "40P01": Retriable,
    "42501": Fatal,
    "53100": Retriable,
    "53200": Retriable,
    "53300": Retriable,
    "53400": Fatal,
    "55P03": Retriable,
    "57014": Retriable,
    "57P01": Retriable,
    "57P02": Retriable,
    "57P03": Retriable,
    "58030": Retriable,
    "XX000": Fatal,
    "XX001": Fatal,
}


def each_with_each(faults: Sequence[tuple], steps: Sequence[tuple]) -> list[ParameterSet]:
    """Every fault at every step; in `make test` each fault and each step once."""
    return [
        pytest.param(*fault, *step, marks=[pytest.mark.full_matrix] if one != other else [])
        for one, fault in enumerate(faults)
        for other, step in enumerate(steps)
    ]


@pytest.fixture
def warehouse(world: World) -> Iterator[Warehouse]:
    with world.warehouse() as warehouse:
        yield warehouse


def test_a_connection_lost_at_any_moment_is_written_down_and_tried_again_the_load_succeeds(
    world: World, wire: Wire, full: bool
):
    with world.warehouse() as warehouse:
        last = len(Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url))).carry(wire).orders)
    written_down = unwritten = 0
    undisturbed = current_undisturbed(world)
    # At its beginning, while it lands, while it is judged, and in the transaction that publishes.
    for number in range(1, last, 2) if full else (1, last // 6, last // 2, last - 20):
        with world.warehouse() as warehouse:
            loading = Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url))).carry(wire, Moment(number))
            assert loading.end.startswith("Retriable: "), (number, loading.end)
            assert "connection to the warehouse was lost" in loading.end
            assert "bin/onefold status" in loading.end
            warehouse.wait_until_the_dead_are_gone()
            for state, error in warehouse.query("select state, error from ops.load"):
                assert state == "published" or error is None or loading.end == f"Retriable: {error}", number
                written_down += error is not None
                unwritten += state != "published" and error is None
            assert lies(warehouse.url) == []
            again(warehouse, loading.step)
            assert warehouse.current() == undisturbed
    assert written_down
    assert unwritten <= len(STEPS)  # lost while a step asked for the stream's lock: the load was not its own yet


def test_great_expectations_goes_on_when_its_connection_alone_is_lost(world: World, warehouse: Warehouse, wire: Wire):
    def end_its_session() -> bool:
        assert warehouse.query(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database()"
            " and usename = 'onefold_loader' and application_name <> 'onefold' and state = 'idle in transaction'"
        )
        count_kill("load", "session")
        return True

    number = in_the_gate(world, wire)
    STEPS["land"](warehouse.job(NIGHTLY))
    loading = Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url)), ["gate"])
    loading.carry(wire, Moment(number, "before"), end_its_session)
    assert loading.end == "done"
    again(warehouse, "publish")
    assert warehouse.current() == current_undisturbed(world)


def test_a_statement_timeout_in_great_expectations_is_no_fault_of_the_suite(
    world: World, warehouse: Warehouse, wire: Wire
):
    number = in_the_gate(world, wire)
    STEPS["land"](warehouse.job(NIGHTLY))
    with psycopg.connect(warehouse.url) as somebody:

        def lock() -> bool:
            somebody.execute("lock table landing.load_1__typed")
            return True

        with limited(warehouse, "statement_timeout = '300ms'"):
            loading = Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url)), ["gate"])
            loading.carry(wire, Moment(number, "before"), lock)
    assert loading.end.startswith("Retriable: suite shop__customer: a statement was cancelled (SQLSTATE 57014")
    again(warehouse, "gate")


@pytest.mark.parametrize(
    ("setting", "says", "step", "table"),
    each_with_each(
        [
            (
                "statement_timeout = '1s'",
                r"shop\.customer: a statement was cancelled .*57014.* statement timeout.*raise the",
            ),
            ("lock_timeout = '1s'", r"shop\.customer: a lock was not free in time .*55P03.*find it in pg_locks"),
        ],
        [("land", "landing.resume_token"), ("publish", "ops.cursor")],
    ),
)
def test_a_timeout_says_what_to_do_and_tried_again_the_load_succeeds(
    warehouse: Warehouse, setting: str, says: str, step: str, table: str
):
    with limited(warehouse, setting), psycopg.connect(warehouse.url) as somebody:
        somebody.execute(f"lock table {table} in exclusive mode")
        with pytest.raises(Retriable, match=says) as refused:
            again(warehouse, "land")
        assert warehouse.query("select error from ops.load") == [(str(refused.value),)]
    again(warehouse, step)


@pytest.mark.parametrize(("odd", "step"), each_with_each([(0,), (100,)], [("land",), ("publish",)]))
def test_a_full_disk_says_what_to_do_and_with_room_again_the_load_succeeds(
    world: World, warehouse: Warehouse, step: str, odd: int
):
    """A write is refused at once, or has written a part (`odd` bytes of it)."""
    given = large_pages()
    for earlier in list(STEPS)[: list(STEPS).index(step)]:
        STEPS[earlier](job_of(warehouse, given))
    with files_of_at_most(world.server, (17 << 20) + odd), pytest.raises(Retriable, match="is full") as refused:
        STEPS[step](job_of(warehouse, given))
    assert "Free space where PostgreSQL keeps its data" in str(refused.value)
    assert warehouse.query("select error from ops.load") == [(str(refused.value),)]
    for later in list(STEPS)[list(STEPS).index(step) :]:
        load = STEPS[later](job_of(warehouse, given))
    assert (load.state, load.rows_new) == ("published", sum(len(page.records) for page in given))
    assert lies(warehouse.url) == []


def test_a_missing_privilege_is_final_and_says_what_grants_it(warehouse: Warehouse):
    with psycopg.connect(warehouse.url) as administrator:
        administrator.execute("revoke insert on ops.cursor from onefold_loader")
    with pytest.raises(Fatal, match=r"the role may not do this .*permission denied for table cursor.*bin/onefold up"):
        again(warehouse, "land")
    ((state, error),) = warehouse.query("select state, error from ops.load")
    assert state == "rejected"
    assert "permission denied for table cursor" in error
    assert observe(warehouse.url)["tables of landing"] == ["lookup_result", "partition", "resume_token", "unreadable"]


def test_a_warehouse_that_can_only_be_read_says_so(warehouse: Warehouse):
    with (
        limited(warehouse, "default_transaction_read_only = on"),
        pytest.raises(Retriable, match=r"read-only .*25006"),
    ):
        again(warehouse, "land")
    again(warehouse, "land")


@pytest.mark.parametrize("state", KINDS)
def test_each_kind_of_refusal_is_classed_by_what_to_do_about_it(world: World, state: str):
    raising = f"do $$ begin raise exception 'enough' using errcode = '{state}'; end $$"
    with (
        psycopg.connect(world.server.url("postgres")) as connection,
        pytest.raises(OnefoldError) as refused,
        translate_errors("crm.account"),
    ):
        connection.execute(raising)
    assert type(refused.value) is KINDS[state]
    assert str(refused.value).startswith("crm.account: ")
    assert state in str(refused.value)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into person values ('Kowalski'), ('Kowalski')",
        "insert into person values (null)",
        "select name::int from (values ('Kowalski')) as person (name)",
        "select 'Kowalski'::jsonb",
        "do $$ begin raise exception 'Kowalski is wrong'; end $$",
        "insert into person values (repeat('Kowalski', 1000))",
    ],
)
def test_no_refusal_ever_quotes_a_row(world: World, statement: str):
    with psycopg.connect(world.server.url("postgres")) as connection:
        connection.execute(
            "create temp table person (name text primary key constraint short check (length(name) < 100))"
        )
        with pytest.raises(Fatal) as refused, translate_errors("hr.person"):
            connection.execute(statement)
    assert "Kowalski" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def again(warehouse: Warehouse, step: str) -> None:
    """The step, and those after it, without any fault: the load is published."""
    for name in list(STEPS)[list(STEPS).index(step) :]:
        load = STEPS[name](warehouse.job(NIGHTLY))
    assert load.state == "published"
    assert lies(warehouse.url) == []


def in_the_gate(world: World, wire: Wire) -> int:
    """Which of the gate's orders is Great Expectations' question about the candidates."""
    with world.warehouse() as warehouse:
        STEPS["land"](warehouse.job(NIGHTLY))
        undisturbed = Loading(warehouse.job(NIGHTLY, wire.url(warehouse.loader_url)), ["gate"]).carry(wire)
    return next(order.number for order in undisturbed.orders if b"sum(CASE WHEN" in order.message)


def current_undisturbed(world: World) -> list[tuple]:
    """What staging shows after an undisturbed nightly load."""
    with world.warehouse() as warehouse:
        again(warehouse, "land")
        return warehouse.current()


@contextmanager
def limited(warehouse: Warehouse, setting: str) -> Iterator[None]:
    """The loader's new sessions in this database have this setting."""
    database = warehouse.url.rpartition("/")[2]
    with psycopg.connect(warehouse.url, autocommit=True) as administrator:
        administrator.execute(f"alter role onefold_loader in database {database} set {setting}")
        yield
        administrator.execute(f"alter role onefold_loader in database {database} reset all")


@contextmanager
def files_of_at_most(server: Postgres, size: int) -> Iterator[None]:
    """The server can make no file longer: what a full disk or quota is to it. (A really full disk would need a file
    system of its own, and so root. WAL is written in files of 16 MB, which this leaves alone.)
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    server.stop()
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        server.start()  # it inherits the limit
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    yield
    server.stop()
    server.start()


def large_pages() -> list[Page]:
    """Some 23 MB of records."""
    return pages(
        *[[record(f"k{n}_{m}", 1, nick=f"{m:04}" * 350) for m in range(2000)] for n in range(8)],
        observed=MORNING + timedelta(hours=1),
    )


def job_of(warehouse: Warehouse, given: list[Page]) -> Job:
    """The nightly load, but of these pages."""
    return replace(warehouse.job(NIGHTLY), source=Shop(warehouse.loader_url, warehouse.suites).job(given).source)
