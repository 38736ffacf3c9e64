"""From a posted event to a published record, on the real service, inbox and load."""

from __future__ import annotations

import pytest

from onefold.catalog.reader import Catalog
from onefold.connectors.inbox import InboxPeek
from onefold.errors import Rejected
from onefold.load.ledger import Run
from onefold.replay.selection import Selection, matching_rows
from onefold.retention.run import execute_retention
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.request import RollbackRequest
from onefold.warehouse.connection import connect
from tests.approvals import answer
from tests.connectors.debezium.recorded import recorded
from tests.connectors.webhook.hook import CURRENT, OPEN, Hook, payments
from tests.receive.signers import event
from tests.retention.conftest import said
from tests.roles import as_role


def test_a_posted_event_is_published_and_one_that_nobody_can_read_waits_in_quarantine(hook: Hook) -> None:
    system = payments(next={"size": 2})
    odd = [b"no JSON", b"\xff\xfe\x00", b'{"created": 5}', b"[1, 2]", b""]
    assert hook.post(system, event(1), *odd, event(2), event(1)) == [200] * 8
    load = hook.load(system)
    assert hook.published() == [("evt_1", 1), ("evt_2", 2)]
    assert (load.rows_read, load.rows_quarantined) == (7, 5)
    assert hook.query("select count(*) from ops.quarantine where state = 'open'") == [(5,)]
    assert hook.query("select max(sequence) from inbox.event") == [(hook.position(),)]


def test_a_load_goes_on_after_the_last_one_and_an_idle_one_stays_there(hook: Hook) -> None:
    system = payments()
    hook.post(system, event(1), event(2))
    hook.load(system)
    before = hook.position()
    assert (hook.load(system).rows_read, hook.position()) == (0, before)
    hook.post(system, event(3))
    assert hook.load(system).rows_read == 1
    assert hook.position() > before
    assert hook.published() == [("evt_1", 1), ("evt_2", 2), ("evt_3", 3)]


def test_the_senders_own_time_decides_which_event_is_newer(hook: Hook) -> None:
    fields = {"key": {"type": "text", "path": "data.key"}, "created": "integer", "amount": "integer", "id": "text"}
    system = payments(primary_key=["key"], fields=fields)
    late, early = event(9, data={"key": "k"}), event(5, data={"key": "k"})
    hook.post(system, late)
    hook.load(system)
    hook.post(system, early)
    hook.load(system)
    assert hook.published() == [("k", 9)]


def test_without_a_time_of_the_sender_the_order_of_arrival_counts(hook: Hook) -> None:
    fields = {"key": "text", "amount": "integer"}
    system = payments(primary_key=["key"], fields=fields, cursor=None, records="data", ignore=["id", "created"])
    for number in (9, 5, 7):
        hook.post(system, event(number, data=[{"key": "k", "amount": number}, {"key": f"k{number}", "amount": 1}]))
    hook.load(system)
    assert hook.published() == [("k", 7), ("k5", 1), ("k7", 1), ("k9", 1)]


def test_a_load_from_scratch_reads_all_that_the_inbox_keeps_and_changes_nothing(hook: Hook) -> None:
    system = payments()
    hook.post(system, event(1), event(2))
    hook.load(system)
    before = hook.published()
    load = hook.load(system, anew=True)
    assert (load.rows_read, load.rows_new, load.rows_changed, load.rows_deleted) == (2, 0, 0, 0)
    assert hook.published() == before


def test_after_a_rollback_the_next_load_reads_the_inbox_again(hook: Hook) -> None:
    system = payments()
    catalog, loader = Catalog({"test_hook": system}, {}), as_role(hook.url, "onefold_loader")
    hook.post(system, event(1))
    hook.load(system)
    hook.post(system, event(2))
    load = hook.load(system)
    before = hook.published()
    run = Run("rollback", "manual__1", "airflow:by:engineer/rollback/manual__1")
    plan = plan_rollback(loader, catalog, RollbackRequest((load.load_id,), reason="wrong amounts"), run)
    (hint,) = (hint for stream in plan.streams for hint in stream.hints)
    assert "reads from the oldest" in hint and "bin/onefold sync test_hook --anew payment" in hint, "no window is named"
    answer(loader, f"rollback:{plan.rollback_id}", "approver", approved=True)
    execute_rollback(loader, catalog, plan.rollback_id, run.actor)
    assert hook.published() == before[:1]
    assert hook.load(system).rows_read == 2
    assert hook.published() == before


