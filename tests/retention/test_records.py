"""What Onefold records of its own work goes too; what anything else refers to stays."""

from __future__ import annotations

from onefold.catalog.stream import Lookup
from onefold.load import steps
from tests.load.shop import SHOP, Shop, pages, record
from tests.retention.conftest import Warehouse


def test_lineage_goes_but_the_newest_completed_run_of_each_job(shop: Shop, warehouse: Warehouse) -> None:
    for minute in range(3):
        shop.load([record("a", minute)])
    edges = "select input_dataset, output_dataset from lineage.dataset_edge"
    before = set(warehouse.query(edges))
    warehouse.time_passes()
    warehouse.retain(SHOP)
    kept = "select event_type, (run_id = (select run_id from lineage.event order by event_id desc limit 1)) from"
    assert warehouse.query(f"{kept} lineage.event") == [("COMPLETE", True)]
    assert set(warehouse.query(edges)) == before
    assert len(warehouse.query(edges)) == len(before)


def test_of_the_ledger_goes_what_changed_nothing_and_nothing_refers_to(shop: Shop, warehouse: Warehouse) -> None:
    loads = [shop.load([record("a", 0)]) for _ in range(4)]
    shop.load([record("a", 0), record("b", 0, credit=-1)])
    warehouse.time_passes()
    last = [shop.load([record("a", 0)]) for _ in range(2)]
    warehouse.time_passes(loads=[last[0].load_id])
    before = warehouse.query("select * from ops.cursor"), shop.current()
    warehouse.retain(SHOP)
    left = [load_id for (load_id,) in warehouse.query("select load_id from ops.load order by 1")]
    assert left == [loads[0].load_id, last[0].load_id, last[1].load_id]
    assert warehouse.query("select from ops.gate_result") == []
    assert (warehouse.query("select * from ops.cursor"), shop.current()) == before
    assert shop.load([record("a", 0), record("b", 0)]).rows_new == 1


def test_landing_goes_when_its_load_is_over_and_no_migration_waits_for_it(shop: Shop, warehouse: Warehouse) -> None:
    dry = []
    for _ in range(2):
        job = shop.job(pages([record("a", 0)]))
        steps.land(job)
        dry.append(steps.dry_run(job))
    warehouse.execute(
        "create table landing.load_9999 (_key text);"
        "insert into ops.migration (system, streams, window_start, window_end, chunk, mode, reason, actor, run_id,"
        " plan, state) values ('shop', '{customer}', now(), now() + interval '1 day', interval '1 day', 'incremental',"
        " 'why', 'os:tester', 'migrate__1', '{}', 'dry_run')"
    )
    warehouse.execute(
        "insert into ops.migration_chunk (migration_id, stream, position, window_start, window_end, dry_run_load)"
        " values (1, 'customer', 1, now(), now(), %s)",
        dry[1].load_id,
    )
    warehouse.time_passes()
    warehouse.retain(SHOP)
    tables = "select relname from pg_class where relnamespace = 'landing'::regnamespace and relname ~ '^load_[0-9]+$'"
    assert warehouse.query(tables) == [(f"load_{dry[1].load_id}",)]


def test_a_row_that_a_replay_is_about_to_judge_stays(shop: Shop, warehouse: Warehouse) -> None:
    shop.load([record("a", 0, credit=-1), record("b", 0), record("c", 0)])
    warehouse.time_passes()
    shop.load([record("b", 2)])
    warehouse.execute(
        "insert into ops.replay (dag_id, run_id, actor, reason, selection, not_replayable, selected)"
        " values ('replay', 'r', 'os:tester', 'why', '{}', '{}', 1);"
        "insert into ops.replay_row (replay_id, quarantine_id) select 1, quarantine_id from ops.quarantine"
    )
    warehouse.retain(SHOP)
    assert warehouse.query("select count(*) from ops.quarantine") == [(1,)]
    warehouse.execute(
        "update ops.replay set ended_at = now(), published = 0, superseded = 0, refused = 1;"
        "update ops.replay_row set outcome = 'refused', load_id = 1"
    )
    warehouse.retain(SHOP)
    assert warehouse.query("select from ops.quarantine union all select from ops.replay_row") == []


def test_an_answer_goes_when_nobody_has_asked_again(shop: Shop, warehouse: Warehouse) -> None:
    stream = SHOP.streams["customer"].model_copy(update={"lookup": Lookup(attribute="client.key")})
    asking = SHOP.model_copy(update={"streams": {"customer": stream}})
    shop.load([record("a", 0)])
    warehouse.execute(
        "insert into ops.lookup_cache (system, stream, lookup_key, outcome, answered_at, load_id)"
        " values ('shop', 'customer', 'old', 'found', now() - interval '9 days', 1),"
        " ('shop', 'customer', 'new', 'found', now(), 1)"
    )
    answers = "select lookup_key from ops.lookup_cache order by 1"
    warehouse.retain(asking)
    assert warehouse.query(answers) == [("new",), ("old",)], "its load can still be rolled back"
    warehouse.time_passes()
    shop.load([record("b", 0)])
    warehouse.retain(asking)
    assert warehouse.query(answers) == [("new",)]


def test_a_comparison_stays_while_a_difference_refers_to_it(warehouse: Warehouse) -> None:
    warehouse.execute(
        "insert into ops.reconciliation (system, stream, dag_id, run_id, actor, state, ended_at)"
        " select 'shop', 'customer', 'reconcile', n::text, 'os:tester', 'compared', now() - interval '9 days'"
        " from generate_series(1, 3) as n;"
        "insert into ops.drift (system, stream, _key, kind, since, reconciliation_id)"
        " values ('shop', 'customer', 'a', 'missing', now(), 2);"
        "insert into ops.usage (reconciliation_id, system, stream, status, requests, bytes, milliseconds)"
        " values (1, 'shop', 'customer', '200', 1, 1, 1), (2, 'shop', 'customer', '200', 1, 1, 1)"
    )
    done = warehouse.retain(SHOP)
    assert [each for each in done.purged if each.busy] == []
    assert warehouse.query("select reconciliation_id from ops.reconciliation") == [(2,)]
    assert warehouse.query("select from ops.usage") == []
