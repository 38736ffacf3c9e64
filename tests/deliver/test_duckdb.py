"""DuckDB: one file that analysts open."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.duckdb_file import DuckDbFile
from onefold.deliver.due import verification_is_due
from onefold.deliver.run import verify
from onefold.errors import Fatal, Retriable
from tests.deliver.world import ENTITIES, RUN, World, record_id
from tests.effort import TORTURE

CELLS = 1000 if TORTURE else 20


@pytest.fixture
def target(tmp_path: Path) -> DuckDbFile:
    return DuckDbFile("here", tmp_path / "here.duckdb")


def ask(target: DuckDbFile, query: str) -> list[tuple]:
    with duckdb.connect(str(target.path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def change(target: DuckDbFile, statement: str) -> None:
    with duckdb.connect(str(target.path)) as connection:
        connection.execute(statement)


COMPANY = {"legal_name": "Alfa sp. z o.o.", "country": "PL", "tax_id_pl": "5250001009", "credit_limit": "10.50"}
PERSON = {"legal_name": "Jan Kowalski", "country": "PL", "email": "jan@example.com"}


def test_analysts_query_entities_history_and_marts_as_they_know_them(world: World, target: DuckDbFile) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    first = world.publish({"customer": {1: COMPANY, 2: PERSON}})
    world.crosswalk("customer", "crm|account|1", 1, first)
    world.deliver(target)
    second = world.publish(
        {
            "contact": {7: {"contact_key": "7", "customer_record": "crm|account|1", "first_name": "Ewa"}},
            "customer": {1: COMPANY | {"country": "DE", "last_changed": datetime(2026, 3, 1, 12, tzinfo=UTC)}},
        }
    )
    report = world.deliver(target)
    assert (report.state, report.publish_id) == ("delivered", second)
    customers = "select legal_name, country, credit_limit, systems, record_count, last_changed from conformed.customer"
    assert ask(target, f"{customers} where customer_id = '{record_id('customer', 1)}'") == [
        ("Alfa sp. z o.o.", "DE", Decimal("10.5"), "crm, erp", 2, datetime(2026, 3, 1, 12))
    ]
    assert ask(target, "select customer_id, contact_key from conformed.contact") == [(record_id("customer", 1), "7")]
    assert ask(target, "select * from marts.by_country order by 1") == [("DE", 1), ("PL", 1)]
    history = "select country, from_publish, to_publish, valid_to is null from conformed.customer_history"
    assert ask(target, f"{history} where legal_name is not null order by 2") == [
        ("PL", first, second, False),
        ("DE", second, None, True),
    ]
    assert ask(target, "select country from conformed.customer_as_of(1) order by 1") == [("PL",), ("PL",)]
    comments = "select comment from duckdb_columns() where schema_name = 'conformed' and table_name = 'customer'"
    said = ENTITIES["customer"].attributes["country"].meaning
    assert ask(target, f"{comments} and column_name = 'country'") == [(said,)]


def test_what_is_personal_is_delivered_only_where_the_target_asks_and_in_a_schema_of_its_own(
    world: World, target: DuckDbFile
) -> None:
    world.mart("names", "select legal_name from conformed.customer")
    world.publish({"customer": {1: COMPANY | {"email": "office@example.com"}, 2: PERSON}})
    world.deliver(target)
    assert ask(target, "select legal_name from conformed.customer order by 1") == [("Alfa sp. z o.o.",), (None,)]
    assert ask(target, "select * from marts.names order by 1") == [("Alfa sp. z o.o.",), (None,)]
    found = "select count(*) from duckdb_columns() where column_name in ('email', 'phone', 'person_name')"
    assert ask(target, found) == [(0,)]
    assert b"Kowalski" not in target.path.read_bytes() and b"jan@example.com" not in target.path.read_bytes()
    world.deliver(target, personal=["customer"])
    everything = "select legal_name, email from conformed_personal.customer order by 1"
    assert ask(target, everything) == [("Alfa sp. z o.o.", "office@example.com"), ("Jan Kowalski", "jan@example.com")]
    assert ask(target, "select legal_name from conformed.customer order by 1") == [("Alfa sp. z o.o.",), (None,)]


def test_a_second_delivery_writes_nothing(world: World, target: DuckDbFile) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    world.publish({"customer": {1: COMPANY}})
    world.deliver(target)
    before = target.path.stat()
    report = world.deliver(target)
    after = target.path.stat()
    assert (report.state, report.written) == ("unchanged", 0)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    world.publish({})
    assert world.deliver(target).written == 0


def test_one_percent_changed_writes_at_most_five_percent_of_a_full_delivery(world: World, target: DuckDbFile) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    world.publish({"customer": dict.fromkeys(range(1000), COMPANY)})
    whole = world.deliver(target).written
    world.publish({"customer": {number: COMPANY | {"country": "DE"} for number in range(10)}})
    part = world.deliver(target).written
    assert whole >= 1000 and 20 <= part <= 0.05 * whole


def test_a_publish_that_is_switched_back_is_switched_back_at_the_target(world: World, target: DuckDbFile) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    first = world.publish({"customer": {1: COMPANY}})
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    world.deliver(target)
    world.show("customer", first)
    world.deliver(target)
    assert ask(target, "select country from conformed.customer union all select country from marts.by_country") == [
        ("PL",),
        ("PL",),
    ]
    world.publish({"customer": {2: COMPANY}})
    world.deliver(target)
    assert ask(target, "select country from conformed.customer order by 1") == [("DE",), ("PL",)]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("credit_limit", "0.0000000001"),
        ("credit_limit", "NaN"),
        ("credit_limit", "1" + 29 * "0"),
        ("registered_on", date(2026, 1, 1)),
    ],
)
def test_a_value_that_the_target_cannot_hold_exactly_is_refused_and_never_rounded(
    world: World, target: DuckDbFile, attribute: str, value: object
) -> None:
    world.publish({"customer": {1: COMPANY}})
    world.deliver(target)
    if attribute == "registered_on":
        value = "infinity"
    world.publish({"customer": {2: COMPANY | {attribute: value}, 3: COMPANY}})
    with pytest.raises(Fatal) as refused:
        world.deliver(target)
    assert f"conformed.customer, row {record_id('customer', 2)}, column {attribute}" in str(refused.value)
    assert "readers see the publish before" in str(refused.value)
    assert ask(target, "select count(*) from conformed.customer") == [(1,)]
    failed = world.owner.execute("select state, error from ops.delivery order by delivery_id desc limit 1").fetchone()
    assert failed == ("failed", str(refused.value))


def test_a_mart_with_a_value_that_cannot_be_held_is_named_with_its_column(world: World, target: DuckDbFile) -> None:
    world.mart("shares", "select 1::numeric / 3 as share")
    world.publish({"customer": {1: COMPANY}})
    with pytest.raises(Fatal, match=r"marts\.shares, row 1, column share"):
        world.deliver(target)
    assert world.deliver(target, marts="none").state == "delivered"


def test_a_value_of_a_mart_that_gains_a_decimal_too_many_is_refused_and_not_taken_for_unchanged(
    world: World, target: DuckDbFile
) -> None:
    world.mart("shares", "select 1.5 as share")
    world.publish({"customer": {1: COMPANY}})
    world.deliver(target)
    world.mart("shares", "select 1.50000000000 as share")
    assert world.deliver(target).state == "unchanged"
    world.mart("shares", "select 1.5000000001 as share")
    with pytest.raises(Fatal, match=r"marts\.shares, row 1, column share"):
        world.deliver(target)


def test_each_corrupted_cell_is_detected_and_named_and_a_full_delivery_mends_it(
    world: World, target: DuckDbFile
) -> None:
    world.mart("by_status", "select status, count(*) as customers from conformed.customer group by status")
    world.publish({"customer": {number: COMPANY | {"status": f"s{number}"} for number in range(2 * CELLS)}})
    world.deliver(target)
    names = ["legal_name", "credit_limit", "status", "source_of_truth"]
    corruption = "update onefold.entity__customer set {} = {} where _key = '{}'"
    broken = {(record_id("customer", number), names[number // 2 % len(names)]) for number in range(0, 2 * CELLS, 2)}
    corruptions = [
        corruption.format(
            column, "credit_limit + 0.000000001" if column == "credit_limit" else f"coalesce({column}, '') || ' '", key
        )
        for key, column in broken
    ]
    change(target, ";".join(corruptions))
    change(target, "update onefold.mart__by_status set customers = 2 where status = 's7'")
    said = world.target_file("duckdb")
    report, cells = verify(world.loader, target, said, ENTITIES, RUN, recorded=record_delivery)
    assert report.state == "failed"
    assert {(each.key, each.column) for each in cells if each.table == "conformed.customer"} == broken
    assert [each.column for each in cells if each.table == "marts.by_status"] == ["customers"]
    assert world.deliver(target).state == "unchanged"
    world.deliver(target, full=True)
    assert verify(world.loader, target, said, ENTITIES, RUN, recorded=record_delivery)[1] == []


def test_a_delivery_onto_corrupted_cells_shows_nothing_and_says_what_to_do(world: World, target: DuckDbFile) -> None:
    world.publish({"customer": {1: COMPANY, 2: COMPANY}})
    world.deliver(target)
    change(target, "update onefold.entity__customer set status = 'x'")
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    with pytest.raises(Fatal, match=r"conformed\.customer, row .*, column status.*--full"):
        world.deliver(target)
    assert ask(target, "select country from conformed.customer") == [("PL",), ("PL",)]


def test_what_is_corrupted_beside_the_changes_is_found_by_the_verification_that_is_due_each_day(
    world: World, target: DuckDbFile
) -> None:
    world.publish({"customer": {1: COMPANY, 2: COMPANY}})
    world.deliver(target)
    corruption = "update onefold.entity__customer set status = 'x' where _key = '{}'"
    change(target, corruption.format(record_id("customer", 2)))
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    assert world.deliver(target).state == "delivered"
    day = timedelta(days=1)
    assert not verification_is_due(world.owner, "here", day)
    world.owner.execute("update ops.delivery set started_at = started_at - interval '1 day'")
    assert verification_is_due(world.owner, "here", day)
    said = world.target_file("duckdb")
    _, cells = verify(world.loader, target, said, ENTITIES, RUN, recorded=record_delivery)
    assert [(each.key, each.column) for each in cells] == [(record_id("customer", 2), "status")]
    assert verification_is_due(world.owner, "here", day), "until one finds nothing, each run compares again"
    world.deliver(target, full=True)
    assert not verification_is_due(world.owner, "here", day)


@pytest.mark.parametrize(
    ("corruption", "named"),
    [
        ("delete from onefold.entity__customer where _key = '{}'", "not there"),
        ("insert into onefold.entity__customer (_key, _from) values ('{}', 0)", "not in PostgreSQL"),
    ],
)
def test_a_row_too_many_or_too_few_stops_the_next_delivery_of_its_table_wherever_it_is(
    world: World, target: DuckDbFile, corruption: str, named: str
) -> None:
    world.publish({"customer": {1: COMPANY, 2: COMPANY}})
    world.deliver(target)
    change(target, corruption.format(record_id("customer", 2)))
    world.publish({"customer": {1: COMPANY | {"country": "DE"}}})
    with pytest.raises(Fatal, match=f"row {record_id('customer', 2)}.*{named}"):
        world.deliver(target)
    assert ask(target, "select distinct country from conformed.customer where legal_name is not null") == [("PL",)]


def test_the_checksum_that_follows_the_changes_is_that_of_all_rows(world: World, target: DuckDbFile) -> None:
    for country in ("PL", "DE", "FR"):
        world.publish({"customer": {number: COMPANY | {"country": country} for number in range(3)}})
        world.publish({"customer": {1: None}, "exchange_rate": {}})
        followed = world.deliver(target)
        said = world.target_file("duckdb")
        whole, cells = verify(world.loader, target, said, ENTITIES, RUN, recorded=record_delivery)
        assert (whole.checksum, whole.rows, cells) == (followed.checksum, followed.rows, [])


def test_a_delivery_is_in_the_audit_trail_and_the_lineage(world: World, target: DuckDbFile) -> None:
    publish = world.publish({"customer": {1: COMPANY}})
    report = world.deliver(target)
    event = world.owner.execute(
        'select actor, subject, "to", payload, result from audit.event where action = %s', ("deliver.publish",)
    ).fetchone()
    assert event[:3] == ("user:tester", f"delivery:{report.delivery_id}", "warehouse:here") and event[4] == "ok"
    assert (event[3]["publish"], event[3]["rows_written"]) == (publish, 1)
    (lineage,) = world.owner.execute("select event from lineage.event").fetchone()
    names = [each["name"] for each in lineage["outputs"]]
    assert names == ["here.conformed.customer"] and json.dumps(lineage).count("conformed.customer") >= 2


def test_two_deliveries_to_one_target_do_not_run_at_once(world: World, target: DuckDbFile) -> None:
    world.publish({"customer": {1: COMPANY}})

    def deliver_too(name: str) -> None:
        if name == "prepared":
            with pytest.raises(Retriable, match="Another delivery to here is running"):
                world.deliver(target)

    assert world.deliver(target, step=deliver_too).state == "delivered"


def test_an_attribute_that_the_catalogue_gains_is_filled_and_shown_by_the_next_delivery(
    world: World, target: DuckDbFile
) -> None:
    world.publish({"customer": {1: COMPANY}})
    world.deliver(target)
    change(target, "alter table onefold.entity__customer drop column country")
    change(target, "update onefold.visible set columns = 'other', layout = 'other'")
    world.deliver(target)
    assert ask(target, "select country from conformed.customer") == [("PL",)]


def test_what_the_target_is_to_have_no_longer_is_gone_with_the_next_delivery(world: World, target: DuckDbFile) -> None:
    world.mart("by_country", "select country from conformed.customer")
    world.publish({"customer": {1: COMPANY | {"email": "office@example.com"}}})
    world.deliver(target, personal=["customer"])
    world.deliver(target, marts="none")
    views = "select schema_name || '.' || view_name from duckdb_views() where not internal and schema_name <> 'onefold'"
    assert not [name for (name,) in ask(target, views) if name.startswith(("marts", "conformed_personal"))]
    assert b"office@example.com" not in target.path.read_bytes()
