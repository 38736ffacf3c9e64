"""Publishing is one instant, survives being killed, and can be turned back."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from onefold.audit import entries_from_database, verify
from onefold.conform.candidate import Candidate
from onefold.conform.publish_ledger import Publish, conform_lock
from onefold.conform.run import conform_with_build
from onefold.conform.visible_publish import switch_visible_publish
from onefold.errors import Fatal, Rejected, Retriable
from onefold.warehouse.connection import connect
from tests.anchors import anchor_what_is_lost
from tests.conform.world import ACTOR, MAPPINGS, PARTNER, World, accept, record
from tests.kills import count_kill
from tests.roles import as_role


def _refuse(candidate: Candidate) -> None:
    raise Rejected(f"{candidate.table} is refused")


def test_readers_see_the_old_set_or_the_new_set(world: World):
    """A reader asks all the while; what it sees always is one publish: every name says the same round."""
    rounds, keys = 6, "abcdefghijkl"
    world.conform(*(record("crm", key, tax_id_pl=key, legal_name="round 0") for key in keys))
    seen: list[tuple[int, list[str]]] = []
    waited: list[float] = []
    done = threading.Event()

    def read() -> None:
        with connect(world.url, autocommit=True) as reader:
            while not done.is_set():
                started = time.monotonic()
                seen.append(
                    reader.execute(
                        "select count(*)::int, array_agg(distinct legal_name) from conformed.partner"
                        " join conformed.partner_crosswalk using (partner_id)"
                    ).fetchone()
                )
                waited.append(time.monotonic() - started)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for number in range(1, rounds):
            world.conform(*(record("crm", key, tax_id_pl=key, legal_name=f"round {number}") for key in keys))
    finally:
        done.set()
        thread.join()
    assert {(count, len(names)) for count, names in seen} == {(len(keys), 1)}
    assert len({names[0] for _, names in seen}) > 1, "the reader must have seen more than one set"


def test_a_reader_does_not_wait_for_a_publish_that_is_on_its_way(world: World):
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="old"))

    def read_meanwhile(_: psycopg.Connection, report: object) -> None:
        with connect(world.url) as reader:
            reader.execute("set statement_timeout = '5s'")
            assert reader.execute("select legal_name from conformed.partner").fetchall() == [("old",)]

    world.load([record("crm", "a", tax_id_pl="1", legal_name="new")])
    world.conform(on_publish=(read_meanwhile,))
    assert world.golden("a", "legal_name") == ("new",)


def test_switch_back_to_a_past_publish(world: World):
    first = world.conform(record("crm", "a", tax_id_pl="1", legal_name="one"), record("crm", "b", tax_id_pl="2"))
    second = world.conform(
        record("crm", "a", tax_id_pl="1", legal_name="two"), record("crm", "b", tax_id_pl="1"), record("crm", "c")
    )
    now = world.clusters()
    assert switch_visible_publish(world.connection, first.publish_id, ACTOR) == ("partner",)
    assert world.golden("a", "legal_name") == ("one",)
    assert world.clusters() == {frozenset("a"), frozenset("b")}
    switch_visible_publish(world.connection, second.publish_id, ACTOR)
    assert world.golden("a", "legal_name") == ("two",)
    assert world.clusters() == now
    # The next conform goes on from the newest set, not from the one that was shown.
    switch_visible_publish(world.connection, first.publish_id, ACTOR)
    world.conform(record("erp", "d", tax_id_pl="9"))
    assert world.clusters() == now | {frozenset("d")}


def test_only_a_published_set_can_be_switched_to(world: World):
    world.conform(record("crm", "a", tax_id_pl="1"))
    with pytest.raises(Rejected):
        world.conform(record("crm", "b", tax_id_pl="2"), gate=_refuse)
    for publish_id, what in ((2, "is rejected"), (77, "does not exist")):
        with pytest.raises(Fatal, match=what):
            switch_visible_publish(world.connection, publish_id, ACTOR)


def test_a_warehouse_older_than_its_anchors_shows_no_other_set_and_none_anew(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
    first = world.conform(record("crm", "a", tax_id_pl="1", legal_name="one"))
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="two"))
    anchor_what_is_lost()
    with pytest.raises(Fatal, match="older than its anchors"):
        switch_visible_publish(world.connection, first.publish_id, ACTOR)
    world.load([record("crm", "a", tax_id_pl="1", legal_name="three")])
    with pytest.raises(Fatal, match="older than its anchors"):
        world.conform()
    assert world.golden("a", "legal_name") == ("two",)


def test_nothing_to_take_in_ends_without_a_build(world: World):
    world.conform(record("crm", "a", tax_id_pl="1"))

    def never(_: Publish) -> None:
        raise AssertionError("nothing was loaded, so nothing must be built")

    report = conform_with_build(world.url, ACTOR, accept, [PARTNER], never, mappings=MAPPINGS)
    assert (report.publish_id, report.entities[0].golden) == (None, 1)
    assert world.connection.execute("select count(*) from ops.publish").fetchone() == (1,)


def test_a_changed_mapping_takes_every_record_in_again(world: World):
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="A"))
    world.connection.execute("update mapped.crm__partner set legal_name = 'Mapped anew', _mapping_version = 2")
    changed = {"partner": "another rule"}
    conform_with_build(world.url, ACTOR, accept, [PARTNER], world.build, mappings=changed)
    assert world.golden("a", "legal_name") == ("Mapped anew",)
    assert conform_with_build(world.url, ACTOR, accept, [PARTNER], world.build, mappings=changed).publish_id is None


def test_refused_candidates_leave_what_is_published_and_come_again(world: World):
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="good"))
    bad = world.load([record("crm", "a", tax_id_pl="1", legal_name="refused")])
    with pytest.raises(Rejected, match="partner__candidate is refused"):
        world.conform(gate=_refuse)
    assert world.golden("a", "legal_name") == ("good",)
    assert world.connection.execute("select state, error from ops.publish where publish_id = 2").fetchone() == (
        "rejected",
        "partner__candidate is refused",
    )
    assert world.conform().loads == (bad,)


@pytest.mark.parametrize("moment", ["build", "built", "publish"])
def test_killed_conform_is_taken_up_again(moment: str, world: World):
    """Kill the run at a moment; the next one ends in the tables of a run that was not killed."""
    records = [record("crm", "a", tax_id_pl="1"), record("erp", "b", tax_id_pl="1"), record("crm", "c", krs="3")]
    joined = record("crm", "c", krs="3", tax_id_pl="1", legal_name="C")
    content = (
        "select partner_id, legal_name, tax_id_pl, krs, _systems, _records, _hash, _publish_id = %s,"
        " _ended_publish_id is null"
        " from conformed.partner_version order by 1, 8, 9"
    )
    world.conform(*records)
    world.conform(joined)
    expected = world.connection.execute(content, (2,)).fetchall()
    world.empty()
    first = world.conform(*records)
    load_id = world.load([joined])

    def killed(connection: psycopg.Connection) -> None:
        """The server ends the run's own connection: what a kill -9 of its process does to it."""
        pid = connection.execute(
            "select pid from pg_locks where locktype = 'advisory' and granted"
            " and database = (select oid from pg_database where datname = current_database())"
            " and pid <> pg_backend_pid() limit 1"
        ).fetchone()[0]
        connection.execute("select pg_terminate_backend(%s)", (pid,))

    def build(publish: Publish) -> None:
        if moment != "build":
            world.build(publish)
        if moment != "publish":
            killed(world.connection)

    def in_transaction(_: psycopg.Connection, report: object) -> None:
        killed(world.connection)

    hooks = (in_transaction,) if moment == "publish" else ()
    with pytest.raises(Retriable, match="the connection to the warehouse was lost"):
        conform_with_build(world.url, ACTOR, accept, [PARTNER], build, mappings=MAPPINGS, on_publish=hooks)
    count_kill("conform", "session")
    assert world.connection.execute("select max(publish_id) from ops.published").fetchone() == (first.publish_id,)
    second = world.conform()
    assert second.loads == (load_id,)
    assert world.connection.execute(content, (second.publish_id,)).fetchall() == expected
    states = world.connection.execute("select state from ops.publish order by publish_id").fetchall()
    assert states == [("published",), ("failed",), ("published",)]


