"""One record stops only itself: whatever becomes of it, no other golden record changes, and nothing is refused.

The warehouse is the one of every stream that tests/warehouse upgrades; each record goes through the real load, gate and
conform of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.conform.candidate import Candidate, Failure
from onefold.conform.run import conform_with_build
from tests.conform.every_stream import CATALOG, ENTITIES, FEEDS, FEW, Payload, Warehouse
from tests.conform.rendered import build
from tests.effort import TORTURE

EXAMPLES = 60 if TORTURE else 3


WRONG = [None, "", "nonsense", -1, "0", "0000-00-00", "2026-02-30T25:00:00Z", True, 10**30, [], {}, "ąę'", "x" * 3000]
CHANGE = st.one_of(st.just("gone"), st.just("another's"), st.sampled_from(range(len(WRONG))))


def _changed(
    stream: str, rows: Mapping[str, tuple], key: str, fields: list[int], change: object, other: int
) -> Payload:
    """The record with some of its fields gone, wrong, or with another record's values."""
    payload = dict(rows[key][1])
    spec = _stream(stream)
    primary = {(spec.fields[name].path or name).split(".")[0] for name in spec.primary_key}
    names = sorted(payload.keys() - primary)
    another = list(rows.values())[other % len(rows)][1]
    for name in {names[field % len(names)] for field in fields} if names else ():
        if change == "gone":
            payload.pop(name)
        else:
            payload[name] = another.get(name) if change == "another's" else WRONG[change]
    return payload


def _stream(stream: str) -> Stream:
    system, _, name = stream.partition(".")
    return CATALOG.systems[system].streams[name]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    stream=st.sampled_from(FEEDS),
    place=st.integers(0, FEW),
    fields=st.lists(st.integers(0, 60), min_size=1, max_size=6),
    change=CHANGE,
    other=st.integers(0, FEW),
)
def test_one_record_replaced_by_any_other_changes_no_other_golden_record(
    every_stream: Warehouse, stream: str, place: int, fields: list[int], change: object, other: int
):
    rows = every_stream.rows(stream)
    if not rows:
        return
    key = list(rows)[place % len(rows)]
    record = f"{stream.replace('.', '|')}|{key}"
    fed = [entity for entity in ENTITIES if stream in entity.streams]
    before = every_stream.golden()
    concerned = {entity.entity: every_stream.concerned(entity, record) for entity in fed}
    every_stream.load(stream, key, _changed(stream, rows, key, fields, change, other))
    report = every_stream.conform()
    assert report.refused == {}
    after = every_stream.golden()
    for entity in fed:
        name = entity.entity
        # A record that was held together with it may now stand alone, in a golden record of its own.
        together = {held for each in concerned[name] & before[name].keys() for held in before[name][each][-1]}
        concerned[name] |= every_stream.concerned(entity, record)
        concerned[name] |= {each for each, said in after[name].items() if together.intersection(said[-1])}
    for entity in ENTITIES:
        name = entity.entity
        mine = concerned.get(name, set())
        assert {each: said for each, said in before[name].items() if each not in mine} == {
            each: said for each, said in after[name].items() if each not in mine
        }, f"{name}: {record}"


@dataclass(frozen=True)
class Lawful:
    """Something that the world lawfully does to a record: fields of it, and what the golden record then says."""

    stream: str
    fields: Mapping[str, object]
    entity: str
    shows: Mapping[str, object]
    warnings: tuple[str, ...] = ()


NO_NET = ("a line without its net amount",)
HELD_BACK = sql.SQL("select entity, golden_id, reason from ops.held_back")
NO_SUM = ("net and vat do not give gross",)
LAWFUL = [
    Lawful("microsoft365.user", {"mail": None}, "identity", {"email": None}),
    Lawful("shop.customer", {"company": None, "nip": None}, "customer", {"legal_name": None}),
    Lawful("salesforce.order", {"PoNumber": None}, "order", {"customer_order_number": None}),
    Lawful("ksef.invoice_line", {"P_11": None}, "invoice_line", {"net_amount": None}, NO_NET),
    Lawful("ksef.invoice", {"grossAmount": 7.01}, "invoice", {"gross_amount": 7.01}, NO_SUM),
]


