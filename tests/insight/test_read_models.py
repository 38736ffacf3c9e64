"""What the read models say is what the engine has recorded, bounded, whatever the history."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from onefold.commands.quarantine import quarantine
from onefold.commands.report_text import withheld_by_loads
from onefold.errors import Fatal
from onefold.insight.alerts import open_alerts
from onefold.insight.loads import loads_of_run, loads_of_stream
from onefold.insight.quarantine import quarantine_reasons, quarantined_rows, withheld_values
from onefold.insight.streams import stream_statuses
from onefold.notify.alert import open_alert, resolve_alert
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, Shop, record
from tests.load.test_withheld import CLIENT, MAPPED_SHOP, rec
from tests.roles import as_role

CATALOGUE = {"shop": SHOP}


def test_a_stream_that_was_never_loaded_is_listed_too(shop: Shop) -> None:
    with connect(shop.url) as connection:
        (status,) = stream_statuses(connection, CATALOGUE)
    assert (status.name, status.last_load, status.current_as_of, status.open_quarantine) == (
        *("shop.customer", None),
        *(None, 0),
    )
    assert status.age(datetime.now(UTC)) is None
    assert not status.is_stale(datetime.now(UTC))


def test_a_stream_shows_its_last_load_its_age_and_what_waits(shop: Shop) -> None:
    shop.load([record("a", 1), record("b", 2)])
    load = shop.load([record("a", 3), record("c", 4, credit=-1)])
    with connect(shop.url) as connection:
        (status,) = stream_statuses(connection, CATALOGUE)
        assert stream_statuses(connection, CATALOGUE, only=["other.stream"]) == []
    assert status.last_load is not None
    last = status.last_load
    assert (last.load_id, last.read, last.new, last.changed, last.quarantined) == (load.load_id, 2, 0, 1, 1)
    assert (last.gate, status.open_quarantine, status.withheld, status.drifted) == ("passed", 1, 0, 0)
    assert status.current_as_of == load.window_end
    late = load.window_end + SHOP.streams["customer"].freshness
    assert not status.is_stale(late)
    assert status.is_stale(late + timedelta(seconds=1))


def test_a_withheld_value_is_not_counted_as_a_row_that_waits(shop: Shop) -> None:
    load = shop.load([record("a", 1), record("b", 2, credit=-1)])
    with connect(shop.url, autocommit=True) as connection:
        connection.execute(
            "insert into ops.quarantine (load_id, system, stream, _key, _hash, _extracted_at, suite, expectation,"
            " reason, attribute, value_kind, allowed) values (%s, 'shop', 'customer', 'a', '', now(), 'shop__customer',"
            " '', '', 'customer.phone', 'text', 'a telephone number')",
            (load.load_id,),
        )
        (status,) = stream_statuses(connection, CATALOGUE)
        assert (status.open_quarantine, status.withheld) == (1, 1)
        assert [row.key for row in quarantined_rows(connection).rows] == ["b"]
        assert sum(reason.rows for reason in quarantine_reasons(connection)) == 1
        (value,) = withheld_values(connection, system="shop", attribute="customer.phone").rows
        assert (value.key, value.value_kind, value.allowed) == ("a", "text", "a telephone number")
        assert withheld_values(connection, before=value.quarantine_id).rows == ()


def test_the_values_that_a_load_withheld_are_told_with_it(shop: Shop) -> None:
    shop.system, shop.entities = MAPPED_SHOP, {"client": CLIENT}
    shop.load([rec("a"), rec("b", credit=-1)])
    with connect(shop.url) as connection:
        (load,) = loads_of_stream(connection, "shop", "customer").rows
        (status,) = stream_statuses(connection, {"shop": shop.system})
    assert (load.quarantined, load.withheld, status.withheld) == (0, 1, 1)
    assert withheld_by_loads([load]) == [
        "Values withheld from published records: 1 in shop.customer. Which, and why: bin/onefold quarantine"
    ]


def test_loads_come_page_by_page_and_none_is_missed_or_shown_twice(shop: Shop) -> None:
    loads = [shop.load([record("a", minute)]).load_id for minute in range(1, 6)]
    with connect(shop.url) as connection:
        seen, before = [], None
        while True:
            page = loads_of_stream(connection, "shop", "customer", before=before, limit=2)
            seen += [load.load_id for load in page.rows]
            before = page.before
            if before is None:
                break
        assert seen == loads[::-1]
        last = loads_of_run(connection, "sync__shop", shop.query("select max(run_id) from ops.load")[0][0])
    assert [load.stream for load in last] == ["customer"]


def test_the_quarantine_is_counted_by_reason_and_listed_without_content(shop: Shop) -> None:
    shop.load([record("a", 1, credit=-1), record("b", 2, credit=-2), record("c", 3, credit="many"), record("d", 4)])
    with connect(shop.url) as connection:
        reasons = quarantine_reasons(connection)
        first = quarantined_rows(connection, system="shop", limit=2)
        rest = quarantined_rows(connection, system="shop", before=first.before, limit=2)
        assert quarantined_rows(connection, system="other").rows == ()
    assert [(reason.stream, reason.rows) for reason in reasons] == [("customer", 2), ("customer", 1)]
    assert sorted(row.key or "" for row in (*first.rows, *rest.rows)) == ["a", "b", "c"]
    assert rest.before is None


@pytest.fixture
def waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Rows that wait and a withheld value, in the warehouse that the commands ask."""
    shop.load([record(key, 1, credit=-1) for key in "abc"] + [record(key, 1) for key in "def"])
    shop.execute(
        "insert into ops.quarantine (load_id, system, stream, _key, _hash, _extracted_at, suite, expectation, reason,"
        " attribute, value_kind, allowed) select load_id, system, stream, 'd', '', now(), 'shop__customer', 'e',"
        " 'nobody understands it', 'customer.phone', 'text like aaa', 'a telephone number' from ops.load"
    )
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(shop.url, "onefold_engineer"))
    return shop


