"""A golden record that fails its suite stays at its last published state; everything else is published."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from onefold.conform.candidate import Candidate, Failure
from onefold.conform.run import conform_with_build
from onefold.errors import Retriable
from tests.conform.test_increments import INCREMENTS, _published
from tests.conform.world import ACTOR, MAPPINGS, PARTNER, World, accept, no_bad_email, record
from tests.effort import TORTURE
from tests.kills import count_kill

EXAMPLES = 60 if TORTURE else 3


def _held_back(world: World) -> list[tuple[object, ...]]:
    return world.connection.execute(
        "select records, published, expectations, reason, since_publish_id, publish_id from ops.held_back"
        " order by records"
    ).fetchall()


def _warnings(world: World) -> list[tuple[object, ...]]:
    return world.connection.execute(
        "select reason, publish_id, ended_publish_id from ops.golden_record_warning order by publish_id"
    ).fetchall()


def test_a_golden_record_that_fails_keeps_its_last_state_and_the_others_are_published(world: World):
    world.conform(
        record("crm", "a", tax_id_pl="1", legal_name="old"), record("crm", "b", tax_id_pl="2", legal_name="old")
    )
    report = world.conform(
        record("crm", "a", tax_id_pl="1", legal_name="new", email="bad"),
        record("crm", "b", tax_id_pl="2", legal_name="new"),
        record("crm", "c", tax_id_pl="3", email="bad"),
        record("crm", "d", tax_id_pl="4"),
        gate=no_bad_email,
    )
    assert world.golden("a", "legal_name", "email") == ("old", None)
    assert world.golden("b", "legal_name") == ("new",)
    assert world.clusters() == {frozenset("a"), frozenset("b"), frozenset("d")}
    entity = report.entities[0]
    assert (entity.golden, entity.new, entity.changed, entity.held_back) == (3, 1, 1, 2)
    why = (["email is not bad"], "the e-mail is bad", 2, 2)
    assert _held_back(world) == [(["crm|account|a"], True, *why), (["crm|account|c"], False, *why)]


def test_a_held_back_golden_record_is_taken_up_again_with_the_next_change_of_its_entity(world: World):
    world.conform(record("crm", "a", tax_id_pl="1", email="bad"), gate=no_bad_email)
    held = world.connection.execute("select golden_id::text from ops.held_back").fetchone()
    world.conform(record("crm", "z", tax_id_pl="9"), gate=no_bad_email)
    assert _held_back(world) == [
        (["crm|account|a"], False, ["email is not bad"], "the e-mail is bad", 1, 2),
    ]
    world.conform(record("erp", "b", tax_id_pl="1", email="good"), gate=no_bad_email)
    assert _held_back(world) == []
    assert world.golden("a", "email", "record_count") == ("good", 2)
    assert (world.id_of("a"),) == held


def test_a_changed_suite_judges_again_what_it_held_back_although_nothing_was_loaded(world: World):
    def run(gate: object, suite: str) -> object:
        return conform_with_build(
            world.url, ACTOR, gate, [PARTNER], world.build, mappings=MAPPINGS, suites={"partner": suite}
        )

    world.load([record("crm", "a", tax_id_pl="1", email="bad")])
    run(no_bad_email, "strict")
    assert run(accept, "strict").publish_id is None, "the suite is the same and nothing was loaded"
    report = run(accept, "lenient")
    assert (report.loads, report.entities[0].golden, report.entities[0].held_back) == ((), 1, 0)
    assert world.golden("a", "email") == ("bad",)
    assert run(accept, "lenient").publish_id is None


def test_records_that_would_join_or_leave_a_held_back_golden_record_stay_where_they_are(world: World):
    """Of a and b one would leave, c and d would merge, under the e-mail that fails: none of the four moves, e comes."""
    world.conform(
        record("crm", "a", tax_id_pl="1"),
        record("erp", "b", tax_id_pl="1"),
        record("crm", "c", tax_id_pl="3"),
        record("erp", "d", tax_id_pl="4"),
    )
    before = _published(world)
    world.conform(
        record("erp", "b", tax_id_pl="2", email="bad"),
        record("erp", "d", tax_id_pl="3", email="bad"),
        record("court", "e", tax_id_pl="5"),
        gate=no_bad_email,
    )
    assert world.clusters() == {frozenset("ab"), frozenset("c"), frozenset("d"), frozenset("e")}
    clusters, golden = _published(world)
    assert [each for each in clusters if each not in before[0]] == [(["court|extract|e"],)]
    assert [each for each in golden if each not in before[1]] == [golden[0]]
    world.conform(record("erp", "b", tax_id_pl="2"), record("erp", "d", tax_id_pl="3"), gate=no_bad_email)
    assert world.clusters() == {frozenset("a"), frozenset("b"), frozenset("cd"), frozenset("e")}


def test_no_identifier_is_published_twice_because_one_of_its_owners_is_held_back(world: World):
    world.conform(record("crm", "a", tax_id_pl="1"))
    world.conform(record("crm", "a", tax_id_pl="2", email="bad"), record("crm", "b", tax_id_pl="1"), gate=no_bad_email)
    assert world.clusters() == {frozenset("a")}
    assert [reason for *_, reason, _, _ in _held_back(world)] == [
        "the e-mail is bad",
        "has the tax_id_pl of a golden record that is held back",
    ]
    world.conform(record("crm", "a", tax_id_pl="2"), gate=no_bad_email)
    assert world.clusters() == {frozenset("a"), frozenset("b")}


def test_what_the_source_deletes_is_held_back_no_longer(world: World):
    world.conform(record("crm", "a", tax_id_pl="1", email="bad"), gate=no_bad_email)
    world.conform(record("crm", "a", tax_id_pl="1", deleted=True), gate=no_bad_email)
    assert (_held_back(world), world.clusters()) == ([], set())


def test_a_warning_is_recorded_on_the_golden_record_until_it_ends(world: World):
    report = world.conform(record("crm", "a", tax_id_pl="1", email="odd"), gate=no_bad_email)
    assert world.golden("a", "email", "warnings") == ("odd", ["the e-mail is odd"])
    assert report.entities[0].warnings == 1
    world.conform(record("crm", "a", tax_id_pl="1", email="odd", legal_name="A"), gate=no_bad_email)
    assert _warnings(world) == [("the e-mail is odd", 1, None)]
    # Held back, it stays as it was published, with its warning; then its new state has none.
    world.conform(record("crm", "a", tax_id_pl="1", email="bad"), gate=no_bad_email)
    assert world.golden("a", "email", "warnings") == ("odd", ["the e-mail is odd"])
    world.conform(record("crm", "a", tax_id_pl="1", email="good"), gate=no_bad_email)
    assert world.golden("a", "email", "warnings") == ("good", [])
    assert _warnings(world) == [("the e-mail is odd", 1, 4)]


def test_killed_while_it_holds_back_it_ends_as_if_it_had_not_been(world: World):
    """Each statement of holding back and writing is in one transaction: kill the run at the end of it."""
    records = [record("crm", "a", tax_id_pl="1", email="bad"), record("crm", "b", tax_id_pl="2", email="odd")]
    world.conform(record("crm", "a", tax_id_pl="1"))
    world.load(records)

    def killed(connection: object, report: object) -> None:
        (pid,) = connection.execute("select pg_backend_pid()").fetchone()
        world.connection.execute("select pg_terminate_backend(%s)", (pid,))
        connection.execute("select 1")

    with pytest.raises(Retriable):
        world.conform(gate=no_bad_email, on_publish=(killed,))
    count_kill("conform", "session")
    assert (_held_back(world), _warnings(world)) == ([], [])
    world.conform(gate=no_bad_email)
    assert [reason for *_, reason, _, _ in _held_back(world)] == ["the e-mail is bad"]
    assert world.clusters() == {frozenset("a"), frozenset("b")}


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(increments=INCREMENTS, bad=st.sets(st.sampled_from("abcde"), min_size=1, max_size=2))
def test_whatever_is_held_back_on_the_way_nothing_is_lost(world: World, increments: list, bad: set[str]):
    """Golden records with these records fail all the while; when they fail no longer, all is as one full build."""
    keys = sql.Literal(sorted(bad))
    query = sql.SQL("select partner_id from mapped.partner__candidate_crosswalk where key = any ({})").format(keys)

    def fails(_: Candidate) -> Sequence[Failure]:
        return [Failure("key", "a bad key", True, query)]

    world.empty()
    final = {}
    for increment in increments:
        newest = {each.record: each for each in increment}
        final |= newest
        world.conform(*newest.values(), gate=fails)
        assert world.connection.execute(
            sql.SQL("select count(*) from conformed.partner_crosswalk where key = any ({})").format(keys)
        ).fetchone() == (0,)
        for identifier in ("tax_id_pl", "regon", "krs"):
            count = sql.SQL("select count({0}), count(distinct {0}) from conformed.partner")
            times, values = world.connection.execute(count.format(sql.Identifier(identifier))).fetchone()
            assert times == values, f"two golden records hold one {identifier}"
    world.load([])
    world.conform()
    stepwise = _published(world)
    world.empty()
    world.conform(*final.values())
    assert stepwise == _published(world)
