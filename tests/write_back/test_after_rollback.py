"""A publish was written out, and its loads are rolled back: a counter-plan takes back what was written, once a person
agrees."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from onefold.errors import Fatal
from onefold.rollback.written_out import written_out, written_out_lines
from tests.approvals import answer
from tests.conform.world import STREAMS, Record, record
from tests.write_back.world import Outward, a_run, publish, target


def firm(key: str, name: str, *, deleted: bool = False) -> Record:
    return record("crm", key, tax_id_pl=f"00{key}", legal_name=name, deleted=deleted)


def written(outward: Outward, *records: Record) -> int:
    """A load of these records, published and written out; its number."""
    load_id = outward.world.load(records)
    outward.conform()
    outward.run()
    return load_id


def rolled_back(
    outward: Outward, load_id: int, *before: Record, gone: tuple[str, ...] = (), others: Sequence[Outward] = ()
) -> None:
    """As a rollback leaves the load and the mapped records of the CRM and the court, and the conform that follows."""
    connection = outward.world.connection
    connection.execute(
        "insert into ops.rollback (loads, reason, actor, plan, state) values (%s, 'why', 'user:a', '[]', 'done')",
        ([load_id],),
    )
    connection.execute("delete from mapped.crm__partner where _key = any (%s)", (list(gone),))
    connection.execute("delete from mapped.court__partner where _key = any (%s)", (list(gone),))
    outward.world.load(before)
    connection.execute(
        "update mapped.crm__partner set _load_id = (select min(load_id) from ops.load) where _key = any (%s)",
        ([each.key for each in before],),
    )
    connection.execute("update ops.load set state = 'rolled_back' where load_id = %s", (load_id,))
    publish(outward.world, [outward, *others], ())


def test_a_counter_plan_gives_the_target_its_former_value_after_a_rollback_once_it_is_approved(
    outward: Outward,
) -> None:
    written(outward, firm("1", "Former"), firm("2", "Other"))
    bad = outward.world.load([firm("1", "Wrong")])
    outward.conform()
    assert written_out_lines(outward.world.connection, [bad]) == ()
    outward.run()
    (said,) = written_out_lines(outward.world.connection, [bad])
    assert "written out to erp: 1 partner changed" in said and "always waits for approval" in said
    rolled_back(outward, bad, firm("1", "Former"))
    run = a_run()
    plan = outward.plan(run)
    assert plan.needs_approval, "whatever the target says, which here is `approval: never`"
    (row,) = outward.rows(plan)
    assert (row.change, row.before, row.after) == ("update", {"nazwa": "Wrong"}, {"nazwa": "Former"})
    assert row.reason == "after rollback 1"
    with pytest.raises(Fatal, match="approved"):
        outward.write_back().execute(plan.plan_id, run)
    (there,) = written_out(outward.world.connection, [bad])
    assert (there.records, there.open, there.taken_back, there.left_as_is) == (1, 1, 0, 0)
    answer(outward.world.url, plan.subject, "ewa", approved=True)
    assert outward.write_back().execute(plan.plan_id, run).outcomes == {"confirmed": 1}
    assert [each["nazwa"] for each in outward.table()] == ["Former", "Other"]
    (there,) = written_out(outward.world.connection, [bad])
    assert (there.open, there.taken_back) == (0, 1)


@pytest.mark.parametrize("echoed", [False, True], ids=["", "and was read back"])
def test_what_the_rolled_back_publish_made_there_is_deleted_with_permission_and_approval(
    outward: Outward, echoed: bool
) -> None:
    outward.target = target(**{"objects.partner.may": ["create", "update", "delete"]})
    written(outward, firm("1", "Ours"))
    bad = written(outward, firm("2", "Wrong"))
    if echoed:
        outward.conform(*outward.sync())
        outward.run()
    rolled_back(outward, bad, gone=("2",))
    run = a_run()
    plan = outward.plan(run)
    assert [row.change for row in outward.rows(plan)] == ["delete"] and plan.needs_approval
    answer(outward.world.url, plan.subject, "ewa", approved=True)
    outward.write_back().execute(plan.plan_id, run)
    assert [each["nazwa"] for each in outward.table()] == ["Ours"]


@pytest.mark.parametrize("echoed", [False, True], ids=["", "and was read back"])
def test_what_was_made_there_and_may_not_be_deleted_is_named_for_a_person_until_it_is_gone(
    outward: Outward, echoed: bool
) -> None:
    bad = written(outward, firm("2", "Wrong"))
    if echoed:
        outward.conform(*outward.sync())
        outward.run()
    rolled_back(outward, bad, gone=("2",))
    outward.run()
    (reason,) = outward.reasons()
    assert reason.startswith("rollback 1 has taken back what was made there, and none may be deleted by us")
    if echoed:
        outward.sql("update klienci set email = 'new@there.example'")
        outward.conform(*outward.sync())
        outward.run()
        assert outward.reasons() == [reason], "what the target says of its own record changes nothing"
    (there,) = written_out(outward.world.connection, [bad])
    assert (there.change, there.refused) == ("create", 1)
    key = outward.world.connection.execute("select target_key from ops.outbox where state = 'refused'").fetchone()
    assert key == (str(outward.table()[0]["id_klienta"]),)
    outward.sql("delete from klienci")
    assert outward.write_back().replay(a_run()) == 1
    outward.run()
    assert outward.states().get("refused") is None and outward.table() == []


def test_a_record_that_the_target_had_before_us_is_not_deleted_when_the_load_that_brought_it_is_rolled_back(
    outward: Outward,
) -> None:
    outward.target = target(**{"objects.partner.may": ["create", "update", "delete"]})
    outward.sql("insert into klienci (nazwa, nip) values ('Theirs', '002')")
    written(outward, firm("1", "Ours"))
    brought = outward.world.load([each for each in outward.sync() if each.attributes["tax_id_pl"] == "002"])
    outward.conform()
    outward.run()
    outward.world.connection.execute("delete from mapped.erp__partner")
    rolled_back(outward, brought)
    outward.run()
    assert sorted(each["nazwa"] for each in outward.table()) == ["Ours", "Theirs"]


def test_what_two_targets_have_got_and_given_back_is_deleted_in_both_when_its_only_source_is_rolled_back(
    outward: Outward, crm: Outward
) -> None:
    both = (outward, crm)
    for each in both:
        name, may = each.target.target, ["create", "update", "delete"]
        its = {"objects.partner.stream": STREAMS[name], "objects.partner.may": may}
        each.target = target(target=name, system=name, **its)
    bad = outward.world.load([record("court", "x", krs="7", tax_id_pl="007", legal_name="Wrong")])
    publish(outward.world, both, ())
    for each in both:
        each.run()
    publish(outward.world, both, [read for each in both for read in each.sync()])
    assert outward.world.clusters() == {frozenset({"x", "1"})}, "its records there have the number 1 in both"
    rolled_back(outward, bad, gone=("x",), others=[crm])
    for each in both:
        run = a_run()
        plan = each.plan(run)
        assert [row.change for row in each.rows(plan)] == ["delete"]
        answer(outward.world.url, plan.subject, "ewa", approved=True)
        each.write_back().execute(plan.plan_id, run)
        assert each.table() == []


def test_what_ends_before_it_is_written_is_not_written_though_it_is_planned_and_is_when_it_comes_again(
    outward: Outward,
) -> None:
    outward.conform(firm("1", "Short"), firm("2", "Other"))
    plan, run = outward.plan(), a_run()
    assert plan is not None
    outward.conform(firm("1", "Short", deleted=True))
    outward.write_back().execute(plan.plan_id, run)
    assert [row["nazwa"] for row in outward.table()] == ["Other"]
    outward.conform(firm("1", "Short"))
    outward.run()
    assert sorted(row["nazwa"] for row in outward.table()) == ["Other", "Short"]
