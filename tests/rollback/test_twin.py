"""A warehouse in which loads were rolled back is the same as its twin, which never ran them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from onefold.connectors.lookup import LookupResult
from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.load import change_detection, gate_step, publish
from onefold.load.staging import ensure_staging
from onefold.quality.gate import Finding
from onefold.quality.suite import Suite
from onefold.rollback import late_readings
from onefold.rollback.apply import apply_change
from onefold.rollback.late_readings import gate_late_readings
from onefold.rollback.recompute import recompute_history
from onefold.rollback.row_effects import find_row_effects
from onefold.rollback.stream_change import StreamChange
from onefold.rollback.stream_state import restore_stream_state
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable
from tests.effort import TORTURE
from tests.load.shop import MORNING, SHOP, SUITE, Shop, record

KEYS = "abcd"
EXAMPLES = 300 if TORTURE else 3
_streams = itertools.count(1)
Out = tuple[int, ...]
"""The loads of a history that are rolled back, by their numbers."""


@dataclass(frozen=True)
class Reading:
    """What the source said of a key at a minute of its clock; credit below 0 is refused by the gate."""

    key: str
    minute: int
    credit: int
    deleted: bool = False


@dataclass(frozen=True)
class Delivery:
    """One load: what it reads, whether it lists all that there is, and what it is answered; or a sweep, of which only
    the keys count."""

    readings: tuple[Reading, ...]
    whole: bool = False
    answers: tuple[str, ...] = ()
    sweep: bool = False


class World:
    """One stream of a warehouse, into which deliveries are loaded; each gets the same number in every world."""

    def __init__(self, url: str, suites: Path, volatile: bool = False) -> None:
        name = f"customer{next(_streams)}"
        (suites / f"shop__{name}.yaml").write_text(SUITE.replace("shop__customer", f"shop__{name}"))
        stream = SHOP.streams["customer"].model_copy(update={"volatile": ["nick"] if volatile else []})
        self.shop = Shop(url, suites, SHOP.model_copy(update={"streams": {name: stream}}), name)
        self.volatile = volatile
        with connect(url, autocommit=True) as connection:
            ensure_staging(connection, StagingTable("shop", name))
        self.loads: dict[int, int] = {}

    def deliver(self, number: int, delivery: Delivery) -> None:
        read_at = MORNING + timedelta(hours=number)
        page = Page(
            [
                record(r.key, r.minute, deleted=r.deleted, credit=r.credit, nick=f"{number}" if self.volatile else "")
                for r in delivery.readings
            ],
            read_at,
            None,
            tuple(LookupResult(question, "found", f"proof {number}") for question in delivery.answers),
            (Partition("", None, read_at),) if delivery.whole or delivery.sweep else (),
        )
        self.loads[number] = self.shop.run(self.shop.job([page], sweep=delivery.sweep)).load_id

    def change(self, numbers: Sequence[int], to: str) -> None:
        loads = tuple(self.loads[number] for number in numbers)
        name = self.shop.stream
        change = StreamChange("shop", name, self.shop.system.streams[name], loads, to)
        with connect(self.shop.url, autocommit=True) as connection:
            gate_late_readings(connection, self.shop.url, change, {}, self.shop.suites)
            with connection.transaction():
                recompute_history(connection, change)
                effects = find_row_effects(connection, change)
                apply_change(connection, change)
                restore_stream_state(connection, change, effects.other_loads, keeps_checkpoint=False)
        assert not effects.not_gated

    def seen(self, without: Sequence[int] = ()) -> dict[str, list[tuple]]:
        """All that is visible of the stream; loads by the numbers of their deliveries."""
        queries = {
            "versions": "select _key, {number}, _hash, _payload, _cursor, _deleted,"
            " case when not _deleted then _extracted_at end from {staging}"
            " join {numbers} using (_load_id)",
            "current": "select _key, {number}, _payload, _deleted from {current} join {numbers} using (_load_id)",
            "quarantine": "select q._key, {number}, q._hash, q.payload, q._cursor, q.expectation, q.reason,"
            " q.state, (select number from {all} where _load_id = closed_by_load) from ops.quarantine q"
            " join {numbers} on _load_id = q.load_id where stream = {stream}",
            "cursor": "select value, {number} from ops.cursor join {numbers} on _load_id = load_id"
            " where stream = {stream}",
            "answers": "select lookup_key, outcome, proof, {number} from ops.lookup_cache"
            " join {numbers} on _load_id = load_id"
            " where stream = {stream}",
            "counts": "select {number}, rows_new, rows_changed, rows_deleted, rows_quarantined from ops.load"
            " join {numbers} on _load_id = load_id",
        }
        there = {number: load for number, load in self.loads.items() if number not in without}
        table = "(select unnest({}::bigint[]) as _load_id, unnest({}::int[]) as number) loads"
        names = {
            "number": sql.SQL("loads.number"),
            "staging": sql.Identifier("staging", f"shop__{self.shop.stream}"),
            "current": sql.Identifier("staging", f"shop__{self.shop.stream}__current"),
            "stream": sql.Literal(self.shop.stream),
            "numbers": sql.SQL(table).format(list(there.values()), list(there)),
            "all": sql.SQL(table).format(list(self.loads.values()), list(self.loads)),
        }
        with connect(self.shop.url) as connection:
            seen = {
                what: sorted(connection.execute(sql.SQL(query).format(**names)).fetchall(), key=repr)
                for what, query in queries.items()
            }
            strangers = sql.SQL("select _key from {staging} where _load_id <> all ({loads})").format(
                loads=list(there.values()), **names
            )
            assert connection.execute(strangers).fetchall() == [], "a version of a load that was rolled back is visible"
        return seen


@pytest.fixture
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    for module in (gate_step, late_readings):
        monkeypatch.setattr(module, "evaluate_suite", credit_is_not_negative)
    return tmp_path


def credit_is_not_negative(url: str, schema: str, table: str, suite: Suite) -> list[Finding]:
    """What Great Expectations finds by the suite; it takes half a second a load, and is not in question here."""
    at, rule = next((n, e) for n, e in enumerate(suite.expectations, 1) if e.kwargs["column"] == "credit")
    failing = sql.SQL("select _key from {} where credit < 0").format(sql.Identifier(schema, table))
    with connect(url) as connection:
        bad = len(connection.execute(failing).fetchall())
    return [Finding(at, rule, not bad, bad, {}, failing if bad else None)]


@pytest.fixture
def world(loader_url: str, suites: Path) -> Callable[..., World]:
    """Worlds of their own stream, all in one warehouse: nothing of one shows in another."""
    return lambda **more: World(loader_url, suites, **more)


def same_as_its_twin(
    world: Callable[..., World], history: Sequence[Delivery], out: Sequence[int], **more: bool
) -> None:
    """Load the history, roll `out` back: the twin that never had them is equal. Undo it: all is as it was."""
    mine, twin = world(**more), world(**more)
    for number, delivery in enumerate(history):
        mine.deliver(number, delivery)
        if number not in out:
            twin.deliver(number, delivery)
    before = mine.seen()
    mine.change(out, "rolled_back")
    assert mine.seen(without=out) == twin.seen()
    mine.change(out, "published")
    assert mine.seen() == before


EARLIER: Mapping[str, Out] = {
    "what a later load read late": (0,),
    "a refused row that superseded another": (0, 1),
    "a deletion that repeats what was refused": (0,),
    "rows in conflict": (0,),
    "what waited repeats what was deleted": (0,),
    "what waited and what was held were of one time": (0,),
}
"""The histories that are about a rollback of another load than the second."""
A, B, C = (Reading("a", minute, credit) for minute, credit in ((1, 1), (2, 2), (3, 3)))
BAD, WORSE = Reading("a", 4, -1), Reading("a", 5, -2)
GONE = Reading("a", 6, 3, deleted=True)
NOBODY = Delivery((Reading("z", 1, 1),), whole=True)
HISTORIES = {
    "what a later load read unchanged": [[A], [B], [B]],
    "what a later load read late": [[C], [B]],
    "an earlier content that a later load brought back": [[A], [B], [C]],
    "a key of its own": [[A], [Reading("b", 1, 1)], [A]],
    "a deletion": [[A], [GONE], [GONE]],
    "a refused row that waits": [[A], [BAD], [BAD]],
    "a refused row that superseded another": [[BAD], [WORSE], [C]],
    "a good row that superseded a refused one": [[BAD], [Reading("a", 5, 5)], [A]],
    "a newer bad row over a version": [[A], [C], [BAD], [C]],
    "a deletion that repeats what was refused": [[BAD], [replace(BAD, deleted=True)], [A]],
    "rows in conflict": [[A, replace(A, credit=2)], [Reading("b", 1, 1)], [C]],
    "rows in conflict over a version": [[A], [B, replace(B, credit=5)], [C]],
}


def _cases(histories: Mapping[str, object], outs: Sequence[Out]) -> list[ParameterSet]:
    """Each history with each choice of loads to roll back; in `make test` with the one that it is named for."""
    named = [(name, history, EARLIER.get(name, (1,))) for name, history in histories.items()]
    return [
        pytest.param(history, out, id=f"{name}-{out}")
        for name, history, its_own in named
        for out in (outs if TORTURE else [its_own])
    ]


@pytest.mark.parametrize(("history", "out"), _cases(HISTORIES, [(0,), (1,), (0, 1)]))
def test_a_rolled_back_load_has_never_been(world: Callable[..., World], history: list[list[Reading]], out: Out):
    same_as_its_twin(world, [Delivery(tuple(readings)) for readings in history], out)


NO_KEY, ITS_KEY = Delivery((Reading("z", 1, 1),), sweep=True), Delivery((A, Reading("z", 1, 1)), sweep=True)
SWEEPS = {
    "what it deleted is deleted by the next sweep": [Delivery((A,)), NO_KEY, NO_KEY],
    "what it deleted came back": [Delivery((A,)), NO_KEY, Delivery((C,)), ITS_KEY],
    "it deleted what waited": [Delivery((BAD,)), NO_KEY, Delivery((A,))],
}
LISTINGS = {
    "what it alone had is gone for nobody": [[], [A], []],
    "what it swept is swept by the next listing": [[A], [], []],
    "what it brought back is swept as it was": [[A], [C], []],
    "what it swept came back": [[A], [], [A], []],
    "what waited repeats what was deleted": [[Reading("d", 3, -1, deleted=True)], [Reading("d", 3, -1)], []],
    "what waited and what was held were of one time": [[Reading("d", 3, 0)], [Reading("d", 3, -1)], []],
}


@pytest.mark.parametrize(("history", "out"), _cases(LISTINGS, [(0,), (1,), (0, 1), (2,)]))
def test_a_rolled_back_listing_has_never_swept(world: Callable[..., World], history: list[list[Reading]], out: Out):
    same_as_its_twin(world, [replace(NOBODY, readings=(*NOBODY.readings, *r)) for r in history], out)


@pytest.mark.parametrize(("history", "out"), _cases(SWEEPS, [(0,), (1,), (0, 1), (2,)]))
def test_a_rolled_back_sweep_has_never_been(world: Callable[..., World], history: list[Delivery], out: Out):
    same_as_its_twin(world, history, out)


def test_a_large_load_is_rolled_back_with_its_part(world: Callable[..., World], monkeypatch: pytest.MonkeyPatch):
    for module in (change_detection, publish):
        monkeypatch.setattr(module, "CHILD_TABLE_ROWS", 1)
    mine = world()
    for number, readings in enumerate([(A,), (B, Reading("b", 1, 1)), (B,)]):
        mine.deliver(number, Delivery(readings))
    parts = f"select count(*) from pg_inherits where inhparent = 'staging.shop__{mine.shop.stream}'::regclass"  # noqa: S608
    assert mine.shop.query(parts) == [(2,)]
    mine.change([1], "rolled_back")
    assert mine.shop.query(parts) == [(1,)]
    for module in (change_detection, publish):
        monkeypatch.setattr(module, "CHILD_TABLE_ROWS", 1000)
    twin = world()
    for number, readings in {0: (A,), 2: (B,)}.items():
        twin.deliver(number, Delivery(readings))
    assert mine.seen(without=[1]) == twin.seen()


def test_an_answer_that_was_rolled_back_gives_way_to_the_one_before(world: Callable[..., World]):
    history = [Delivery((A,), answers=("1", "2")), Delivery((B,), answers=("1", "3")), Delivery((C,), answers=("3",))]
    for out in [(0,), (1,), (2,), (0, 1), (1, 2)] if TORTURE else [(1,), (1, 2)]:
        same_as_its_twin(world, history, out)


READINGS = st.builds(
    Reading, st.sampled_from(KEYS), st.integers(0, 4), st.integers(-1, 2), st.sampled_from([False, False, False, True])
)
DELIVERIES = st.builds(
    Delivery,
    # Not two rows in conflict: what a rollback does not restore of them says docs/runbooks/rollback.md.
    st.lists(READINGS, min_size=1, max_size=5, unique_by=lambda reading: (reading.key, reading.minute)).map(tuple),
    st.sampled_from([False, False, True]),
    st.lists(st.sampled_from("12"), max_size=2, unique=True).map(tuple),
) | st.builds(
    lambda readings: Delivery(readings, sweep=True),
    st.lists(READINGS, min_size=1, max_size=4, unique_by=lambda reading: reading.key).map(tuple),
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(data=st.data(), volatile=st.booleans())
def test_any_loads_of_any_history_rolled_back_have_never_been(
    world: Callable[..., World], data: st.DataObject, volatile: bool
):
    history = data.draw(st.lists(DELIVERIES, min_size=2, max_size=5))
    out = data.draw(st.lists(st.sampled_from(range(len(history))), min_size=1, max_size=3, unique=True))
    same_as_its_twin(world, history, out, volatile=volatile)
