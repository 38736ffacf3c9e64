"""Too large a share of failures refuses an entity, with those that refer to it, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from psycopg import sql

from onefold.catalog.entity import EntityGate
from onefold.catalog.reader import read_catalog
from onefold.conform.candidate import Candidate, Failure
from onefold.conform.publish_ledger import Publish
from onefold.conform.run import conform_with_build
from onefold.conform.verdict import with_dependents
from onefold.errors import Rejected
from tests.conform.world import ACTOR, MAPPINGS, MODELS, PARTNER, World, build_order, no_bad_email, record, render


def test_only_a_share_beyond_the_threshold_refuses_an_entity(world: World):
    few = PARTNER.gate.few
    bad = [record("crm", f"x{n}", tax_id_pl=f"x{n}", email="bad") for n in range(few)]
    report = world.conform(*bad, gate=no_bad_email)
    assert report.entities[0].held_back == few
    one_more = record("crm", "more", tax_id_pl="more", email="bad")
    assert world.conform(one_more, gate=no_bad_email).entities[0].held_back == few + 1, "they are counted once"
    refused = [record("crm", f"y{n}", tax_id_pl=f"y{n}", email="bad") for n in range(few + 1)]
    good = [record("crm", f"g{n}", tax_id_pl=f"g{n}") for n in range(5)]
    load = world.load([*refused, *good])
    with pytest.raises(Rejected, match=f"{few + 1} of {few + 6} changed golden records failed, more than the 10%"):
        world.conform(gate=no_bad_email)
    assert world.clusters() == set()
    generous = PARTNER.model_copy(update={"gate": EntityGate(max_held_back_share=0.9)})
    report = conform_with_build(world.url, ACTOR, no_bad_email, [generous], world.build, mappings=MAPPINGS)
    assert (report.loads, report.entities[0].golden, report.entities[0].held_back) == ((load,), 5, 2 * few + 2)


DEAL = PARTNER.model_copy(update={"entity": "deal"})


def _install_deal(world: World) -> None:
    """A second entity, made of the same mapped records."""
    tables = world.connection.execute(
        "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        " and table_schema in ('mapped', 'conformed') and table_name ~ '^partner_'"
    ).fetchall()
    for schema, table in tables:
        copy = sql.Identifier(schema, table.replace("partner", "deal"))
        world.connection.execute(
            sql.SQL("create table {} (like {} including defaults)").format(copy, sql.Identifier(schema, table))
        )
        if table.endswith("version"):
            world.connection.execute(sql.SQL("alter table {} rename column partner_id to deal_id").format(copy))
    for system in PARTNER.systems:
        view, mapped = (sql.Identifier("mapped", f"{system}__{entity}") for entity in ("deal", "partner"))
        world.connection.execute(sql.SQL("create view {} as select * from {}").format(view, mapped))


def test_a_refused_entity_leaves_the_others_published_and_comes_again_with_all_its_loads(world: World):
    _install_deal(world)

    def build(publish: Publish) -> None:
        world.build(publish)
        for model in build_order():
            text = MODELS[model].replace("partner", "deal").replace("erp.deal", "erp.partner")
            body = render(text, publish_id=publish.publish_id, full_mapping=publish.full_mapping)
            name = model.replace("partner", "deal")
            world.connection.execute(f"drop table if exists mapped.{name}")
            world.connection.execute(f"create unlogged table mapped.{name} as {body}")

    def refuse_partner(candidate: Candidate) -> Sequence[Failure]:
        if candidate.entity == "partner":
            raise Rejected("partner: the whole table is wrong")
        return ()

    def run(gate: object, mapping: str) -> object:
        mappings = {"partner": mapping, "deal": "as it is"}
        return conform_with_build(world.url, ACTOR, gate, [PARTNER, DEAL], build, mappings=mappings)

    def good(_: Candidate) -> Sequence[Failure]:
        return ()

    def deals() -> list[tuple[str]]:
        return world.connection.execute("select tax_id_pl from conformed.deal_version order by 1").fetchall()

    first = world.load([record("crm", "a", tax_id_pl="1")])
    run(good, "as it is")
    second = world.load([record("crm", "b", tax_id_pl="2")])
    report = run(refuse_partner, "as it is")
    assert report.refused == {"partner": "partner: the whole table is wrong"}
    assert (world.clusters(), deals()) == ({frozenset("a")}, [("1",), ("2",)])
    assert world.connection.execute("select entity, publish_id from ops.published order by 1").fetchall() == [
        ("deal", 2),
        ("partner", 1),
    ]
    third = world.load([record("crm", "c", tax_id_pl="3")])
    report = run(refuse_partner, "another rule")
    assert (report.loads, [each.golden for each in report.entities]) == ((second, third), [1, 3])
    # A load that is rolled back meanwhile is taken out of what had taken it in.
    world.connection.execute("update ops.load set state = 'rolled_back' where load_id = %s", (third,))
    world.connection.execute("delete from mapped.crm__partner where _key = 'c'")
    assert run(refuse_partner, "another rule").loads == (second, third)
    report = run(good, "another rule")
    assert (report.loads, report.refused) == ((second, third), {})
    assert world.clusters() == {frozenset("a"), frozenset("b")}
    assert run(good, "another rule").publish_id is None
    assert first not in report.loads
    results = world.connection.execute(
        "select payload -> 'entities', result from audit.event where action = 'conform.refuse' order by seq"
    ).fetchall()
    assert results == [(["partner"], "rejected")] * 3


def test_those_that_refer_to_a_refused_entity_are_left_out_with_it():
    entities = list(read_catalog().entities.values())
    refused = with_dependents(entities, {"customer": "why"})
    assert {"customer", "contact", "order", "order_line", "invoice"} <= refused.keys()
    assert not {"product", "supplier", "exchange_rate"} & refused.keys()
    assert refused["order_line"] in (
        "order_line: refers to customer, which is refused.",
        "order_line: refers to order, which is refused.",
    )