def test_only_one_conform_runs_at_a_time(world: World):
    with connect(world.url, autocommit=True) as other, conform_lock(other), pytest.raises(Retriable, match="running"):
        world.conform(record("crm", "a", tax_id_pl="1"))
    assert world.conform().entities[0].golden == 1


def test_the_history_says_what_was_shown_from_when_to_when_and_hides_the_same(world: World, warehouse_url: str):
    def conform(name: str | None) -> datetime:
        """The moment after it."""
        gone = name is None
        world.conform(record("crm", "a", tax_id_pl="1", legal_name=name, email=f"{name}@example.pl", deleted=gone))
        return world.connection.execute("select clock_timestamp()").fetchone()[0]

    moments = [conform("A"), conform("B"), conform(None)]
    asked = "select legal_name, email, valid_from, valid_to from conformed.partner_history order by valid_from"
    first, second = world.connection.execute(asked).fetchall()
    assert (first[:2], second[:2]) == (("A", "A@example.pl"), ("B", "B@example.pl"))
    assert first[2] < moments[0] < first[3] == second[2] < moments[1] < second[3] < moments[2]
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst"), autocommit=True) as analyst:
        assert [row[:2] for row in analyst.execute(asked).fetchall()] == [("A", None), ("B", None)]
        as_of = "select legal_name, email from conformed.partner_as_of(%s)"
        shown = [analyst.execute(as_of, [moment]).fetchall() for moment in moments]
        before = analyst.execute(as_of, [first[2] - timedelta(microseconds=1)]).fetchall()
    assert (before, shown) == ([], [[("A", None)], [("B", None)], []])
    switch_visible_publish(world.connection, 1, ACTOR)
    assert [(*row[:2], row[3]) for row in world.connection.execute(asked).fetchall()] == [("A", "A@example.pl", None)]


