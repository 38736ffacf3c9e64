"""A rollback from its plan to its end: what it shows, who may approve it, what is refused, how it is undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from onefold.audit import entries_from_database
from onefold.catalog.reader import Catalog
from onefold.catalog.system import PythonModule
from onefold.errors import Fatal, Rejected, Retriable
from onefold.load import ledger, steps
from onefold.load.ledger import Run
from onefold.rollback.lifecycle import execute_rollback, plan_rollback, preview_rollback
from onefold.rollback.plan import RollbackPlan
from onefold.rollback.request import RollbackRequest
from onefold.warehouse.connection import connect
from tests.approvals import record_decision
from tests.load.shop import SHOP, Shop, pages, record

STARTER = "airflow:by:engineer/rollback/manual__1"
RUN = Run("rollback", "manual__1", STARTER)
KEPT = "select (select count(*) from staging.unchanged), (select count(*) from staging.superseded)"
CATALOG = Catalog(systems={"shop": SHOP}, entities={})


def planned(shop: Shop, *loads: int, **more: object) -> RollbackPlan:
    return plan_rollback(shop.url, CATALOG, RollbackRequest(loads, **{"reason": "wrong prices", **more}), RUN)


def rolled_back(shop: Shop, *loads: int, **more: object) -> int:
    rollback_id = planned(shop, *loads, **more).rollback_id
    record_decision(shop.url, rollback_id, "approver", approved=True)
    execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    return rollback_id


def everything(shop: Shop) -> list[list[tuple]]:
    """All that a refused rollback must leave as it was."""
    tables = (
        "staging.shop__customer",
        "ops.load",
        "ops.quarantine",
        "ops.cursor",
        "staging.superseded",
        "ops.rollback",
    )
    return [shop.query(f"select * from {table} order by 1, 2") for table in tables]  # noqa: S608 - the names above


def test_a_rollback_shows_first_what_it_will_do_and_changes_nothing(shop):
    shop.load([record("a", 1), record("b", 1)])
    bad = shop.load([record("a", 2, name="Bad"), record("c", 2)])
    shop.load([record("a", 2, name="Bad")])
    before = everything(shop)
    shown = preview_rollback(shop.url, CATALOG, RollbackRequest((bad.load_id,), reason="wrong prices"))
    assert everything(shop) == before
    [stream] = shown.streams
    assert (stream.rows.versions_removed, stream.rows.other_versions_added, stream.rows.records_removed) == (2, 1, 1)
    assert "2 versions are removed" in shown.text and "1 versions of later loads are added" in shown.text
    assert f"--from {bad.window_start.isoformat()}" in shown.text  # the later load leaves a gap, which is said


def test_what_is_shown_is_what_is_done_and_undone(shop):
    shop.load([record("a", 1)])
    bad = shop.load([record("a", 2, name="Bad"), record("worse", 2, credit=-1)])
    before = (shop.versions(), shop.query("select _key, state from ops.quarantine"))
    rollback_id = rolled_back(shop, bad.load_id)
    assert shop.current()["a"]["name"] == "Name a"
    assert shop.query("select state from ops.quarantine") == [("rolled_back",)]
    assert shop.query("select value from ops.cursor") == [("2026-03-01T08:01:00.000000Z",)]
    rolled_back(shop, undo=rollback_id)
    assert (shop.versions(), shop.query("select _key, state from ops.quarantine")) == before
    assert shop.query("select state, undoes from ops.rollback order by 1") == [("done", rollback_id), ("undone", None)]


def test_all_loads_of_a_run_are_rolled_back_together(shop):
    shop.load([record("a", 1)])
    shop.load([record("b", 2)], run="scheduled__2")
    rolled_back(shop, run_id="scheduled__2")
    assert set(shop.current()) == {"a"}


def test_a_run_id_that_several_dags_have_is_refused_and_with_its_dag_takes_no_load_of_another(shop):
    """The runs that a schedule begins at one moment have one id, whatever their DAG."""
    mine = shop.load([record("a", 1)], run="scheduled__2")
    other = shop.run(replace(shop.job(pages([record("b", 2)])), run=Run("sync__epuap", "scheduled__2", "os:tester")))
    asked = RollbackRequest(run_id="scheduled__2", reason="why")
    both = rf"2 DAGs .* sync__epuap \(load {other.load_id}\), sync__shop \(load {mine.load_id}\)\. .* Name the DAG too"
    with pytest.raises(Fatal, match=both):
        plan_rollback(shop.url, CATALOG, asked, RUN)
    assert planned(shop, dag_id="sync__shop", run_id="scheduled__2").loads == (mine.load_id,)


def test_a_rollback_tells_who_planned_approved_and_did_it_in_the_audit_chain(shop):
    load = shop.load([record("a", 1)])
    rollback_id = rolled_back(shop, load.load_id)
    with connect(shop.url) as connection:
        told = [e for e in entries_from_database(connection) if e.subject == f"rollback:{rollback_id}"]
    assert [(e.action, e.actor, e.result) for e in told] == [
        ("rollback.plan", STARTER, "ok"),
        ("approval.request", STARTER, "ok"),
        ("approval.approve", "airflow:approver", "approved"),
        ("rollback.execute", STARTER, "ok"),
    ]
    assert told[-1].payload == {"loads": [load.load_id]}


@pytest.mark.parametrize("approver", ["engineer", None])
def test_who_started_a_rollback_cannot_approve_it(shop, approver):
    load = shop.load([record("a", 1)])
    rollback_id = planned(shop, load.load_id).rollback_id
    with pytest.raises(Fatal, match="must be approved by somebody else"):
        record_decision(shop.url, rollback_id, approver, approved=True)
    with pytest.raises(Fatal, match="not approved"):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"a"}


def test_a_rollback_that_was_turned_down_is_not_done(shop):
    load = shop.load([record("a", 1)])
    rollback_id = planned(shop, load.load_id).rollback_id
    record_decision(shop.url, rollback_id, "engineer", approved=False)  # one's own mistake can be withdrawn
    with pytest.raises(Fatal, match="is refused"):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"a"}


def test_what_is_done_or_was_turned_down_is_not_decided_again(shop):
    load = shop.load([record("a", 1)])
    turned_down = planned(shop, load.load_id).rollback_id
    record_decision(shop.url, turned_down, "approver", approved=False)
    with pytest.raises(Fatal, match=rf"Rollback {turned_down} is refused: there is nothing to decide"):
        record_decision(shop.url, turned_down, "approver", approved=True)
    done = rolled_back(shop, load.load_id)
    for approved in (True, False):
        with pytest.raises(Fatal, match=rf"Rollback {done} is done: there is nothing to decide"):
            record_decision(shop.url, done, "approver", approved=approved)
    with connect(shop.url) as connection:
        decided = [
            e.result for e in entries_from_database(connection) if e.action in ("approval.approve", "approval.refuse")
        ]
    assert decided == ["refused", "approved"]
    rolled_back(shop, undo=done)  # it still can be, for it is still called done
    assert set(shop.current()) == {"a"}


def test_what_was_approved_is_done_or_nothing(shop):
    load = shop.load([record("a", 1), record("b", 1)])
    rollback_id = planned(shop, load.load_id).rollback_id
    record_decision(shop.url, rollback_id, "approver", approved=True)
    shop.load([record("a", 1)])  # read unchanged: its version would now come instead
    with pytest.raises(
        Fatal, match=r"something else to shop\.customer than was approved: .* Pause the sync \(.* sync__shop\)"
    ):
        execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"a", "b"}
    assert shop.query("select state from ops.rollback") == [("refused",)]


def test_a_sync_since_the_approval_that_touches_none_of_it_conflicts_with_nothing(shop):
    load = shop.load([record("a", 1), record("b", 1)])
    rollback_id = planned(shop, load.load_id).rollback_id
    record_decision(shop.url, rollback_id, "approver", approved=True)
    shop.load([])
    shop.load([record("c", 5)])
    execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"c"}


def test_the_approver_reads_who_asks_and_each_system_by_itself(shop):
    load = shop.load([record("a", 1)])
    text = planned(shop, load.load_id).shown(STARTER)
    assert "(asked for by engineer)" in text.splitlines()[0]
    assert f"\n**shop**\n\n- shop.customer: load {load.load_id} rolled back\n  - 1 versions are removed\n" in text
    assert text.endswith("pause sync__shop.")


def test_a_rollback_tried_again_after_a_crash_is_done_once(shop):
    load = shop.load([record("a", 1)])
    rollback_id = rolled_back(shop, load.load_id)
    before = everything(shop)
    assert execute_rollback(shop.url, CATALOG, rollback_id, STARTER).streams == ()
    assert everything(shop) == before


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (RollbackRequest((1,), reason=" "), "needs a reason"),
        (RollbackRequest(reason="why"), "Name at least one load"),
        (RollbackRequest((999,), reason="why"), "There is no load 999"),
        (RollbackRequest((2**70,), reason="why"), "There is no load"),
        (RollbackRequest(run_id="nobody", reason="why"), "There is no published load of run 'nobody'"),
        (
            RollbackRequest(dag_id="sync__other", run_id="manual__1", reason="why"),
            "There is no published load of run 'manual__1' of sync__other",
        ),
        (RollbackRequest(dag_id="sync__shop", reason="why"), "Name the run of sync__shop too"),
        (RollbackRequest(undo=999, reason="why"), "There is no rollback 999"),
        (RollbackRequest((1,), undo=1, reason="why"), "not both"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_touched(shop, request_, message):
    shop.load([record("a", 1)])
    before = everything(shop)
    with pytest.raises(Fatal, match=message):
        plan_rollback(shop.url, CATALOG, request_, RUN)
    assert everything(shop) == before


def test_a_load_that_was_rolled_back_already_is_refused(shop):
    load = shop.load([record("a", 1)])
    rollback_id = rolled_back(shop, load.load_id)
    before = everything(shop)
    with pytest.raises(Fatal, match=f"Load {load.load_id} of shop.customer was rolled back already"):
        planned(shop, load.load_id)
    assert everything(shop) == before
    rolled_back(shop, undo=rollback_id)
    with pytest.raises(Fatal, match="is undone, not done"):
        planned(shop, undo=rollback_id)


def test_a_load_that_was_rejected_is_refused(shop):
    with pytest.raises(Rejected):
        shop.load([record(str(n), 1, credit=-1) for n in range(20)])
    with pytest.raises(Fatal, match="was rejected, so it wrote nothing"):
        planned(shop, shop.last().load_id)


def test_a_load_on_its_way_and_its_stream_are_refused(shop):
    first = shop.load([record("a", 1)])
    job = shop.job(pages([record("b", 2)]), run="scheduled__2")
    steps.land(job)
    with pytest.raises(Fatal, match="is in progress"):
        planned(shop, shop.last().load_id)
    with pytest.raises(Retriable, match=r"has load \d+ in progress \(run scheduled__2\)"):
        planned(shop, first.load_id)


def test_a_load_that_is_being_loaded_beside_is_waited_for(shop):
    load = shop.load([record("a", 1)])
    rollback_id = planned(shop, load.load_id).rollback_id
    record_decision(shop.url, rollback_id, "approver", approved=True)
    with connect(shop.url, autocommit=True) as loading:
        ledger.lock_stream(loading, "shop", "customer")
        with pytest.raises(Retriable, match="is being loaded by"):
            execute_rollback(shop.url, CATALOG, rollback_id, STARTER)
    assert set(shop.current()) == {"a"}
    assert shop.query("select state from ops.rollback") == [("planned",)]


def test_a_final_load_is_refused_and_what_was_kept_for_it_goes(shop, monkeypatch):
    first = shop.load([record("a", 1), record("b", 1)])
    shop.load([record("a", 1), record("b", 0, name="Late")])
    assert shop.query(KEPT) == [(1, 1)]
    ago = "- interval '80 days'"
    shop.execute(f"update ops.load set rollback_until = rollback_until {ago}, ended_at = ended_at {ago}")  # noqa: S608 - as above
    with pytest.raises(Fatal, match=rf"Load {first.load_id} of shop.customer can no longer be rolled back"):
        planned(shop, first.load_id)
    shop.load([record("a", 1)])
    assert shop.query(KEPT) == [(0, 0)]


def test_nothing_is_kept_aside_where_nothing_can_be_rolled_back(shop, monkeypatch):
    monkeypatch.setenv("ONEFOLD_ROLLBACK_DAYS", "0")
    first = shop.load([record("a", 1), record("b", 1)])
    shop.load([record("a", 1), record("b", 0, name="Late")])
    assert shop.query(KEPT) == [(0, 0)]
    with pytest.raises(Fatal, match="can no longer be rolled back"):
        planned(shop, first.load_id)


def test_the_plan_warns_of_records_that_an_acknowledged_source_may_have_deleted(shop):
    load = shop.load([record("a", 1)])
    module = PythonModule(module="epuap", why="it delivers each record once only")  # the one that acknowledges
    acknowledged = SHOP.model_copy(update={"python": module})
    catalog = Catalog(systems={"shop": acknowledged}, entities={})
    shown = preview_rollback(shop.url, catalog, RollbackRequest((load.load_id,), reason="why"))
    assert "WARNING: these records were acknowledged to A shop" in shown.text


def test_rows_in_conflict_go_and_come_back_with_their_load_and_with_the_one_that_ended_the_conflict(shop):
    def waiting() -> list[tuple]:
        return shop.query("select payload ->> 'name', state from ops.quarantine order by 1")

    shop.load([record("a", 1, name="Acme"), record("b", 1)])
    contradicts = shop.load([record("a", 2, name="Acme"), record("a", 2, name="Bolt"), record("b", 1)])
    ends = shop.load([record("a", 3, name="Cuprum")])
    assert waiting() == [("Acme", "superseded"), ("Bolt", "superseded")]
    undoes = rolled_back(shop, ends.load_id)
    assert (waiting(), shop.current()["a"]["name"]) == ([("Acme", "open"), ("Bolt", "open")], "Acme")
    rolled_back(shop, undo=undoes)
    assert (waiting(), shop.current()["a"]["name"]) == ([("Acme", "superseded"), ("Bolt", "superseded")], "Cuprum")
    undoes = rolled_back(shop, contradicts.load_id, ends.load_id)
    assert waiting() == [("Acme", "rolled_back"), ("Bolt", "rolled_back")]
    rolled_back(shop, undo=undoes)
    assert waiting() == [("Acme", "superseded"), ("Bolt", "superseded")]
    counts = "select rows_quarantined, rows_conflicting from ops.load where load_id = 2"
    assert shop.query(counts) == [(2, 2)]