def test_the_command_shows_what_waits_and_what_is_withheld_at_which_rate(waiting: Shop) -> None:
    said = CliRunner().invoke(quarantine, ["shop.customer"]).output
    assert "3 rows wait in quarantine:" in said and "1 values are withheld from published records:" in said
    assert re.search(r"shop +customer +customer\.phone +1 +3 +33\.33%", said)
    shown = json.loads(CliRunner().invoke(quarantine, ["--json"]).output)
    assert [each["rows"] for each in shown["waiting"]] == [3]
    assert [(each["attribute"], each["values"], each["records"]) for each in shown["withheld"]] == [
        ("customer.phone", 1, 3)
    ]
    values = CliRunner().invoke(quarantine, ["shop", "--values", "--attribute", "customer.phone"]).output
    assert "nobody understands it" in values and "text like aaa" in values and "a telephone number" in values


def test_the_command_lists_rows_page_by_page_and_names_no_personal_value(waiting: Shop) -> None:
    first = json.loads(CliRunner().invoke(quarantine, ["--rows", "--limit", "2", "--json"]).output)
    rest = CliRunner().invoke(quarantine, ["--rows", "--before", str(first["before"])])
    keys = {each["key"] for each in first["rows"]}
    assert len(keys) == 2 and next(key for key in "abc" if key not in keys) in rest.output
    assert "Name " not in rest.output and "Name " not in json.dumps(first)
    assert "There is none." in CliRunner().invoke(quarantine, ["shop", "--values", "--before", "1"]).output


@pytest.mark.parametrize(("name", "said"), [("shpo", "no system 'shpo'"), ("shop.costumer", "no stream 'costumer'")])
def test_an_unknown_system_or_stream_is_named(waiting: Shop, name: str, said: str) -> None:
    refused = CliRunner().invoke(quarantine, [name])
    assert isinstance(refused.exception, Fatal) and said in str(refused.exception)


def test_an_alert_is_listed_until_it_has_ended(shop: Shop) -> None:
    with connect(shop.url) as connection:
        open_alert(connection, "os:tester", "freshness", "shop.customer", "The data is old.")
        open_alert(connection, "os:tester", "freshness", "shop.customer", "The data is older.")
        (alert,) = open_alerts(connection).rows
        assert (alert.kind, alert.subject, alert.message, alert.occurrences) == (
            *("freshness", "shop.customer", "The data is older."),
            2,
        )
        resolve_alert(connection, "os:tester", "freshness", "shop.customer")
        assert open_alerts(connection).rows == ()


@pytest.mark.parametrize("limit", [0, -1, 1001, 10**9])
def test_a_page_is_bounded(shop: Shop, limit: int) -> None:
    with connect(shop.url) as connection, pytest.raises(Fatal, match="from 1 to 1,000 rows"):
        loads_of_stream(connection, "shop", "customer", limit=limit)