def test_events_go_by_age_and_never_before_their_load_is_past_its_rollback(hook: Hook) -> None:
    system = payments()
    catalog, loader = Catalog({"test_hook": system}, {}), as_role(hook.url, "onefold_loader")

    def days_pass(days: int) -> None:
        hook.execute("update inbox.event set received_at = received_at - %s * interval '1 day'", days)
        hook.execute(
            "update ops.load set started_at = started_at - %(days)s * interval '1 day',"
            " ended_at = ended_at - %(days)s * interval '1 day',"
            " rollback_until = rollback_until - %(days)s * interval '1 day'",
            {"days": days},
        )

    def kept() -> list[tuple]:
        execute_retention(loader, catalog, said(), "os:tester")
        return hook.query("select event_id from inbox.event order by sequence")

    hook.post(system, event(1))
    days_pass(1)
    hook.load(system)
    hook.post(system, event(2))
    days_pass(20)
    hook.load(system)
    hook.execute(
        "with conformed as (insert into ops.publish (state, actor, mappings, ended_at)"
        " values ('published', 'os:tester', '{}', now()) returning publish_id)"
        " insert into ops.publish_load (publish_id, load_id) select publish_id, load_id from conformed, ops.load"
    )
    assert kept() == [("evt_1",), ("evt_2",)], "the load can still be rolled back"
    days_pass(20)
    assert kept() == [("evt_2",)], "no load that is past its rollback has read the other"
    assert hook.load(system).rows_read == 0


def test_how_many_events_wait_and_since_when_is_known_before_and_after_a_load(hook: Hook) -> None:
    system, lag = payments(), "select lag_messages, lag_seconds, position, log_end from ops.stream_lag"
    hook.post(system, event(1), event(2), event(3))
    hook.execute("update inbox.event set received_at = received_at - interval '1 hour' where event_id = 'evt_1'")
    refused = payments(fields={"id": {"type": "text", "path": "no.id"}, "created": "integer"})
    hook.post(system, b"no JSON")
    with pytest.raises(Rejected):
        hook.load(refused)
    ((messages, seconds, *span),) = hook.query(lag)
    assert (messages, span) == (4, ["0", str(hook.last_sequence())])
    assert 3600 <= seconds < 3700
    hook.load(system)
    assert hook.query(lag) == [(0, 0, str(hook.position()), str(hook.position()))]


def test_an_event_that_the_gate_held_back_is_published_by_a_replay_once_the_yaml_is_fixed(hook: Hook) -> None:
    wrong = payments(fields={"id": "text", "created": "integer", "amount": "integer"})
    hook.post(wrong, event(1), event(2, amount="12,50"))
    hook.load(wrong)
    assert (hook.published(), hook.query(OPEN)) == ([("evt_1", 1)], [("evt_2",)])
    fixed = payments(fields={"id": "text", "created": "integer", "amount": "text"})
    assert hook.replay(fixed) == {"published": 1, "refused": 0, "superseded": 0}
    assert hook.query(CURRENT) == [("evt_1", "1"), ("evt_2", "12,50")]
    assert hook.query(OPEN) == []
    hook.post(fixed, event(3))
    assert hook.load(fixed).rows_read == 1, "a replay leaves the position alone"


def test_events_whose_key_the_yaml_did_not_find_are_published_by_loading_the_stream_anew(hook: Hook) -> None:
    wrong = payments(fields={"id": {"type": "text", "path": "data.id"}, "created": "integer", "amount": "integer"})
    hook.post(wrong, *(event(number) for number in range(1, 4)), event(9, data={"id": "nested"}))
    hook.load(wrong)
    assert [key for key, _ in hook.query(CURRENT)] == ["nested"]
    assert hook.query("select count(*) from ops.quarantine where state = 'open'") == [(3,)]
    with connect(hook.url) as connection:
        (rows,) = matching_rows(connection, Selection(), {"test_hook": wrong})
    assert rows.rows == 3 and "bin/onefold sync test_hook --anew payment" in str(rows.why_not), "and no window"
    hook.load(payments(ignore=["data"]), anew=True)
    assert [key for key, _ in hook.query(CURRENT)] == ["evt_1", "evt_2", "evt_3", "evt_9", "nested"]


def test_debezium_events_are_unwrapped_in_the_order_of_the_sources_log(hook: Hook) -> None:
    """Whatever order they arrive in; and an emptied table ends what was there before."""
    system = payments(
        request={"envelope": "debezium"}, cursor=None, primary_key=["id"], deletes={"max_share": 1},
        fields={"id": "integer", "note": {"type": "text", "required": False}, "amount": "numeric"}, next={"size": 3},
    )  # fmt: skip
    bodies = [body for _, body in recorded("with_schema", "whole") if body]
    emptied = next(place for place, body in enumerate(bodies) if b'"op":"t"' in body)
    hook.post(system, *reversed(bodies[:emptied]))
    hook.load(system)
    notes = "select _key, _payload ->> 'amount' from staging.test_hook__payment__current where not _deleted order by 1"
    assert hook.query(notes) == [("100", "1.00"), ("11", "-2.25"), ("20", "1.00"), ("21", "2.00")]
    hook.post(system, *bodies[emptied:])
    hook.load(system)
    assert hook.query(notes) == [("22", "3.00")]


def test_an_event_is_seen_without_a_load_until_it_is_published(hook: Hook) -> None:
    system = payments()
    with InboxPeek("test_hook") as peek:
        assert not peek.has_more("payment", {})
        hook.post(system, event(1))
        assert peek.has_more("payment", {})
        hook.load(system)
        assert not peek.has_more("payment", {"": str(hook.position())})
        hook.post(system, event(2))
        assert peek.has_more("payment", {"": str(hook.position())})