def test_what_a_hook_writes_is_committed_with_the_entities_or_not_at_all(world: World):
    def write_and_fail(connection: psycopg.Connection, report: object) -> None:
        connection.execute("create table mapped.left_behind ()")
        raise Fatal("the lineage store is full")

    with pytest.raises(Fatal, match="full"):
        world.conform(record("crm", "a", tax_id_pl="1"), on_publish=(write_and_fail,))
    assert world.connection.execute("select to_regclass('mapped.left_behind')").fetchone() == (None,)
    assert world.connection.execute("select count(*) from conformed.partner_version").fetchone() == (0,)
    assert world.connection.execute("select state, error from ops.publish").fetchone() == (
        "failed",
        "the lineage store is full",
    )


def test_every_publish_and_every_switch_is_an_audit_event(world: World):
    report = world.conform(record("crm", "a", tax_id_pl="1"))
    switch_visible_publish(world.connection, report.publish_id, ACTOR)
    actions = world.connection.execute("select action, subject, payload from audit.event order by seq").fetchall()
    assert [(action, subject) for action, subject, _ in actions] == [
        ("conform.publish", f"publish:{report.publish_id}"),
        ("conform.switch", f"publish:{report.publish_id}"),
    ]
    assert (actions[0][2]["new"], actions[0][2]["loads"]) == (1, list(report.loads))
    assert verify(entries_from_database(world.connection)).fault is None


def test_personal_columns_are_for_those_who_may_see_them(world: World, warehouse_url: str):
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="A", email="a@example.pl"))
    with psycopg.connect(as_role(warehouse_url, "onefold_analyst"), autocommit=True) as analyst:
        assert analyst.execute("select legal_name, systems from conformed.partner").fetchall() == [("A", ["crm"])]
        assert analyst.execute("select key from conformed.partner_crosswalk").fetchall() == [("a",)]
        [everything] = analyst.execute("select to_jsonb(p) from conformed.partner as p").fetchone()
        assert (everything["email"], everything["legal_name"]) == (None, "A")
        for asked in (
            "select count(*) from conformed.partner where email is not null",
            "select count(*) from conformed.partner where email = 'a@example.pl'",
        ):
            assert analyst.execute(asked).fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("select 1 from conformed.partner_version")
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("set role onefold_pii")
        assert owner.execute("select email from conformed.partner").fetchall() == [("a@example.pl",)]
