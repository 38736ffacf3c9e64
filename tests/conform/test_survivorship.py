"""Which value survives, and where each one came from."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from onefold.conform.provenance import trace_provenance
from tests.conform.world import PARTNER, World, record


def test_the_most_trusted_system_that_has_a_value_gives_it(world: World):
    world.conform(
        record("erp", "e", tax_id_pl="1", legal_name="erp", street="erp", credit_limit="12.30"),
        record("crm", "c", tax_id_pl="1", legal_name="crm", street="crm"),
        record("court", "k", tax_id_pl="1", legal_name="court"),
    )
    columns = ("legal_name", "street", "credit_limit", "source_of_truth", "systems", "record_count")
    assert world.golden("e", *columns) == ("court", "crm", Decimal("12.30"), "court", ["court", "crm", "erp"], 3)


def test_an_attribute_may_trust_others_than_its_entity_does(world: World):
    world.conform(
        record("court", "k", tax_id_pl="1", email="court@example.pl"),
        record("crm", "c", tax_id_pl="1", email="crm@example.pl"),
        record("erp", "e", tax_id_pl="1", email="erp@example.pl"),
    )
    assert world.golden("k", "email") == ("erp@example.pl",)
    world.conform(record("erp", "e", tax_id_pl="1"))
    assert world.golden("k", "email") == ("crm@example.pl",)


def test_an_amount_and_its_currency_are_of_one_record(world: World):
    world.conform(
        record("court", "k", tax_id_pl="1", currency="PLN"),
        record("crm", "c", tax_id_pl="1", currency="USD"),
        record("erp", "e", tax_id_pl="1", credit_limit="12.30", currency="EUR"),
    )
    assert world.golden("k", "credit_limit", "currency") == (Decimal("12.30"), "EUR")
    traced = {row.attribute: row.key for row in trace_provenance(world.connection, PARTNER, world.id_of("k"))}
    assert (traced["credit_limit"], traced["currency"]) == ("e", "e")
    # An amount whose record says no currency has none, and nothing says where that came from.
    world.conform(record("erp", "e", tax_id_pl="1", credit_limit="12.30"))
    assert world.golden("k", "credit_limit", "currency") == (Decimal("12.30"), None)
    assert "currency" not in {each.attribute for each in trace_provenance(world.connection, PARTNER, world.id_of("k"))}
    # Without an amount, the currency is the most trusted system's.
    world.conform(record("erp", "e", tax_id_pl="1", currency="EUR"))
    assert world.golden("k", "credit_limit", "currency") == (None, "PLN")


def test_within_a_system_the_latest_change_wins_and_then_the_smallest_record(world: World):
    world.conform(
        record("crm", "a", tax_id_pl="1", legal_name="old", last_changed="2026-01-01T00:00Z"),
        record("crm", "b", tax_id_pl="1", legal_name="new", last_changed="2026-01-02T00:00Z"),
        record("crm", "c", tax_id_pl="1", legal_name="tie", last_changed="2026-01-02T00:00Z"),
    )
    assert world.golden("a", "legal_name") == ("new",)


def test_of_one_system_the_living_record_comes_before_the_ended_one_whatever_their_keys_and_times(world: World):
    ended = {"legal_name": "old", "status": "ended", "regon": "1", "last_changed": "2026-03-01T00:00Z"}
    living = {"legal_name": "new", "status": "active", "regon": "2", "last_changed": "2020-01-01T00:00Z"}
    world.conform(record("crm", "a", tax_id_pl="1", **ended), record("crm", "b", tax_id_pl="1", **living))
    assert world.golden("b", "legal_name", "status", "regon", "record_count") == ("new", "active", "2", 2)
    # one that says nothing of it counts as living; between systems trust decides, not life
    world.conform(
        record("crm", "b", tax_id_pl="1", legal_name="newer"), record("court", "k", tax_id_pl="1", status="ended")
    )
    assert world.golden("b", "legal_name", "status", "regon") == ("newer", "ended", "1")


def test_latest_means_the_greatest_value_whoever_says_it(world: World):
    world.conform(
        record("court", "k", tax_id_pl="1", last_changed="2026-01-01T00:00Z"),
        record("erp", "e", tax_id_pl="1", last_changed="2026-03-01T00:00Z"),
    )
    assert world.golden("k", "last_changed") == (datetime(2026, 3, 1, tzinfo=UTC),)


def test_every_golden_attribute_traces_to_a_load(world: World):
    first = world.load([record("crm", "a", tax_id_pl="1", legal_name="A", email="a@example.pl")])
    second = world.load([record("erp", "b", tax_id_pl="1", street="Polna 1")])
    world.conform()
    traced = {row.attribute: row for row in trace_provenance(world.connection, PARTNER, world.id_of("a"))}
    assert set(traced) == {"legal_name", "tax_id_pl", "email", "street"}
    name, street = traced["legal_name"], traced["street"]
    assert (name.value, name.system, name.stream, name.key, name.field, name.transform) == (
        "A", "crm", "account", "a", "crm_field", "text",
    )  # fmt: skip
    assert (name.load_id, street.load_id, street.system, name.mapping_version) == (first, second, "erp", 1)
    assert traced["email"].value is None, "a personal value does not belong into a trace"
    loads = {row[0] for row in world.connection.execute("select load_id from ops.load").fetchall()}
    assert {row.load_id for row in traced.values()} <= loads


@pytest.mark.parametrize("attribute", ["legal_name", "email"])
def test_a_value_that_another_record_now_gives_is_traced_to_that_record(attribute: str, world: World):
    same = {"tax_id_pl": "1", attribute: "x"}
    world.conform(record("crm", "a", **same), record("crm", "b", **same))
    world.conform(record("crm", "a", tax_id_pl="1"))
    assert {row.attribute: row.key for row in trace_provenance(world.connection, PARTNER, world.id_of("b"))}[
        attribute
    ] == "b"
