"""Past golden records go; what is visible, what can be switched to, and how old an id is stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onefold.catalog.reader import read_catalog
from onefold.catalog.stream import KeptByLaw
from onefold.conform.visible_publish import switch_visible_publish
from onefold.errors import Fatal
from onefold.warehouse.connection import connect
from tests.retention.conftest import Warehouse, by_class, said

CATALOG = read_catalog()
CONTACT = {"contact": CATALOG.entities["contact"]}
SYSTEMS = (CATALOG.systems["salesforce"],)
VERSIONS = "select _publish_id, _ended_publish_id, last_name, email from conformed.contact_version order by 1"


@pytest.fixture
def published(warehouse: Warehouse) -> Warehouse:
    """A contact who has had a name in each of five publishes; the newest is visible."""
    warehouse.execute(
        "insert into ops.publish (state, actor, mappings, ended_at)"
        " select 'published', 'os:tester', '{}', now() from generate_series(1, 5);"
        "insert into conformed.contact_version (contact_id, source_of_truth, _systems, _records, _members, _loads,"
        " _mapping_versions, _winning_members, _hash, _publish_id, _ended_publish_id, last_name, email)"
        " select md5('a')::uuid, 'salesforce', '{salesforce}', 1, '{salesforce|contact|1}', '{1}', '{1}', '{1}', '',"
        " at, case when at < 5 then at + 1 end, 'Name ' || at, 'a@b.example' from generate_series(1, 5) as at;"
        "insert into conformed.contact_crosswalk_version (record, system, stream, key, contact_id, _publish_id)"
        " values ('salesforce|contact|1', 'salesforce', 'contact', '1', md5('a')::uuid, 1);"
        "insert into ops.published (entity, publish_id, actor) values ('contact', 5, 'os:tester')"
    )
    return warehouse


def age(warehouse: Warehouse, *publishes: int) -> None:
    warehouse.execute(
        "update ops.publish set ended_at = now() - interval '9 days' where publish_id = any (%s)", list(publishes)
    )


def test_versions_that_no_publish_since_the_horizon_shows_go_and_the_first_keeps_no_value(published: Warehouse) -> None:
    assert [kept.due for kept in published.plan(*SYSTEMS, entities=CONTACT) if kept.subject == "contact"] == [0]
    age(published, 1, 2, 3)
    (due,) = [kept.due for kept in published.plan(*SYSTEMS, entities=CONTACT) if kept.subject == "contact"]
    assert due == 2
    published.retain(*SYSTEMS, entities=CONTACT)
    assert published.query(VERSIONS) == [
        (1, 2, None, None),
        *((number, number + 1 if number < 5 else None, f"Name {number}", "a@b.example") for number in (3, 4, 5)),
    ]
    assert published.query("select count(*) from conformed.contact_crosswalk_version") == [(1,)]
    assert [each.rows for each in published.retain(*SYSTEMS, entities=CONTACT).purged if each.store == "golden"] == []


def test_a_publish_that_is_no_longer_whole_cannot_be_shown(published: Warehouse) -> None:
    age(published, 1, 2, 3)
    published.retain(*SYSTEMS, entities=CONTACT)
    with connect(published.url, autocommit=True) as connection:
        with pytest.raises(Fatal, match="The oldest that is whole is publish 3"):
            switch_visible_publish(connection, 2, "os:tester")
        assert switch_visible_publish(connection, 3, "os:tester") == ("contact",)
    assert published.query("select last_name from conformed.contact") == [("Name 3",)]


def test_what_is_visible_stays_however_old_it_is(published: Warehouse) -> None:
    with connect(published.url, autocommit=True) as connection:
        switch_visible_publish(connection, 2, "os:tester")
    age(published, 1, 2, 3, 4, 5)
    published.retain(*SYSTEMS, entities=CONTACT)
    assert published.query("select last_name from conformed.contact") == [("Name 2",)]
    assert [row[0] for row in published.query(VERSIONS)] == [1, 2, 3, 4, 5]


def test_values_of_a_class_go_from_past_golden_records_and_these_stay(published: Warehouse) -> None:
    """But of the second version the address, which a law keeps still; a publish from before is shown without them."""
    (system,) = (by_class(each, contact="P1D") for each in SYSTEMS)
    law = KeptByLaw(fields=["Email"], basis="the law", years=90, since="SystemModstamp")
    contact = system.streams["contact"].model_copy(update={"kept_by_law": law})
    system = system.model_copy(update={"streams": system.streams | {"contact": contact}})
    kept = replace(published, said=said(history="P9Y"))
    kept.execute("update conformed.contact_version set last_changed = '1901-02-03' where _publish_id = 1")
    age(kept, 1, 2, 3)
    found = [(each.data_class, each.due) for each in kept.plan(system, entities=CONTACT) if each.subject == "contact"]
    assert found == [("", 0), ("contact", 2)]
    done = kept.retain(system, entities=CONTACT)
    assert [(each.data_class, each.rows) for each in done.purged if each.store == "golden"] == [("contact", 2)]
    assert kept.query(VERSIONS) == [
        (1, 2, None, None),
        (2, 3, None, "a@b.example"),
        *((number, number + 1 if number < 5 else None, f"Name {number}", "a@b.example") for number in (3, 4, 5)),
    ]
    assert kept.query("select count(last_changed) from conformed.contact_version") == [(1,)]
    assert kept.retain(system, entities=CONTACT).rows == 0
    with connect(kept.url, autocommit=True) as connection:
        for publish in (2, 3):
            assert switch_visible_publish(connection, publish, "os:tester") == ("contact",)
    switched = "select payload -> 'erased_classes' from audit.event where action = 'conform.switch' order by seq"
    assert kept.query(switched) == [(["contact"],), (None,)]
