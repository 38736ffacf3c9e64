"""A plan says row by row what is done; what moved meanwhile is left alone; another person approves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb

from onefold.audit.approval import decide, question_of_run
from onefold.catalog.privacy import TechnicalRetention
from onefold.errors import Fatal
from onefold.retention.records import record_purges
from onefold.warehouse.connection import connect
from onefold.write_back.plan_ledger import get_plan
from onefold.write_back.resolve import MOST_ATTEMPTS
from tests.approvals import answer
from tests.conform.world import record
from tests.effort import TORTURE
from tests.roles import as_role
from tests.write_back.world import Outward, a_run, target

RECORDS = 300 if TORTURE else 30


def _customers(outward: Outward, count: int, name: str = "Firm") -> None:
    outward.conform(*(record("crm", f"c{at}", tax_id_pl=f"{at:010}", legal_name=f"{name} {at}") for at in range(count)))


def test_the_effect_of_a_plan_is_the_plan_row_by_row(outward: Outward) -> None:
    _customers(outward, RECORDS)
    outward.run()
    outward.sql("update klienci set nazwa = 'Edited there' where id_klienta % 3 = 0")
    outward.sql("delete from klienci where id_klienta % 7 = 0")
    _customers(outward, RECORDS + 5, "Renamed")
    before = {str(row["id_klienta"]): row for row in outward.table()}
    run = a_run()
    plan = outward.plan(run)
    rows = outward.rows(plan)
    assert outward.table() == list(before.values()), "a plan writes nothing"
    outward.write_back().execute(plan.plan_id, run)
    after = {str(row["id_klienta"]): row for row in outward.table()}
    by_reference = {row["onefold_ref"]: row for row in after.values()}
    assert {row.change for row in rows} == {"create", "update", "refuse"}
    for row in rows:
        if row.change == "create":
            there = by_reference[outward.reference(row.golden_id)]
            assert row.after == {name: there[name] for name in row.after}
            assert str(there["id_klienta"]) not in before
        elif row.change == "update":
            was, there = before[row.target_key], after[row.target_key]
            assert row.before == {name: was[name] for name in row.before}
            assert {**was, **row.after} == {**there, "zmieniono": was["zmieniono"]}
        else:
            assert row.target_key not in after
    touched = {row.target_key for row in rows if row.change == "update"}
    assert all(after[key] == row for key, row in before.items() if key not in touched)
    assert len(after) == len(before) + sum(row.change == "create" for row in rows)


def test_a_record_that_changed_between_plan_and_execution_is_not_overwritten(outward: Outward) -> None:
    _customers(outward, 3)
    outward.run()
    _customers(outward, 3, "Renamed")
    run = a_run()
    plan = outward.plan(run)
    outward.sql("update klienci set nazwa = 'Edited there' where nip = '0000000001'")
    outward.sql("update klienci set email = 'seen@there.pl' where nip = '0000000002'")
    done = outward.write_back().execute(plan.plan_id, run)
    assert done.outcomes == {"confirmed": 1, "moved": 2}
    assert [row["nazwa"] for row in outward.table()] == ["Renamed 0", "Edited there", "Firm 2"]
    outward.run()
    assert [row["nazwa"] for row in outward.table()] == ["Renamed 0", "Renamed 1", "Renamed 2"]


def test_a_record_that_somebody_made_there_after_the_plan_is_not_doubled(outward: Outward) -> None:
    _customers(outward, 1)
    run = a_run()
    plan = outward.plan(run)
    outward.sql("insert into klienci (nazwa, nip) values ('Made by hand', '0000000000')")
    assert outward.write_back().execute(plan.plan_id, run).outcomes == {"moved": 1}
    outward.run()
    reference = outward.reference(outward.world.id_of("c0"))
    assert [(row["nazwa"], row["onefold_ref"]) for row in outward.table()] == [("Firm 0", reference)]


def test_a_record_that_the_target_has_by_its_matching_key_is_linked_and_not_made_again(outward: Outward) -> None:
    outward.sql("insert into klienci (nazwa, nip) values ('Firm 0', '0000000000'), ('Other', '0000000001')")
    _customers(outward, 2)
    assert outward.run().outcomes == {"confirmed": 2}
    assert [row["nazwa"] for row in outward.table()] == ["Firm 0", "Firm 1"]


def test_a_record_that_matches_but_is_another_golden_records_is_not_touched(outward: Outward) -> None:
    outward.sql("insert into klienci (nazwa, nip, email) values ('Theirs', '0000000009', 'both@firm.pl')")
    outward.conform(*outward.sync())
    outward.target = target(**{"objects.partner.match": {"email": "email"}})
    outward.conform(record("crm", "c0", tax_id_pl="0000000001", legal_name="Ours", email="both@firm.pl"))
    outward.run()
    assert [row["nazwa"] for row in outward.table()] == ["Theirs"]
    assert "record 1 is another golden record's too" in outward.reasons()[0]


def test_two_records_there_of_one_golden_record_are_refused_and_go_on_once_they_are_joined(outward: Outward) -> None:
    outward.sql("insert into klienci (nazwa, nip) values ('A', '0000000000'), ('B', '0000000000')")
    _customers(outward, 2)
    assert outward.run().outcomes == {"confirmed": 1, "refused": 1}
    assert outward.reasons() == ["the target has several records of it (1, 2): join them there, then replay"]
    outward.sql("delete from klienci where id_klienta = 2")
    assert outward.write_back().replay(a_run()) == 1
    outward.run()
    assert [row["nazwa"] for row in outward.table()] == ["Firm 0", "Firm 1"]


def test_a_record_that_the_target_cannot_hold_waits_and_the_rest_goes_on(outward: Outward) -> None:
    outward.target = target(**{"objects.partner.characters": {"encoding": "cp1250", "replacements": {"–": "-"}}})
    outward.conform(
        record("crm", "c0", tax_id_pl="1", legal_name="株式会社"),
        record("crm", "c1", tax_id_pl="2", legal_name="Łódź – Sp. z o.o."),
    )
    assert outward.run().outcomes == {"confirmed": 1, "refused": 1}
    assert [row["nazwa"] for row in outward.table()] == ["Łódź - Sp. z o.o."]
    (reason,) = outward.reasons()
    assert reason.startswith('nazwa: U+682A "株" (CJK UNIFIED IDEOGRAPH-682A) does not exist in cp1250')
    outward.conform(record("crm", "c0", tax_id_pl="1", legal_name="Kabushiki"))
    outward.run()
    assert outward.states() == {"confirmed": 2, "superseded": 1}


def test_a_record_at_which_the_target_breaks_off_each_time_is_refused_in_the_end_and_can_be_replayed(
    outward: Outward,
) -> None:
    outward.sql(
        """create function break_off() returns trigger language plpgsql as
            $$ begin perform pg_terminate_backend(pg_backend_pid()) where new.nazwa = 'Firm 1'; return null; end $$;
        create constraint trigger at_commit after insert on klienci deferrable initially deferred
            for each row execute function break_off()"""
    )
    _customers(outward, 3)
    rounds = 0
    while outward.run():
        rounds += 1
        outward.world.connection.execute("update ops.outbox set unknown_since = now() - interval '1 hour'")
    assert rounds == MOST_ATTEMPTS
    assert outward.states() == {"confirmed": 2, "refused": 1}
    (reason,) = outward.reasons()
    assert "it was sent 5 times" in reason
    outward.sql("drop trigger at_commit on klienci")
    assert outward.write_back().replay(a_run()) == 1
    outward.run()
    assert outward.states() == {"confirmed": 3} and len(outward.table()) == 3


def test_a_plan_above_the_limit_waits_for_another_person_and_one_below_it_does_not(outward: Outward) -> None:
    outward.target = target(approval={"above": 2})
    _customers(outward, 2)
    assert outward.run().outcomes == {"confirmed": 2}
    _customers(outward, 5)
    run = a_run()
    plan = outward.plan(run)
    with pytest.raises(Fatal, match="is not approved"):
        outward.write_back().execute(plan.plan_id, run)
    assert len(outward.table()) == 2
    answer(outward.world.url, plan.subject, "ewa", approved=True)
    assert outward.write_back().execute(plan.plan_id, run).outcomes == {"confirmed": 3}
    with pytest.raises(Fatal, match="is executed"):
        outward.write_back().execute(plan.plan_id, run)


def test_a_plan_that_a_publish_has_started_is_approved_by_anybody_who_may(outward: Outward) -> None:
    outward.target = target(approval="always")
    _customers(outward, 1)
    run = a_run()
    plan = outward.plan(run)
    asked = question_of_run(outward.world.connection, run.dag_id, run.run_id)
    with connect(as_role(outward.world.url, "onefold_approvals"), autocommit=True) as deciding:
        number, shown = asked.approval_id, asked.plan
        decide(deciding, number, approved=True, by="airflow:ewa", started_by=None, shown=shown)
    assert outward.write_back().execute(plan.plan_id, run).outcomes == {"confirmed": 1}


def test_who_has_started_the_run_does_not_approve_its_plan(outward: Outward) -> None:
    outward.target = target(approval="always")
    _customers(outward, 1)
    started = a_run()
    run = type(started)(started.dag_id, started.run_id, f"airflow:by:jan/{started.dag_id}/{started.run_id}")
    plan = outward.plan(run)
    with pytest.raises(Fatal, match="somebody else than who started"):
        answer(outward.world.url, plan.subject, "jan", approved=True)
    answer(outward.world.url, plan.subject, "ewa", approved=True)
    assert outward.write_back().execute(plan.plan_id, run).outcomes == {"confirmed": 1}


def test_an_approval_is_good_for_the_very_rows_that_were_shown(outward: Outward) -> None:
    outward.target = target(approval="always")
    _customers(outward, 1)
    run = a_run()
    plan = outward.plan(run)
    answer(outward.world.url, plan.subject, "ewa", approved=True)
    outward.world.connection.execute('update ops.write_back_plan_row set after = after || \'{"email": "x@y.pl"}\'')
    with pytest.raises(Fatal, match="Nothing was changed"):
        outward.write_back().execute(plan.plan_id, run)
    assert outward.table() == []


def test_a_plan_for_another_catalogue_file_is_not_executed(outward: Outward) -> None:
    _customers(outward, 1)
    run = a_run()
    plan = outward.plan(run)
    outward.target = target(**{"objects.partner.fields.email": {"attribute": "email", "rule": "fill_empty"}})
    with pytest.raises(Fatal, match="another one than plan"):
        outward.write_back().execute(plan.plan_id, run)


def test_rule_ask_wants_a_person_even_where_the_target_wants_none(outward: Outward) -> None:
    outward.target = target(**{"objects.partner.fields.nazwa": {"attribute": "legal_name", "rule": "ask"}})
    outward.sql("insert into klienci (nazwa, nip) values ('Theirs', '0000000000')")
    _customers(outward, 1)
    plan = outward.plan(a_run())
    assert plan.needs_approval
    shown = question_of_run(outward.world.connection, plan.dag_id, plan.run_id).plan
    assert "For a person to decide: 1," in shown


def test_the_text_that_is_approved_shows_no_personal_value(outward: Outward) -> None:
    outward.target = target(approval="always")
    outward.conform(record("crm", "c0", tax_id_pl="0000000000", legal_name="Firm", email="jan@kowalski.pl"))
    plan = outward.plan(a_run())
    shown = outward.write_back().page(plan)
    assert "email: (none) → (personal)" in shown
    assert "kowalski" not in shown


def test_a_new_plan_takes_the_place_of_one_that_was_not_executed(outward: Outward) -> None:
    _customers(outward, 1)
    run = a_run()
    first = outward.plan(run)
    outward.run()
    assert get_plan(outward.world.connection, first.plan_id).state == "superseded"
    with pytest.raises(Fatal, match="superseded"):
        outward.write_back().execute(first.plan_id, run)


def test_what_only_the_target_has_left_of_what_we_made_there_is_deleted_where_that_is_permitted(
    outward: Outward,
) -> None:
    outward.target = target(**{"objects.partner.may": ["create", "update", "delete"]})
    outward.sql("insert into klienci (nazwa, nip) values ('Theirs', '0000000009')")
    _customers(outward, 2)
    outward.run()
    outward.conform(*outward.sync())
    outward.conform(record("crm", "c0", deleted=True, tax_id_pl="0000000000", legal_name="Firm 0"))
    outward.run()
    assert sorted(row["nazwa"] for row in outward.table()) == ["Firm 1", "Theirs"]


def test_what_the_first_publish_finds_is_not_written_but_what_changes_from_then_on_and_the_rest_on_request(
    outward: Outward,
) -> None:
    outward.target = target(first_publish="skip")
    _customers(outward, 3)
    assert outward.plan() is None
    outward.conform(
        record("crm", "c1", tax_id_pl="0000000001", legal_name="Renamed"),
        record("crm", "c9", tax_id_pl="0000000009", legal_name="New"),
    )
    outward.run()
    assert [row["nazwa"] for row in outward.table()] == ["Renamed", "New"]
    assert outward.write_back().intend_all() == 2
    outward.run()
    assert [row["nazwa"] for row in outward.table()] == ["Firm 0", "Renamed", "Firm 2", "New"]


def test_every_golden_record_is_intended_on_request_and_what_agrees_is_not_written(outward: Outward) -> None:
    outward.world.conform(*(record("crm", f"c{at}", tax_id_pl=f"{at:010}", legal_name="F") for at in range(3)))
    assert outward.plan() is None
    assert outward.write_back().intend_all() == 3
    assert outward.run().outcomes == {"confirmed": 3}
    assert outward.write_back().intend_all() == 0


def test_a_plan_that_ended_long_ago_tells_which_fields_it_changed_and_no_values(outward: Outward) -> None:
    _customers(outward, 2)
    run = a_run()
    plan = outward.plan(run)
    outward.write_back().execute(plan.plan_id, run)
    connection = outward.world.connection
    assert retained(connection, days=29) == {"ops.write_back_plan_row": 0, "ops.outbox": 0}
    assert retained(connection, days=31) == {"ops.write_back_plan_row": 2, "ops.outbox": 0}
    assert [row.after for row in outward.rows(plan)] == [{"nazwa": None, "nip": None, "waluta": None}] * 2
    assert retained(connection, days=31) == {"ops.write_back_plan_row": 0, "ops.outbox": 0}
    assert connection.execute("select count(*) from ops.outbox where sent is not null").fetchone() == (0,)


def test_a_value_whose_answer_never_came_goes_from_the_outbox_and_its_record_is_found_and_not_written_again(
    outward: Outward,
) -> None:
    _customers(outward, 1)
    outward.run()
    connection = outward.world.connection
    connection.execute(
        "update ops.outbox set state = 'ambiguous', sent = %s, target_key = null,"
        " unknown_since = now() - interval '1 hour'",
        (Jsonb({"nazwa": "Firm 0", "nip": "0000000000"}),),
    )
    assert retained(connection, days=29)["ops.outbox"] == 0
    assert retained(connection, days=31)["ops.outbox"] == 1
    assert outward.run() is None
    assert outward.states() == {"confirmed": 1}
    assert len(outward.table()) == 1
    outward.conform(record("crm", "c0", tax_id_pl=f"{0:010}", legal_name="Firm 0", street="Not written"))
    assert outward.states() == {"confirmed": 1}, "the digest has stayed"


def retained(connection: psycopg.Connection, *, days: int) -> dict[str, int]:
    """What retention would empty of what is written out, and does, were it so many days later."""
    purges = record_purges(connection, TechnicalRetention(), datetime.now(UTC) + timedelta(days=days))
    return {each.subject: each.delete_batch(connection) for each in purges if each.store == "written_out"}