def test_what_the_world_lawfully_does_is_published_with_a_warning_on_the_record_at_most(every_stream: Warehouse):
    """A user without mail, a shop customer without a company, an order without the customer's number, an invoice line
    without a net amount, an invoice whose parts do not sum to its total."""
    held_back = set(every_stream.query(HELD_BACK))  # by the test before
    keys = {}
    for case in LAWFUL:
        rows = every_stream.rows(case.stream)
        keys[case.stream] = list(rows)[-1]
        payload = rows[keys[case.stream]][1]
        for name, value in case.fields.items():
            _set(payload, (_stream(case.stream).fields[name].path or name).split("."), value)
        assert every_stream.load(case.stream, keys[case.stream], payload) is not None
    assert every_stream.conform().refused == {}
    for case in LAWFUL:
        record = f"{case.stream.replace('.', '|')}|{keys[case.stream]}"
        rows = every_stream.query(
            sql.SQL(
                "select to_jsonb(g), g.warnings from {view} as g join {crosswalk} as x on x.{id} = g.{id}"
                " where x.record = %s"
            ).format(
                view=sql.Identifier("conformed", case.entity),
                crosswalk=sql.Identifier("conformed", f"{case.entity}_crosswalk"),
                id=sql.Identifier(f"{case.entity}_id"),
            ),
            record,
        )
        assert rows, f"{record} is not published"
        ((golden, warnings),) = rows
        assert {name: golden[name] for name in case.shows} == case.shows, record
        assert set(case.warnings) <= set(warnings), record
    assert set(every_stream.query(HELD_BACK)) <= held_back


def _set(payload: Payload, path: list[str], value: object) -> None:
    """Put the value where the path says; where a part of it is missing, nothing is there to replace."""
    for step in path[:-1]:
        inner = payload.get(step)
        if not isinstance(inner, dict):
            return
        payload = inner
    payload[path[-1]] = value


def test_a_record_that_fails_is_held_back_alone_whatever_its_entity_is_identified_by(every_stream: Warehouse):
    """One changed golden record of every entity fails a critical expectation; the others that changed are published."""
    changed = {}
    for entity in ENTITIES:
        name = entity.entity
        ids = sql.SQL("select {id}::text from {view} order by 1 limit 2").format(
            id=sql.Identifier(f"{name}_id"), view=sql.Identifier("conformed", name)
        )
        changed[name] = [each for (each,) in every_stream.query(ids)]
        with psycopg.connect(every_stream.url) as owner:  # as if another mapping had made other values of them
            owner.execute(
                sql.SQL("update {} set _hash = '' where {} = any (%s::uuid[]) and _ended_publish_id is null").format(
                    sql.Identifier("conformed", f"{name}_version"), sql.Identifier(f"{name}_id")
                ),
                (changed[name],),
            )

    def first_fails(candidate: Candidate) -> list[Failure]:
        rows = sql.SQL("select {0} from {1} where {0} = {2}").format(
            sql.Identifier(candidate.key),
            sql.Identifier(candidate.schema, candidate.table),
            sql.Literal(changed[candidate.entity][0]),
        )
        return [Failure("first", "it is the first", True, rows)]

    report = conform_with_build(
        every_stream.loader,
        "os:tester",
        first_fails,
        ENTITIES,
        lambda publish: build(every_stream.loader, ENTITIES, publish),
        mappings=dict.fromkeys(CATALOG.entities, "another one"),
    )
    assert report.refused == {}
    after = every_stream.golden()
    for name, ids in changed.items():
        assert [after[name][each][1] == report.publish_id for each in ids] == [False, True][: len(ids)], name
    assert {each.entity: each.held_back for each in report.entities} == dict.fromkeys(changed, 1)
