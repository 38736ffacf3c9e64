"""A plan says what changes in the schema, and apply migrates it: entities, attributes, systems."""

from __future__ import annotations

import pytest

from onefold.errors import Fatal
from tests.change.files import attribute, expectation
from tests.change.world import Firms

SHOP = {
    "entity": "shop",
    "title": "Shop",
    "version": 1,
    "trust": ["crm"],
    "identity": {"strong": ["nip"]},
    "attributes": {
        "nip": attribute(field="nip", of="crm"),
        "name": attribute(field="name", of="crm"),
        "credit": attribute("numeric", field="limit", of="crm", type="numeric"),
        "staff": attribute("integer", field="note", of="crm", type="integer"),
        "active": attribute("boolean", field="state", of="crm", type="boolean"),
        "opened": attribute("date_iso", field="changed", of="crm", type="date"),
        "changed": attribute("timestamp_utc", field="changed", of="crm", type="timestamptz"),
    },
}
"""With an attribute of every type."""


def test_a_new_entity_is_planned_before_it_has_tables_and_its_end_says_what_is_lost(firms: Firms) -> None:
    firms.files.others["shop"] = SHOP
    firms.files.suites["shop"] = {"name": "shop", "expectations": [expectation("not_be_null", "name")]}
    plan = firms.plan()
    assert plan.says.tables.changes == ("adds shop",)
    assert "create table if not exists conformed.shop_version" in plan.says.tables.migration
    assert [(each.entity, each.counts["new"]) for each in plan.says.entities] == [("shop", 4)]
    assert firms.query("select to_regclass('conformed.shop_version')") == [(None,)]
    firms.apply(plan)
    names = [name for (name,) in firms.query("select name from conformed.shop order by 1")]
    assert names == ["ALFA SP. Z O.O.", "Beta S.A.", "Delta", "Gamma"]
    del firms.files.others["shop"]
    plan = firms.plan()
    assert plan.says.tables.losses["shop"].endswith("their history are deleted (4 now)")
    firms.apply(plan)
    assert firms.query("select to_regclass('conformed.shop_version')") == [(None,)]
    assert firms.query("select distinct entity from ops.mapping where valid_to is null") == [("firm",)]


def test_a_new_system_of_which_nothing_is_loaded_yet_is_planned(firms: Firms) -> None:
    firms.files.add_system("web", "visitor")
    city = firms.files.entity["attributes"]["city"]["sources"]
    city["web.visitor"] = {"field": "city", "transform": "city"}
    plan = firms.plan()
    assert plan.says.load_again == ("web.visitor: nothing of it is loaded yet",)
    assert (plan.says.golden, plan.says.mapped) == (0, {"firm:web.visitor": 0})
    firms.apply(plan)
    assert firms.query("select count(*) from staging.web__visitor__current") == [(0,)]


def test_a_mart_that_names_what_is_gone_keeps_the_plan_from_being_applied(firms: Firms) -> None:
    place = firms.files.entity["attributes"].pop("city")
    firms.files.entity["attributes"]["place"] = {**place, "renamed_from": "city"}
    firms.files.entity["identity"]["probabilistic"]["address"] = ["place"]
    firms.files.suites["firm"]["expectations"].pop()
    plan = firms.plan()
    assert plan.says.tables.changes == ("renames firm.city to place",)
    assert plan.says.tables.broken_marts == {"firms_by_city": "firm.city"}
    with pytest.raises(Fatal, match=r"(?s)would be refused.*marts\.firms_by_city reads firm\.city"):
        firms.apply(plan)
    mart = firms.files.root / "dbt_project/models/marts/firms_by_city.sql"
    mart.write_text(mart.read_text().replace("city", "place").replace("firms_by_place", "firms_by_city"))
    before = {row["city"] for row in firms.golden().values()}
    plan = firms.plan()
    firms.apply(plan)
    assert {row["place"] for row in firms.golden().values()} == before
