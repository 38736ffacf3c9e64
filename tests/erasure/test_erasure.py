"""A person who was erased is nowhere in the warehouse any more, comes in no more, and nobody else loses anything."""

from __future__ import annotations

import json

import pytest

from onefold.erasure.lifecycle import execute_erasure, turn_down_erasure
from onefold.errors import Fatal
from onefold.privacy.values import email, pesel
from onefold.warehouse.connection import connect
from tests.anchors import anchor_what_is_lost
from tests.approvals import answer
from tests.erasure.office import EMAIL, NAME, OTHER, PESEL, Office, adam, employee, event, traces, zofia

GUESTS = [("Zofia Brzezińska", EMAIL), ("Adam Nowy", OTHER)]


def fill(office: Office) -> None:
    """Zofia stands in her own record, in Adam's calendar in three ways, and in quarantine."""
    office.load("hr.employee", zofia(), adam())
    office.load(
        "microsoft365.calendar_event",
        event("1", 1, subject="Budget with Zofia Brzezińska", guests=GUESTS, by=("Adam Nowy", OTHER)),
        event("2", 2, subject="Plans", guests=[], by=("BRZEZIŃSKA, Zofia", EMAIL.upper())),
        event("3", 3, subject="Nothing of hers", guests=[("Adam Nowy", OTHER)], by=("Adam Nowy", OTHER)),
    )


def test_nothing_of_the_person_is_left_and_nobody_else_loses_anything(office: Office, warehouse_url: str) -> None:
    fill(office)
    assert len(traces(warehouse_url)) > 3
    others = office.query("select _payload from staging.hr__employee where _key = '8'")
    plan = office.erase()
    assert traces(warehouse_url) == []
    assert plan.records == ("hr.employee 7",)
    assert office.query("select _payload from staging.hr__employee where _key = '8'") == others
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
    fill(office)
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


def test_the_same_again_makes_no_version(office: Office) -> None:
    fill(office)
    office.erase()
    again = office.load("hr.employee", zofia(), adam())
    assert (again.rows_new, again.rows_changed, again.rows_quarantined) == (0, 0, 0)


def test_the_plan_counts_rows_and_fields_and_names_no_value(office: Office) -> None:
    fill(office)
    run, _, plan = office.plan(email(EMAIL), pesel(PESEL))
    text = plan.text + json.dumps(plan.as_json())
    assert not [trace for trace in (EMAIL, PESEL, "Zofia", "Brzezińska", "601222333") if trace.lower() in text.lower()]
    table = plan.tables["staging.microsoft365__calendar_event"]
    assert (table.own_rows, table.other_rows) == (0, 2)
    assert table.fields == {"subject": 1, "attendees": 1, "organizer_email": 1, "organizer_name": 1}
    with pytest.raises(Fatal, match="not approved"):
        execute_erasure(office.url, office.catalog, run)


def test_the_case_is_destroyed_and_the_key_is_nobody_elses(office: Office) -> None:
    fill(office)
    office.erase()
    assert list((office.home / "privacy" / "cases").iterdir()) == []
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in (office.home / "privacy").glob("*.*")} == {
        "hmac.key": "0o600",
        "suppressions.jsonl": "0o600",
    }
    kinds = office.query("select kind, count(*) from ops.suppression group by 1 order by 1")
    assert kinds == [("email", 1), ("name", 1), ("pesel", 1), ("phone", 1), ("record", 1)]


def test_nobody_approves_their_own_erasure(office: Office) -> None:
    fill(office)
    _, number, _ = office.plan()
    with pytest.raises(Fatal, match="somebody else"):
        answer(office.url, f"erasure:{number}", "engineer", approved=True)


def test_what_is_erased_is_what_was_approved(office: Office) -> None:
    """A record that has become the person's since would be somebody's whom nobody has approved."""
    fill(office)
    run, number, _ = office.plan()
    answer(office.url, f"erasure:{number}", "approver", approved=True)
    office.load("hr.employee", zofia(), adam(), employee("99", *NAME, EMAIL, 0))
    with pytest.raises(Fatal, match="something else than was approved"):
        execute_erasure(office.url, office.catalog, run)


def test_the_text_of_another_erasure_approves_nothing(office: Office) -> None:
    """Somebody with the loader's password asks about Zofia's case with the text of Adam's, which waits."""
    fill(office)
    _, other, _ = office.plan(email(OTHER))
    run, number, _ = office.plan()
    about = "select plan, content_sha256 from ops.approval where subject = %s"
    with connect(office.url, autocommit=True) as loader:
        ((harmless, _),) = loader.execute(about, (f"erasure:{other}",)).fetchall()
        ((_, content),) = loader.execute(about, (f"erasure:{number}",)).fetchall()
        loader.execute(
            "select audit.ask_approval('airflow:x', %s, 'erase', %s, 'airflow:piotr', %s, %s)",
            (f"erasure:{number}", run.run_id, harmless, content),
        )
    answer(office.url, f"erasure:{number}", "approver", approved=True)
    with pytest.raises(Fatal, match="the text that was approved is about something else"):
        execute_erasure(office.url, office.catalog, run)
    assert office.query("select state from ops.erasure order by erasure_id") == [("planned",), ("planned",)]


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


def test_an_erasure_that_is_turned_down_knows_nobody_any_more(office: Office) -> None:
    fill(office)
    run, number, _ = office.plan()
    answer(office.url, f"erasure:{number}", "approver", approved=False)
    turn_down_erasure(office.url, number, "airflow:approver")
    assert list((office.home / "privacy" / "cases").iterdir()) == []
    with pytest.raises(Fatal, match="is refused"):
        execute_erasure(office.url, office.catalog, run)
