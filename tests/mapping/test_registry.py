"""ops.mapping: what is in force, what was, and which models must be built anew."""

from __future__ import annotations

import psycopg

from onefold.catalog.reader import read_catalog
from onefold.mapping.registry import sync_mapping
from tests.mapping.catalogue import SHOP, person

SYSTEMS = {"shop": SHOP}


def test_every_rule_of_the_catalogue_is_in_force(loader: psycopg.Connection) -> None:
    catalog = read_catalog()
    changed = sync_mapping(loader, catalog.entities, catalog.systems)
    entities = catalog.entities.values()
    assert changed == {f"{system}__{each.entity}" for each in entities for system in each.systems}
    rules = sum(len(attribute.sources) for each in entities for attribute in each.attributes.values())
    assert loader.execute("select count(*) from ops.mapping where valid_to is null").fetchone() == (rules,)
    row = loader.execute(
        "select fields, transform, mapping_version, trust_rank, personal_class, length(hash) from ops.mapping "
        "where entity = 'customer' and attribute = 'email' and system = 'sap' and stream = 'business_partner'"
    ).fetchone()
    assert row == (["email"], "email", 1, 2, "contact", 32)


def test_the_same_catalogue_again_changes_nothing(loader: psycopg.Connection) -> None:
    sync_mapping(loader, {"person": person()}, SYSTEMS)
    before = loader.execute("select * from ops.mapping").fetchall()
    assert sync_mapping(loader, {"person": person()}, SYSTEMS) == frozenset()
    assert loader.execute("select * from ops.mapping").fetchall() == before


def test_a_changed_rule_has_its_model_built_anew_and_the_old_rule_is_kept(loader: psycopg.Connection) -> None:
    sync_mapping(loader, {"person": person()}, SYSTEMS)
    assert sync_mapping(loader, {"person": person(transform="company_name")}, SYSTEMS) == {"shop__person"}
    history = loader.execute(
        "select transform, valid_to is null from ops.mapping where attribute = 'name' and stream = 'user' "
        "order by valid_from"
    ).fetchall()
    assert history == [("text", False), ("company_name", True)]
    assert loader.execute("select count(*) from ops.mapping where valid_to is not null").fetchone() == (1,)


def test_other_trust_alone_builds_nothing_anew(loader: psycopg.Connection) -> None:
    sync_mapping(loader, {"person": person()}, SYSTEMS)
    distrusted = person().model_copy(update={"trust": ["other", "shop"]})
    assert sync_mapping(loader, {"person": distrusted}, SYSTEMS) == frozenset()
    assert loader.execute("select distinct trust_rank from ops.mapping where valid_to is null").fetchall() == [(2,)]


def test_a_rule_that_went_is_no_longer_in_force(loader: psycopg.Connection) -> None:
    sync_mapping(loader, {"person": person()}, SYSTEMS)
    assert sync_mapping(loader, {}, SYSTEMS) == {"shop__person"}
    assert loader.execute("select count(*) from ops.mapping where valid_to is null").fetchone() == (0,)
