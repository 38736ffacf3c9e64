"""A field that a source adds is told once, with the line that declares it; what has changed can be accepted."""

from __future__ import annotations

import json

import pytest
import yaml

from onefold.catalog.edit_fields import with_fields
from onefold.catalog.reader import read_catalog
from onefold.catalog.system import System
from onefold.commands.accept import explained
from onefold.connectors.record import Record
from onefold.errors import Rejected
from onefold.insight.contract import contract_changes, new_fields, readers
from onefold.load.new_fields import undeclared_fields
from onefold.reconcile.new_field_notice import notice_new_fields
from onefold.warehouse.connection import connect
from tests.load.shop import SHOP, Shop, record

NEW = {"region": "PL", "e_mail": "x@example.com", "seats": 3, "share": 0.5, "at": "2026-03-01T08:00:00Z", "tags": []}
LINES = [
    "at: {type: timestamp, required: false}",
    "e_mail: {personal: contact, required: false}",
    "region: {required: false}",
    "seats: {type: integer, required: false}",
    "share: {type: numeric, required: false}",
    "tags: {type: json, required: false}",
]


def told(shop: Shop) -> list[str]:
    with connect(shop.url) as connection:
        return [
            each.yaml for each in undeclared_fields(connection, "shop", "customer", shop.system.streams["customer"])
        ]


def notices(shop: Shop) -> list[tuple]:
    with connect(shop.url, autocommit=True) as connection:
        notice_new_fields(connection, "os:tester", "shop", "customer", shop.system.streams["customer"])
    newest = "select distinct on (subject) subject, resolved_at is null, occurrences from ops.alert"
    return shop.query(f"{newest} order by subject, alert_id desc")


def test_a_new_field_is_told_with_the_line_that_declares_it_and_never_a_value(shop):
    shop.load([record(key, 1) for key in "abc"])
    assert told(shop) == []
    load = shop.load([record("a", 2, **NEW), record("b", 2, **NEW)])
    assert told(shop) == LINES
    assert shop.query("select distinct records, load_id from ops.new_field") == [(2, load.load_id)]
    shop.load([record("c", 3, **NEW)])
    assert told(shop) == LINES  # once
    with connect(shop.url) as connection:
        told_by_status = new_fields(connection, {"shop": shop.system})
    text = " ".join(map(str, told_by_status))
    assert len(told_by_status) == len(LINES)
    assert "shop.customer has a field region since load" in text
    assert "example.com" not in text


def test_a_stream_whose_every_row_is_new_after_a_field_was_added_tells_of_the_field(shop):
    shop.load([record(f"event {number}", number) for number in range(30)])
    shop.load([record(f"event {number}", number, region="PL") for number in range(30, 60)])
    assert told(shop) == ["region: {required: false}"]


def test_the_notice_of_a_new_field_is_closed_by_itself_once_it_is_declared_or_ignored(shop):
    shop.load([record("a", 1), record("b", 1)])
    shop.load([record("a", 2, region="PL", seats=3)])
    assert notices(shop) == [("shop.customer.region", True, 1), ("shop.customer.seats", True, 1)]
    stream = SHOP.streams["customer"].model_copy(update={"ignore": ["seats"]})
    shop.system = SHOP.model_copy(update={"streams": {"customer": stream}})
    assert notices(shop) == [("shop.customer.region", True, 2), ("shop.customer.seats", False, 1)]
    fields = {**stream.fields, "region": stream.fields["nick"]}
    shop.system = SHOP.model_copy(update={"streams": {"customer": stream.model_copy(update={"fields": fields})}})
    assert notices(shop) == [("shop.customer.region", False, 2), ("shop.customer.seats", False, 1)]


def as_yaml(system: System) -> str:
    """The system's file."""
    return yaml.safe_dump(system.model_dump(mode="json", exclude_defaults=True), sort_keys=False)


def test_what_was_refused_is_accepted_by_the_yaml_that_is_shown_and_the_next_load_passes(shop):
    shop.load([record(f"k{number}", 1, nick="n") for number in range(20)])
    changed = []
    for number in range(20):
        given = record(f"k{number}", 2, credit={"of": 1}, region="PL", nick="n")
        content = {key: value for key, value in json.loads(given.payload).items() if key != "name"}
        changed.append(Record(given.key, given.cursor, False, json.dumps(content).encode()))
    with pytest.raises(Rejected, match=r"credit was numeric and is now object.*bin/onefold accept shop\.customer"):
        shop.load(changed)
    with connect(shop.url) as connection:
        found = contract_changes(connection, shop.system, "customer", {})
    assert found.settings() == {
        "credit": {"type": "json"},
        "name": {"required": False, "vanished": True},
        "region": {"required": False},
    }
    said = list(explained("shop.customer", found))
    assert any(line.startswith("name was text and is now absent") for line in said)
    assert any("name: {path: region}" in line for line in said)
    after = with_fields(as_yaml(shop.system), "customer", found.settings())
    shop.system = System.model_validate(yaml.safe_load(after))
    (shop.suites / "shop__customer.yaml").write_text(SUITE)
    assert shop.load(changed).rows_changed == 20
    with connect(shop.url) as connection:
        assert contract_changes(connection, shop.system, "customer", {}).settings() == {}


SUITE = """
name: shop__customer
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}}
"""


def test_a_key_that_has_vanished_is_left_to_a_person(shop):
    shop.load([record(f"k{number}", 1) for number in range(20)])
    shop.execute(
        "insert into ops.contract_change (load_id, system, stream, field, was, is_now, rows)"
        " select load_id, system, stream, 'id', 'text', 'absent', 20 from ops.load"
    )
    with connect(shop.url) as connection:
        found = contract_changes(connection, shop.system, "customer", {})
    assert found.settings() == {}
    assert "the primary key" in found.unacceptable["id"]


def test_accepting_names_the_attributes_that_read_the_field():
    catalog = read_catalog()
    assert "customer.tax_id_pl (transform nip)" in readers(catalog.entities, "salesforce.account", "NIP__c")
