"""Holding back, disturbed: killed at any statement, and with replays and rollbacks in between, it ends the same."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

import onefold.conform.run as conforming
from onefold.conform.run import conform_with_build
from onefold.errors import Retriable
from tests.conform.test_held_back import _held_back, _warnings, no_bad_email
from tests.conform.test_increments import _published
from tests.conform.world import ACTOR, MAPPINGS, PARTNER, World, record
from tests.kills import count_kill


class _Killer:
    """Ends the connection that holds back at its statement number `at`; counts them."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self._world = world
        self.at: int | None = None
        self.statements = 0
        execute, hold_back = psycopg.Connection.execute, conforming.hold_back
        victim: list[psycopg.Connection] = []

        def counted(connection: psycopg.Connection, *args: object, **more: object) -> psycopg.Cursor:
            if connection in victim:
                self.statements += 1
                if self.statements == self.at:
                    world.connection.execute("select pg_terminate_backend(%s)", (connection.info.backend_pid,))
            return execute(connection, *args, **more)

        def begun(connection: psycopg.Connection, *args: object) -> None:
            victim[:] = [connection]
            self.statements = 0
            hold_back(connection, *args)

        monkeypatch.setattr(psycopg.Connection, "execute", counted)
        monkeypatch.setattr(conforming, "hold_back", begun)


def test_killed_at_any_statement_of_holding_back_it_ends_as_if_it_had_not_been(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """From the first statement of holding back to the last of the publish; what the run has built stays between two."""

    def state() -> tuple[object, ...]:
        return (
            *_published(world),
            _held_back(world),
            _warnings(world),
            world.connection.execute("select entity, publish_id from ops.published").fetchall(),
        )

    def conform(build: Callable[[object], None]) -> object:
        return conform_with_build(world.url, ACTOR, no_bad_email, [PARTNER], build, mappings=MAPPINGS)

    world.begin_mixed_load()
    killer, before = _Killer(world, monkeypatch), state()
    killer.at, build = 1, world.build
    while state() == before:
        with pytest.raises(Retriable):
            conform(build)
        count_kill("conform", "session")
        killer.at, build = killer.at + 1, lambda publish: None
    # Killed while it lets go of its lock, the run has published, and what it has published is whole.
    assert killer.at > 30, "the statements of holding back and of writing"
    assert conform(build).publish_id is None
    assert [(records, reason) for records, _, _, reason, *_ in _held_back(world)] == [
        (["crm|account|a"], "the e-mail is bad")
    ]
    assert world.clusters() == {frozenset("a"), frozenset("b"), frozenset("ce"), frozenset("d")}
    assert world.golden("a", "email") == (None,)
    assert [(reason, ended is None) for reason, _, ended in _warnings(world)] == [
        ("the e-mail is odd", False),
        ("the e-mail is odd", True),
    ]


def test_a_rollback_and_a_replay_with_held_back_records_in_between_leave_what_they_leave_without(world: World):
    """The load that brought what is held back is rolled back, after a replay has brought more; then that is undone."""
    world.conform(record("crm", "a", tax_id_pl="1", legal_name="old"), record("crm", "b", tax_id_pl="2"))
    world.connection.execute("create temp table older as select * from mapped.crm__partner")
    brought = world.load(
        [
            record("crm", "a", tax_id_pl="1", legal_name="new", email="bad"),
            record("crm", "b", tax_id_pl="2", legal_name="new"),
            record("crm", "c", tax_id_pl="3", email="bad"),
        ]
    )
    world.connection.execute("create temp table newer as select * from mapped.crm__partner")
    world.conform(gate=no_bad_email)
    held = [each[0] for each in _held_back(world)]
    assert held == [["crm|account|a"], ["crm|account|c"]]

    world.conform(record("erp", "r", tax_id_pl="5"), gate=no_bad_email)  # what a replay has published
    assert [each[0] for each in _held_back(world)] == held
    with_it = _published(world)

    def take(state: str, rows: str) -> None:
        world.connection.execute("update ops.load set state = %s where load_id = %s", (state, brought))
        world.connection.execute("truncate mapped.crm__partner")
        world.connection.execute(f"insert into mapped.crm__partner select * from {rows}")  # noqa: S608
        world.conform(gate=no_bad_email)

    take("rolled_back", "older")
    assert _held_back(world) == []
    assert world.clusters() == {frozenset("a"), frozenset("b"), frozenset("r")}
    assert (world.golden("a", "legal_name"), world.golden("b", "legal_name")) == (("old",), (None,))

    take("published", "newer")
    assert [each[0] for each in _held_back(world)] == held
    assert _published(world) == with_it
    world.load([])
    world.conform()
    stepwise = _published(world)
    assert (_held_back(world), world.golden("a", "legal_name", "email")) == ([], ("new", "bad"))
    world.empty()
    world.conform(
        record("crm", "a", tax_id_pl="1", legal_name="new", email="bad"),
        record("crm", "b", tax_id_pl="2", legal_name="new"),
        record("crm", "c", tax_id_pl="3", email="bad"),
        record("erp", "r", tax_id_pl="5"),
    )
    assert _published(world) == stepwise
