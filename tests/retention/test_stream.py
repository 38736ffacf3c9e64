"""Of a stream's past goes what is due, and nothing that a load, a rollback, an undo or a replay still reads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from onefold.audit import entries_from_database, verify
from onefold.retention import purge, run
from onefold.retention.horizon import protected_loads
from onefold.retention.staging import stream_purges
from onefold.warehouse.connection import connect
from tests.effort import TORTURE
from tests.load.shop import SHOP, Shop, record
from tests.retention.conftest import SAID, Warehouse, by_class
from tests.rollback.test_twin import KEYS, Delivery, Reading, World

EXAMPLES = 300 if TORTURE else 1
PHASES = tuple(Phase) if TORTURE else (Phase.explicit, Phase.generate)


def due(warehouse: Warehouse) -> dict[str, int]:
    return {kept.store: kept.due for kept in warehouse.plan(SHOP) if kept.subject == "shop.customer" and kept.due}


def test_replaced_versions_go_when_their_load_is_final_and_the_period_is_over(shop: Shop, warehouse: Warehouse) -> None:
    for minute in range(3):
        shop.load([record("a", minute, credit=minute), record("b", 0)])
    assert due(warehouse) == {}, "all can still be rolled back"
    warehouse.time_passes()
    assert due(warehouse) == {"history": 2, "superseded": 2}
    warehouse.execute("update ops.publish set state = 'failed'")
    assert due(warehouse) == {}, "no conform has taken them in"
    warehouse.execute("update ops.publish set state = 'published'")
    shop.load([record("a", 5, credit=5)])
    before = shop.current()
    assert due(warehouse) == {"history": 2}
    done = warehouse.retain(SHOP)
    assert {each.store: each.rows for each in done.purged if each.subject == "shop.customer"} == {"history": 2}
    assert shop.current() == before
    assert [key for key, *_ in shop.versions()] == ["a", "a", "b"], "the newest final version of a key stays"
    assert due(warehouse) == {}


def test_of_a_record_that_the_source_has_deleted_only_the_sign_of_it_stays(shop: Shop, warehouse: Warehouse) -> None:
    shop.load([record("a", 0), record("b", 0)])
    shop.load([record("a", 9, deleted=True)])
    warehouse.time_passes()
    shop.load([record("b", 20)])
    warehouse.retain(SHOP)
    assert [(key, payload, deleted) for key, payload, _, deleted in shop.versions() if key == "a"] == [
        ("a", {"id": "a"}, True)
    ]
    shop.load([record("a", 5)])
    assert set(shop.current()) == {"b"}, "an older reading that arrives late does not bring it back"


def test_rows_in_quarantine_go_when_they_are_closed_or_nobody_came(shop: Shop, warehouse: Warehouse) -> None:
    shop.load([record("a", 0, credit=-1), record("b", 0), record("c", 0), record("d", 0, credit=-1)])
    shop.load([record("a", 1)])
    assert due(warehouse) == {}
    warehouse.time_passes()
    shop.load([record("e", 0, credit=-1), record("f", 0), record("g", 0), record("h", 0), record("i", 0)])
    assert due(warehouse) == {"quarantine": 1, "waiting": 1}
    warehouse.retain(SHOP)
    assert shop.query("select _key, state from ops.quarantine order by 1") == [("e", "open")]
    shop.load([record("d", 0, credit=-1)])
    assert ("d", "open") in shop.query("select _key, state from ops.quarantine"), "the source still says the same"


def test_a_run_that_is_killed_has_deleted_what_it_says_and_the_next_one_ends_the_same(
    shop: Shop, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minute in range(6):
        shop.load([record("a", minute, credit=minute)])
    warehouse.time_passes()
    shop.load([record("a", 9, credit=9)])
    monkeypatch.setattr(purge, "BATCH", 2)
    batches = itertools.count()
    delete_batch = purge.RowPurge.delete_batch

    def killed(self: purge.RowPurge, connection: object) -> int:
        rows = delete_batch(self, connection)
        if rows and next(batches) == 1:
            connection.execute("select pg_terminate_backend(pg_backend_pid())")
        return rows

    monkeypatch.setattr(purge.RowPurge, "delete_batch", killed)
    with pytest.raises(Exception, match=r"terminat|connection"):
        warehouse.retain(SHOP)
    assert len(shop.versions()) == 5, "the second batch is as if it had never been"
    assert shop.query("select state from ops.retention") == [("running",)]
    warehouse.retain(SHOP)
    assert [payload["credit"] for _, payload, *_ in shop.versions()] == [5, 9]
    assert shop.query(
        "select subject, payload ->> 'store', payload ->> 'rows', result from audit.event where action ="
        " 'retention.purge' and \"from\" = 'shop.customer' and payload ->> 'store' = 'history' order by seq"
    ) == [("retention:1", "history", "2", "interrupted"), ("retention:2", "history", "3", "ok")]
    with connect(warehouse.url) as connection:
        assert verify(entries_from_database(connection)).ok


def test_what_is_in_use_is_left_to_the_next_run(
    shop: Shop, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.load([record("a", 0)])
    shop.load([record("a", 1, credit=2)])
    warehouse.time_passes()
    shop.load([record("b", 1)])
    monkeypatch.setattr(run, "LOCK_TIMEOUT", "50ms")
    with connect(warehouse.url) as reader:
        reader.execute("lock table staging.shop__customer in share mode")
        busy = {(each.store, each.subject): each.rows for each in warehouse.retain(SHOP).purged if each.busy}
        assert busy == {("history", "shop.customer"): 0, ("deleted", "shop.customer"): 0}
    assert [each.rows for each in warehouse.retain(SHOP).purged if each.store == "history"] == [1]


HISTORIES = {
    "replaced versions": [[("a", 1, 1)], [("a", 2, 2)], [("a", 3, 3)], [("a", 2, 2)], [("a", 4, 4)]],
    "a deletion": [[("a", 1, 1)], [("a", 2, 1, True)], [("b", 1, 1)], [("a", 1, 1)], [("a", 2, 1, True)]],
    "what waits": [[("a", 1, -1)], [("a", 2, -1)], [("a", 1, -1)], [("a", 3, 1)], [("a", 2, -1)]],
}


def visible(world: World, published: set[str]) -> dict[str, list]:
    """What anybody but an auditor sees of a stream: the current records, and how the next load goes on.

    Of what is deleted only that it is; and not of what was never published: a listing without it deletes a row that
    waits for a repair, and none is there that has waited for too long.
    """
    seen = world.seen()
    current = [
        (key, None, None) if deleted else (key, number, payload)
        for key, number, payload, deleted in seen["current"]
        if not deleted or key in published
    ]
    return {"current": current, "cursor": seen["cursor"], "answers": seen["answers"]}


def look_alike(mine: World, twin: World) -> bool:
    published = {key for key, _, _, _, _, deleted, _ in twin.seen()["versions"] if not deleted}
    return visible(mine, published) == visible(twin, published)


def is_like_one_that_keeps_all(
    world: Callable[..., World],
    warehouse: Warehouse,
    history: Sequence[Delivery],
    final: int,
    out: Sequence[int],
    *,
    classed: bool = False,
) -> None:
    """Two equal streams; in one of them retention runs after every step. Loads up to `final` can no longer be rolled
    back; of the later ones some are, and are undone. Classed: versions stay, and customers' names go from them."""
    mine, twin = world(), world()
    retained = by_class(mine.shop.system, contact="P1D") if classed else mine.shop.system
    for number, delivery in enumerate(history):
        for each in (mine, twin):
            each.deliver(number, delivery)
        if number == final:
            loads = [*mine.loads.values(), *twin.loads.values()]
            warehouse.time_passes(loads=loads)
        warehouse.retain(retained)
        assert look_alike(mine, twin)
    for to in ("rolled_back", "published"):
        for each in (mine, twin):
            each.change(out, to)
        assert look_alike(mine, twin)
        warehouse.retain(retained)
        assert look_alike(mine, twin)


