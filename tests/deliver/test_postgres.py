"""Another PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.postgres import PostgresTarget
from onefold.deliver.run import verify
from onefold.errors import Retriable
from onefold.platform.postgres import Postgres
from tests.databases import copy_database, drop_database
from tests.deliver.world import ENTITIES, RUN, World, record_id

COMPANY = {"legal_name": "Alfa sp. z o.o.", "country": "PL", "credit_limit": "10.50"}


@pytest.fixture
def target(postgres: Postgres) -> Iterator[PostgresTarget]:
    name = copy_database(postgres, "template1", "other")
    yield PostgresTarget("there", postgres.url(name), "postgres://there")
    drop_database(postgres, name)


def ask(target: PostgresTarget, query: str) -> list[tuple]:
    with psycopg.connect(target._url) as connection:
        return connection.execute(query).fetchall()


def test_analysts_query_the_other_postgresql_as_this_one(world: World, target: PostgresTarget) -> None:
    world.mart("by_country", "select country, count(*) as customers from conformed.customer group by country")
    first = world.publish({"customer": {1: COMPANY, 2: COMPANY}})
    world.crosswalk("customer", "crm|account|1", 1, first)
    world.deliver(target)
    world.publish(
        {
            "customer": {1: COMPANY | {"country": "DE"}, 2: None},
            "contact": {7: {"contact_key": "7", "customer_record": "crm|account|1"}},
        }
    )
    report = world.deliver(target)
    assert report.state == "delivered" and report.written == 6, "two versions, two ends, a row of a mart and an end"
    ours = "select customer_id::text, legal_name, country, credit_limit, systems from conformed.customer"
    here = world.owner.execute("select customer_id::text, legal_name, country, credit_limit from conformed.customer")
    assert [row[:4] for row in ask(target, ours)] == here.fetchall()
    assert ask(target, "select customer_id from conformed.contact") == [(record_id("customer", 1),)]
    assert ask(target, "select * from marts.by_country") == [("DE", 1)]
    assert ask(target, "select country from conformed.customer_as_of(1) order by 1") == [("PL",), ("PL",)]
    times = "select valid_from, valid_to from conformed.customer_history order by customer_id, valid_from"
    assert ask(target, times) == world.owner.execute(times).fetchall()
    assert world.deliver(target).state == "unchanged"
    said = world.target_file("duckdb")
    assert verify(world.loader, target, said, ENTITIES, RUN, recorded=record_delivery)[1] == []


def test_views_that_change_keep_their_readers(world: World, target: PostgresTarget) -> None:
    world.mart("by_country", "select country from conformed.customer")
    world.publish({"customer": {1: COMPANY}})
    world.deliver(target)
    with psycopg.connect(target._url, autocommit=True) as owner:
        owner.execute("grant usage on schema marts to onefold_analyst")
        owner.execute("grant select on marts.by_country to onefold_analyst")
    world.owner.execute("drop view marts.by_country")
    world.mart("by_country", "select credit_limit, country from conformed.customer")
    world.deliver(target)
    granted = "select has_table_privilege('onefold_analyst', 'marts.by_country', 'select'), count(credit_limit)"
    assert ask(target, granted + " from marts.by_country") == [(True, 1)]


def test_a_target_that_is_down_fails_the_delivery_with_what_to_do(world: World, target: PostgresTarget) -> None:
    world.publish({"customer": {1: COMPANY}})
    away = PostgresTarget("there", "postgresql://127.0.0.1:1/other", "postgres://127.0.0.1:1")
    with pytest.raises(Retriable, match=r"cannot be reached.*Readers there see the publish before"):
        world.deliver(away)
    assert world.deliver(target).state == "delivered"


def test_what_the_target_is_to_have_no_longer_is_dropped_there(world: World, target: PostgresTarget) -> None:
    world.mart("by_country", "select country from conformed.customer")
    world.publish({"customer": {1: COMPANY}, "contact": {1: {"contact_key": "1"}}})
    world.deliver(target, personal=["customer"])
    world.deliver(target, marts="none", entities=["customer"])
    names = "select table_schema || '.' || table_name from information_schema.tables where table_schema in"
    found = ask(target, names + " ('conformed', 'conformed_personal', 'marts') order by 1")
    assert found == [("conformed.customer",), ("conformed.customer_crosswalk",), ("conformed.customer_history",)]
    assert world.deliver(target, marts="none", entities=["customer"]).state == "unchanged"
