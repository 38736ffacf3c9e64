"""A person who was erased is nowhere in the warehouse any more, comes in no more, and nobody else loses anything."""

from __future__ import annotations

import json

import pytest

from onefold.erasure.lifecycle import execute_erasure, turn_down_erasure
from onefold.errors import Fatal
from onefold.platform.postgres import Postgres
from onefold.privacy.values import email, pesel
from onefold.warehouse.connection import connect
from tests.anchors import anchor_what_is_lost
from tests.approvals import answer
from tests.erasure.conftest import GUESTS, Copies
from tests.erasure.office import EMAIL, NAME, OTHER, PESEL, Office, adam, employee, event, traces, zofia


def test_nothing_of_the_person_is_left_and_nobody_else_loses_anything(
    filled_office: Copies, erased_office: Copies, postgres: Postgres
) -> None:
    office, before = erased_office.original, filled_office.original
    assert len(traces(postgres.url(before.database))) > 3
    assert traces(postgres.url(office.database)) == []
    assert erased_office.plan is not None
    assert erased_office.plan.records == ("hr.employee 7",)
    others = "select _payload from staging.hr__employee where _key = '8'"
    assert office.query(others) == before.query(others)
    ((hers,),) = office.query("select _payload from staging.hr__employee where _key = '7'")
    assert {name: value for name, value in hers.items() if value is not None} == {
        "employeeId": "7",
        "employeeNumber": "N7",
        "status": "Active",
        "department": "Sales",
    }
    events = dict(office.query("select _payload ->> 'id', _payload from staging.microsoft365__calendar_event"))
    assert events["1"]["subject"] == "Budget with [erased]"
    assert [guest["emailAddress"] for guest in events["1"]["attendees"]] == [
        {"name": None, "address": None},
        {"name": "Adam Nowy", "address": OTHER},
    ]
    assert events["2"]["organizer"] == {"emailAddress": {"name": None, "address": None}}
    assert events["3"]["subject"] == "Nothing of hers"


def test_what_the_source_sends_again_arrives_without_what_was_erased(judged_office: Office, warehouse_url: str) -> None:
    """Its suite demands an address, but does not judge a person who was erased."""
    office = judged_office
    office.load("hr.employee", zofia(), adam())
    office.erase()
    again = office.load("hr.employee", zofia(department="Board"), adam())
    assert (again.rows_changed, again.rows_quarantined) == (1, 0)
    office.load(
        "microsoft365.calendar_event",
        event("4", 4, subject="Again: Brzezińska Zofia, 601-222-333", guests=GUESTS, by=("Adam Nowy", OTHER)),
    )
    assert traces(warehouse_url) == []
    current = "select _payload ->> 'department', _payload -> 'workEmail' from staging.hr__employee__current"
    assert office.query(f"{current} where _key = '7'") == [("Board", None)]
    assert office.query(
        "select _payload ->> 'subject' from staging.microsoft365__calendar_event__current where _payload ->> 'id' = '4'"
    ) == [("Again: [erased], [erased]",)]


def test_the_same_again_makes_no_version(erased: Office) -> None:
    again = erased.load("hr.employee", zofia(), adam())
    assert (again.rows_new, again.rows_changed, again.rows_quarantined) == (0, 0, 0)


def test_the_plan_counts_rows_and_fields_and_names_no_value(filled: Office) -> None:
    run, _, plan = filled.plan(email(EMAIL), pesel(PESEL))
    text = plan.text + json.dumps(plan.as_json())
    assert not [trace for trace in (EMAIL, PESEL, "Zofia", "Brzezińska", "601222333") if trace.lower() in text.lower()]
    table = plan.tables["staging.microsoft365__calendar_event"]
    assert (table.own_rows, table.other_rows) == (0, 2)
    assert table.fields == {"subject": 1, "attendees": 1, "organizer_email": 1, "organizer_name": 1}
    with pytest.raises(Fatal, match="not approved"):
        execute_erasure(filled.url, filled.catalog, run)


def test_the_case_is_destroyed_and_the_key_is_nobody_elses(erased_office: Copies) -> None:
    office = erased_office.original
    assert list((office.home / "privacy" / "cases").iterdir()) == []
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in (office.home / "privacy").glob("*.*")} == {
        "hmac.key": "0o600",
        "suppressions.jsonl": "0o600",
    }
    kinds = office.query("select kind, count(*) from ops.suppression group by 1 order by 1")
    assert kinds == [("email", 1), ("name", 1), ("pesel", 1), ("phone", 1), ("record", 1)]


def test_nobody_approves_their_own_erasure(filled: Office) -> None:
    _, number, _ = filled.plan()
    with pytest.raises(Fatal, match="somebody else"):
        answer(filled.url, f"erasure:{number}", "engineer", approved=True)


def test_what_is_erased_is_what_was_approved(filled: Office) -> None:
    """A record that has become the person's since would be somebody's whom nobody has approved."""
    run, number, _ = filled.plan()
    answer(filled.url, f"erasure:{number}", "approver", approved=True)
    filled.load("hr.employee", zofia(), adam(), employee("99", *NAME, EMAIL, 0))
    with pytest.raises(Fatal, match="something else than was approved"):
        execute_erasure(filled.url, filled.catalog, run)


def test_the_text_of_another_erasure_approves_nothing(filled: Office) -> None:
    """Somebody with the loader's password asks about Zofia's case with the text of Adam's, which waits."""
    _, other, _ = filled.plan(email(OTHER))
    run, number, _ = filled.plan()
    about = "select plan, content_sha256 from ops.approval where subject = %s"
    with connect(filled.url, autocommit=True) as loader:
        ((harmless, _),) = loader.execute(about, (f"erasure:{other}",)).fetchall()
        ((_, content),) = loader.execute(about, (f"erasure:{number}",)).fetchall()
        loader.execute(
            "select audit.ask_approval('airflow:x', %s, 'erase', %s, 'airflow:piotr', %s, %s)",
            (f"erasure:{number}", run.run_id, harmless, content),
        )
    answer(filled.url, f"erasure:{number}", "approver", approved=True)
    with pytest.raises(Fatal, match="the text that was approved is about something else"):
        execute_erasure(filled.url, filled.catalog, run)
    assert filled.query("select state from ops.erasure order by erasure_id") == [("planned",), ("planned",)]


def test_a_warehouse_older_than_its_anchors_is_left_as_it_is(office: Office) -> None:
    """Also by the first of several transactions, before the one with the event."""
    office.load("hr.employee", zofia(), adam())
    run, number, _ = office.plan()
    answer(office.url, f"erasure:{number}", "approver", approved=True)
    anchor_what_is_lost()
    with pytest.raises(Fatal, match="older than its anchors"):
        execute_erasure(office.url, office.catalog, run)
    assert office.query("select count(*) from staging.hr__employee e where e::text like '%zofia.brz%'") == [(1,)]
    assert office.query("select count(*) from ops.suppression") == [(0,)]


def test_an_erasure_that_is_turned_down_knows_nobody_any_more(filled: Office) -> None:
    run, number, _ = filled.plan()
    answer(filled.url, f"erasure:{number}", "approver", approved=False)
    turn_down_erasure(filled.url, number, "airflow:approver")
    assert list((filled.home / "privacy" / "cases").iterdir()) == []
    with pytest.raises(Fatal, match="is refused"):
        execute_erasure(filled.url, filled.catalog, run)
