"""Rollback, undo, replay, reconcile, repair and a change of the protocol, of a stream that is read from its log."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.connectors.past import unaskable
from onefold.errors import Fatal
from onefold.load import steps
from onefold.load.ledger import Load, Run
from onefold.load.window import WindowRequest
from onefold.reconcile.compare import compare_stream
from onefold.reconcile.repair import repair_stream
from onefold.replay.ledger import open_replay
from onefold.replay.selection import Selection
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.plan import RollbackPlan
from onefold.rollback.request import RollbackRequest
from onefold.warehouse.connection import connect
from tests.approvals import record_decision
from tests.connectors.cdc.loaded_log import SUITE, orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_loads import MADE_LARGE, at_source
from tests.connectors.cdc.postgres.test_refusals import refused, slots

INSERT = "insert into orders values ({}, 'Order', null, 1)"


def changed_by(log: Log, request: RollbackRequest) -> RollbackPlan:
    """A rollback or its undo, planned, approved and executed; returns the plan."""
    catalog = Catalog(systems={"test_log": orders()}, entities={})
    number = log.query("select count(*) from ops.rollback")[0][0]
    run = Run("rollback", f"manual__{number}", f"airflow:by:engineer/rollback/manual__{number}")
    plan = plan_rollback(log.warehouse_url, catalog, request, run)
    record_decision(log.warehouse_url, plan.rollback_id, "approver", approved=True)
    execute_rollback(log.warehouse_url, catalog, plan.rollback_id, run.actor)
    return plan


def inserted(log: Log, key: int) -> Load:
    log.run(INSERT.format(key))
    return log.load(orders())


@pytest.mark.parametrize("which", [1, 2])
def test_after_a_rollback_loads_refuse_to_go_on_until_it_is_undone_or_the_stream_is_loaded_anew(log: Log, which: int):
    loads = [inserted(log, key) for key in (1, 2, 3)]
    number = loads[which].load_id
    plan = changed_by(log, RollbackRequest((number,), reason="why"))
    assert "bin/onefold sync test_log --anew order" in plan.text
    assert plan.streams[0].missing == ()
    assert set(log.published()) == {"1", "2", "3"} - {str(which + 1)}
    log.run("insert into orders values (4, 'Four', null, 1)")
    for _ in range(2):
        assert f"load {number} was rolled back" in refused(log)
    assert log.query("select count(*) from ops.stream_lag") == [(1,)], "the slot is still there, and keeps the log"
    changed_by(log, RollbackRequest(undo=plan.rollback_id, reason="why"))
    assert log.load(orders()).rows_read == 1, "it goes on where it was"
    assert log.published() == at_source(log)
    changed_by(log, RollbackRequest((number,), reason="why"))
    log.load(orders(), anew=True)
    assert log.published() == at_source(log)
    inserted(log, 5)
    assert log.published() == at_source(log)


def test_a_load_of_before_the_stream_was_loaded_anew_is_rolled_back_and_nothing_is_missing(log: Log):
    loads = [inserted(log, key) for key in (1, 2)]
    log.load(orders(), anew=True)
    changed_by(log, RollbackRequest((loads[1].load_id,), reason="why"))
    assert log.published() == at_source(log)
    inserted(log, 3)
    assert log.published() == at_source(log)


def test_a_load_whose_large_value_a_later_one_has_filled_in_is_rolled_back_only_with_that(log: Log):
    log.run(*MADE_LARGE, "insert into orders values (1, 'One', large(), 1)")
    first = log.load(orders())
    log.run("update orders set amount = 2")
    second = log.load(orders())
    with pytest.raises(Fatal, match="Roll both back together"):
        changed_by(log, RollbackRequest((first.load_id,), reason="why"))
    changed_by(log, RollbackRequest((second.load_id,), reason="why"))
    log.load(orders(), anew=True)
    assert log.published_content() == at_source(log)


def test_a_row_in_quarantine_is_replayed_with_what_the_log_has_told_of_it_since(log: Log):
    rule = "  - {type: expect_column_values_to_be_between, kwargs: {column: amount, min_value: 0}}\n"
    suite = log.suites / "test_log__order.yaml"
    log.run(*MADE_LARGE)
    inserted(log, 1)
    suite.write_text(SUITE + rule)
    log.run("insert into orders values (2, 'Two', large(), -1), (3, 'Three', null, -1)")
    assert log.load(orders()).rows_quarantined == 2
    log.run("update orders set amount = -2 where id = 2", "update orders set amount = 1 where id = 3")
    log.load(orders())
    suite.write_text(SUITE)
    run = Run("replay", "manual__1", "os:tester")
    with connect(log.warehouse_url, autocommit=True) as connection:
        replay = open_replay(
            connection, Selection(system="test_log", stream="order"), "why", run, {"test_log": orders()}
        )
    job = log.job(orders())
    replayed = log.do(type(job)(**{**vars(job), "run": run, "source": None, "replay_id": replay.replay_id}))
    assert replayed.rows_new == 1
    assert log.published_content() == at_source(log)
    changed_by(log, RollbackRequest((replayed.load_id,), reason="why"))
    assert set(log.published()) == {"1", "3"}
    assert inserted(log, 4).rows_new == 1, "a replay has read nothing of the log"


def test_the_table_is_compared_as_it_is_and_nothing_is_made_at_the_source(log: Log):
    log.run(*MADE_LARGE, "insert into orders select n, 'Order', large(), 1 from generate_series(1, 20) n")
    log.load(orders())
    log.run("update orders set amount = 2 where id = 1")
    log.load(orders())
    job = log.job(orders(rows=7))
    assert compare_stream(job, no_counts).drift.records == 0
    log.run("select pg_drop_replication_slot('onefold_test_log_order')", "drop publication onefold_test_log_order")
    log.run("update orders set amount = 3 where id = 2", "delete from orders where id = 3")
    log.run("insert into orders values (30, 'New', null, 1)")
    found = compare_stream(job, no_counts)
    assert (found.drift.missing, found.drift.changed, found.drift.deleted) == (1, 1, 1)
    assert slots(log) == 0
    assert log.ask("select count(*)::int from pg_publication") == [(0,)]
    again, (load,) = repair_stream(job, no_counts, found)
    assert (again.drift.records, load.rows_new, load.rows_changed, load.rows_deleted) == (0, 1, 1, 1)
    assert log.published_content() == at_source(log)
    assert inserted(log, 31).rows_read == 1


@contextmanager
def no_counts(stream_name: str, usage: object):
    yield None


def test_a_window_of_the_past_cannot_be_asked_for_and_no_slot_is_touched(log: Log):
    system = orders()
    why = unaskable(system, "order", None, datetime.now(UTC))
    assert why is not None
    assert (why.reason, "--anew order" in why.text) == ("log", True)
    inserted(log, 1)
    job = log.job(system)
    window = WindowRequest(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), exactly=True)
    with pytest.raises(Fatal, match="has no windows of the past"):
        steps.land(type(job)(**{**vars(job), "requested": window}))
    assert inserted(log, 2).rows_read == 1


def by_query() -> System:
    """The same stream, read by queries: what was changed since."""
    fields = {"changed": "timestamp"}
    return orders(fields=fields, cursor={"fields": ["changed"]}, protocol="sql")


def known(rows: dict[str, dict[str, object]]) -> list[tuple[object, ...]]:
    """The rows without their stamps, which are written in another way at the source."""
    return sorted((row["id"], row["name"], row["amount"]) for row in rows.values())


def test_a_stream_that_was_read_by_queries_is_read_from_its_log_from_then_on_and_back(log: Log):
    log.run("alter table orders add changed timestamptz not null default now()")
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 20) n")
    log.load(by_query())
    log.run("update orders set amount = 2, changed = now() where id = 1")
    log.load(by_query())
    system = orders(fields={"changed": "timestamp"})
    log.run("delete from orders where id = 2", "update orders set amount = 3 where id = 3")
    first = log.load(system)
    assert (first.rows_changed, first.rows_deleted) == (1, 1)
    assert known(log.published()) == known(at_source(log))
    log.run("update orders set amount = 4 where id between 1 and 5")
    assert log.load(system).rows_changed == 4
    assert known(log.published()) == known(at_source(log))
    ends = log.query("select window_end from ops.load order by load_id desc limit 1")
    assert log.query("select window_end from ops.cursor") == ends, "the cursor of another kind holds nothing up"
    log.run("update orders set amount = 5, changed = now() where id = 1")
    log.load(by_query())
    assert known(log.published()) == known(at_source(log))
