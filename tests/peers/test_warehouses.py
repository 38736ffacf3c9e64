"""Warehouses in a cloud, as emulators show them that others wrote: what must hold of every target holds of them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.compare import Cell
from onefold.deliver.conformance import try_target
from onefold.deliver.run import verify
from onefold.deliver.source import source_at_one_instant
from onefold.errors import Fatal, Retriable
from tests.deliver.crashing import CUSTOMERS, READ
from tests.deliver.world import ENTITIES, RUN, World, record_id
from tests.effort import TORTURE
from tests.kills import count_kill
from tests.peers.warehouses.crashing import deliver_and_die, read_on
from tests.peers.warehouses.emulators import There, emulated

pytestmark = [pytest.mark.peers, pytest.mark.timeout(3600)]
POINTS, READERS = (100, 4) if TORTURE else (6, 2)
CELLS = 1000 if TORTURE else 8
COMPANY = {"legal_name": "Alfa sp. z o.o. 'Łódź' \\n", "country": "PL", "credit_limit": "10.50"}


@pytest.fixture(scope="module", params=["s3", "snowflake", "bigquery", "redshift"])
def emulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    with emulated(request.param, tmp_path_factory.mktemp(request.param)) as there:
        yield there


@pytest.fixture
def there(emulator: There, tmp_path: Path) -> There:
    """The emulator with nothing of another test."""
    made = replace(emulator, name=f"test_{uuid4().hex[:12]}", folder=str(tmp_path))
    made.prepare()
    return made


def differing(world: World, there: There) -> list[Cell]:
    said = world.target_file("duckdb")
    return verify(world.loader, there.target, said, ENTITIES, RUN, recorded=record_delivery)[1]


def test_analysts_query_entities_history_and_marts_as_they_know_them(world: World, there: There) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    first = world.publish({"customer": {1: COMPANY, 2: COMPANY}})
    world.crosswalk("customer", "crm|account|1", 1, first)
    world.deliver(there.target)
    changed = COMPANY | {"country": "DE", "last_changed": datetime(2026, 3, 1, 12, tzinfo=UTC)}
    world.publish(
        {
            "customer": {1: changed, 2: None},
            "contact": {7: {"contact_key": "7", "customer_record": "crm|account|1"}},
        }
    )
    report = world.deliver(there.target)
    assert report.state == "delivered" and report.written == 6, "two versions, two ends, a row of a mart and an end"
    customers = "select customer_id, legal_name, country, credit_limit, systems, record_count from conformed.customer"
    assert there.ask(customers) == [
        (
            record_id("customer", 1),
            COMPANY["legal_name"],
            "DE",
            there.value(Decimal("10.5")),
            "crm, erp",
            there.value(2),
        )
    ]
    assert there.ask("select customer_id from conformed.contact") == [(record_id("customer", 1),)]
    assert there.ask("select * from marts.by_country") == [("DE", there.value(1))]
    then = "from_publish <= 1 and (to_publish is null or to_publish > 1)"
    assert there.ask(f"select country from conformed.customer_history where {then}") == [("PL",), ("PL",)]
    if there.kind == "bigquery":
        assert there.ask("select country from conformed.customer_as_of(1)") == [("PL",), ("PL",)]
    if there.kind == "s3":
        assert there.ask_views("select country from conformed.customer_as_of(1)") == [["PL"], ["PL"]]
    assert differing(world, there) == []
    assert world.deliver(there.target).state == "unchanged"


def test_a_second_delivery_writes_nothing_and_one_percent_changed_at_most_five_percent(
    world: World, there: There
) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    world.publish({"customer": dict.fromkeys(range(1000), COMPANY)})
    whole = world.deliver(there.target).written
    again = world.deliver(there.target)
    assert (again.state, again.written) == ("unchanged", 0)
    world.publish({"customer": {number: COMPANY | {"country": "DE"} for number in range(10)}})
    part = world.deliver(there.target).written
    assert whole >= 1000 and 20 <= part <= 0.05 * whole


def test_each_corrupted_cell_is_detected_and_named_and_a_full_delivery_mends_it(world: World, there: There) -> None:
    world.mart("by_status", "select status, count(*) as customers from conformed.customer group by status")
    world.publish({"customer": {number: COMPANY | {"status": f"s{number}"} for number in range(2 * CELLS)}})
    world.deliver(there.target)
    names = ["legal_name", "credit_limit", "status", "source_of_truth"]
    broken = {(record_id("customer", number), names[number // 2 % len(names)]) for number in range(0, 2 * CELLS, 2)}
    with there.target.writing() as session:
        quote, table = session.dialect.quote, session.dialect.table
        for key, name in broken:
            more = " + 0.000000001" if name == "credit_limit" else " || ' '"
            value = f"{quote(name)}{more}" if name == "credit_limit" else f"coalesce({quote(name)}, ''){more}"
            session.execute(
                f"update {table('entity__customer')} set {quote(name)} = {value} where {quote('_key')} = '{key}'"
            )
        session.execute(
            f"update {table('mart__by_status')} set {quote('customers')} = 2 where {quote('status')} = 's7'"
        )
    cells = differing(world, there)
    assert {(each.key, each.column) for each in cells if each.table == "conformed.customer"} == broken
    assert [each.column for each in cells if each.table == "marts.by_status"] == ["customers"]
    world.deliver(there.target, full=True)
    assert differing(world, there) == []


@pytest.mark.parametrize("value", ["0.0000000001", "NaN", "1" + 29 * "0"])
def test_a_value_that_the_target_cannot_hold_exactly_is_refused_and_never_rounded(
    world: World, there: There, value: str
) -> None:
    world.publish({"customer": {1: COMPANY}})
    world.deliver(there.target)
    world.publish({"customer": {2: COMPANY | {"credit_limit": value}, 3: COMPANY}})
    with pytest.raises(Fatal, match=f"row {record_id('customer', 2)}, column credit_limit"):
        world.deliver(there.target)
    assert there.ask("select count(*) from conformed.customer") == [(there.value(1),)]


def test_a_text_that_has_more_bytes_than_redshift_holds_is_refused_and_one_that_fits_is_kept(
    world: World, there: There
) -> None:
    if there.kind != "redshift":
        return
    world.publish({"customer": {1: COMPANY | {"status": "ł" * 29_000}}})
    world.deliver(there.target)
    assert differing(world, there) == []
    world.publish({"customer": {2: COMPANY | {"status": "ł" * 33_000}}})
    with pytest.raises(Fatal, match=r"row .*, column \(all together\).*65535 bytes"):
        world.deliver(there.target)
    assert there.ask("select count(*) from conformed.customer") == [("1",)]


def test_every_kind_of_value_is_kept_exactly_at_its_limits(world: World, there: There) -> None:
    with source_at_one_instant(world.loader) as source:
        trials = try_target(source, there.target)
    assert [str(each) for each in trials if each.wrong] == [] and len(trials) == 12


def test_an_erasure_reaches_every_version(world: World, there: There) -> None:
    person = COMPANY | {"legal_name": "Brzezińska sp. z o.o."}
    world.mart("names", "select legal_name from conformed.customer")
    world.publish({"customer": {1: person, 2: COMPANY}})
    world.deliver(there.target)
    world.publish({"customer": {1: person | {"country": "DE"}}})
    world.deliver(there.target)
    world.owner.execute(
        "update conformed.customer_version set legal_name = null where legal_name = %s", (person["legal_name"],)
    )
    world.owner.execute(
        "insert into ops.erasure (basis, privacy_case, state, actor, plan, touched, ended_at) values"
        " ('x', 'x', 'done', 'user:tester', '{}', '{conformed.customer_version}', clock_timestamp())"
    )
    world.deliver(there.target)
    assert differing(world, there) == []
    for table in ("entity__customer", "mart__names"):
        assert there.stored(table, "legal_name").isdisjoint({person["legal_name"]})
    assert there.kind != "s3" or not there.files_with("Brzezi")


def test_no_crash_point_shows_a_mixture_of_two_publishes_to_any_reader(world: World, there: There) -> None:
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.peers.warehouses.crashing"])
    world.mart("by_status", "select status, count(*) as customers from conformed.customer group by status")

    def publish(tag: str) -> None:
        customers = {number: {"status": tag} for number in range(CUSTOMERS)}
        world.publish({"customer": customers, "contact": {number: {"contact_key": tag} for number in range(3)}})

    calls = processes.Value("i", 0)

    def die_at(call: int) -> int | None:
        child = processes.Process(target=deliver_and_die, args=(world.url, there, call, calls))
        child.start()
        child.join(300)
        return child.exitcode

    publish("a")
    world.deliver(there.target)
    publish("b")
    assert die_at(-1) == 0 and calls.value > 40
    stop, reads, mixtures = processes.Event(), processes.Value("i", 0), processes.Value("i", 0)
    reading = [processes.Process(target=read_on, args=(there, stop, reads, mixtures)) for _ in range(READERS)]
    for each in reading:
        each.start()
    for point in range(POINTS):
        tag = f"t{point}"
        publish(tag)
        if die_at(1 + point * calls.value // POINTS) == 9:
            count_kill("delivery", "process")
        there.end_left_transactions()
        deliver_once_the_lock_is_free(world, there)
        assert there.ask(READ)[0][0] == tag + tag
    stop.set()
    for each in reading:
        each.join(120)
    assert [each.exitcode for each in reading] == [0] * READERS
    assert reads.value > READERS and mixtures.value == 0
    assert differing(world, there) == []


def deliver_once_the_lock_is_free(world: World, there: There) -> None:
    for _ in range(100):
        try:
            world.deliver(there.target)
        except Retriable:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the lock of the delivery that died was never free")