CASES = [(each, 2) for each in HISTORIES.values()] if TORTURE else [(HISTORIES["what waits"][:4], 1)]


@pytest.mark.parametrize(("history", "final"), CASES)
def test_a_stream_of_which_the_past_goes_is_like_one_that_keeps_all(
    world: Callable[..., World], warehouse: Warehouse, history: list[list[tuple]], final: int
) -> None:
    deliveries = [Delivery(tuple(Reading(*reading) for reading in readings)) for readings in history]
    is_like_one_that_keeps_all(world, warehouse, deliveries, final, (final + 1,))
    assert warehouse.query("select from ops.retention_purge where store in ('history', 'waiting')"), "something was due"


READINGS = st.builds(
    Reading, st.sampled_from(KEYS[:3]), st.integers(1, 6), st.integers(-1, 3), st.sampled_from([False, False, True])
)
DELIVERIES = st.builds(Delivery, st.lists(READINGS, min_size=1, max_size=4).map(tuple), st.booleans())


@pytest.mark.timeout(3600)
@settings(max_examples=EXAMPLES, phases=PHASES, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(history=st.lists(DELIVERIES, min_size=3, max_size=6), data=st.data())
def test_whenever_retention_runs_what_is_to_stay_stays(
    world: Callable[..., World], warehouse: Warehouse, history: list[Delivery], data: st.DataObject
) -> None:
    final = data.draw(st.integers(0, len(history) - 2))
    later = st.integers(final + 1, len(history) - 1)
    out = data.draw(st.lists(later, min_size=1, max_size=2, unique=True).map(sorted))
    is_like_one_that_keeps_all(world, warehouse, history, final, out, classed=data.draw(st.booleans()))


def test_what_was_mapped_of_a_deleted_record_goes_too(shop: Shop, warehouse: Warehouse) -> None:
    shop.load([record("a", 0), record("b", 0)])
    shop.load([record("a", 9, deleted=True)])
    warehouse.execute(
        "create table mapped.shop__client (_record text, _system text, _stream text, _key text, _load_id bigint,"
        " _deleted boolean, name text); alter table mapped.shop__client owner to onefold_loader;"
        "insert into mapped.shop__client values ('shop|customer|a', 'shop', 'customer', 'a', 2, true, 'Name a'),"
        " ('shop|customer|b', 'shop', 'customer', 'b', 1, false, 'Name b')"
    )
    with connect(warehouse.url, autocommit=True) as connection:
        for expected in (["a", "b"], ["b"]):
            now = datetime.now(UTC)
            (protected,) = protected_loads(connection, now).values()
            stream, periods = SHOP.streams["customer"], SAID.periods(["contact"])
            for each in stream_purges(connection, "shop", "customer", stream, ["client"], periods, protected, now):
                each.delete_batch(connection)
            assert [key for (key,) in shop.query("select _key from mapped.shop__client order by 1")] == expected
            warehouse.time_passes()
            shop.load([record("b", 20)])
