"""Replay, rollback, undo, a dry run's publish, a load in progress and a restored backup bring back nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from psycopg.conninfo import conninfo_to_dict

from onefold.erasure.lifecycle import erase_again
from onefold.errors import Fatal
from onefold.load import steps
from onefold.load.ledger import Run
from onefold.load.window import WindowRequest
from onefold.platform.postgres import Postgres
from onefold.replay.ledger import open_replay
from onefold.replay.selection import Selection
from onefold.rollback import lifecycle as rollbacks
from onefold.rollback.request import RollbackRequest
from onefold.warehouse.connection import connect
from tests.approvals import record_decision
from tests.databases import copy_database, drop_database
from tests.erasure.office import EMAIL, NAME, OTHER, Office, adam, employee, event, traces, zofia
from tests.load.shop import MORNING, pages
from tests.roles import as_role

GUESTS = [("Zofia Brzezińska", EMAIL)]


def roll_back(office: Office, request: RollbackRequest) -> int:
    run = office.run()
    planned = rollbacks.plan_rollback(office.url, office.catalog, request, run)
    record_decision(office.url, planned.rollback_id, "approver", approved=True)
    rollbacks.execute_rollback(office.url, office.catalog, planned.rollback_id, run.actor)
    return planned.rollback_id


def test_neither_a_rollback_nor_its_undo(office: Office, warehouse_url: str) -> None:
    office.load("hr.employee", zofia(), adam())
    second = office.load("hr.employee", zofia(department="Board"), adam())
    office.load("hr.employee", zofia(department="Board"), adam())
    third = office.load("hr.employee", zofia(department="Archive"), adam())
    earlier = roll_back(office, RollbackRequest(loads=(third.load_id,), reason="why"))
    office.erase()
    assert traces(warehouse_url) == []
    later = roll_back(office, RollbackRequest(loads=(second.load_id,), reason="why"))
    assert traces(warehouse_url) == []
    for rollback_id in (later, earlier):
        roll_back(office, RollbackRequest(undo=rollback_id, reason="why"))
        assert traces(warehouse_url) == []
    current = "select _payload ->> 'department' from staging.hr__employee__current where _key = '7'"
    assert office.query(current) == [("Archive",)]


def test_no_replay_of_what_waited_in_quarantine(judged_office: Office, warehouse_url: str) -> None:
    office = judged_office
    office.load("hr.employee", zofia(), adam())
    office.load("hr.employee", zofia(workEmail="no address", department=f"ask {EMAIL}"), adam())
    waiting = office.query("select count(*) from ops.quarantine where state = 'open' and attribute is null")
    assert waiting == [(1,)]
    office.erase()
    assert traces(warehouse_url) == []
    run = Run("replay", "manual__1", "os:tester")
    with connect(office.url, autocommit=True) as connection:
        account = open_replay(connection, Selection(system="hr", stream="employee"), "why", run, office.catalog.systems)
    hr = office.stream("hr", "employee")
    hr.run(replace(hr.job([]), run=run, replay_id=account.replay_id, source=None, source_url=None))
    assert traces(warehouse_url) == []


def test_no_load_that_had_passed_the_gate_before(office: Office, warehouse_url: str) -> None:
    office.load("hr.employee", zofia(), adam())
    hr = office.stream("hr", "employee")
    under_way = hr.job(pages([zofia(department="Board"), adam(department="Board")]))
    steps.land(under_way)
    steps.gate(under_way)
    office.erase()
    assert traces(warehouse_url) == []
    loaded = steps.publish(under_way)
    assert (loaded.state, loaded.rows_changed) == ("published", 2)
    assert traces(warehouse_url) == []


def test_no_migration_whose_dry_run_had_read_it(office: Office, warehouse_url: str) -> None:
    office.load("hr.employee", adam())
    hr = office.stream("hr", "employee")
    window = WindowRequest(MORNING, MORNING.replace(hour=12), exactly=True)
    waits = hr.job(pages([zofia(), adam()]), requested=window)
    steps.land(waits)
    dry = steps.dry_run(waits)
    office.erase()
    assert traces(warehouse_url) == []
    published = hr.run(hr.job([], requested=window, dry_run_load=dry.load_id))
    assert published.rows_new == 1
    assert traces(warehouse_url) == []


def test_no_backup_from_before(office: Office, warehouse_url: str, postgres: Postgres) -> None:
    """Loads and publishes are refused until it is erased again, which needs nothing but the register's copy."""
    office.load("hr.employee", zofia(), adam())
    office.load(
        "microsoft365.calendar_event",
        event("1", 1, subject="With Zofia Brzezińska", guests=GUESTS, by=("Adam Nowy", OTHER)),
    )
    backup = copy_database(postgres, conninfo_to_dict(warehouse_url)["dbname"])
    office.erase()
    restored, restored_url = Office(as_role(postgres.url(backup), "onefold_loader"), office.home), postgres.url(backup)
    assert traces(restored_url) != []
    with pytest.raises(Fatal, match=r"suppressions of .*jsonl are not in this database"):
        restored.load("hr.employee", adam(department="Board"))
    again = erase_again(restored.url, restored.catalog)  # before anybody has said that it was a restore
    assert again.records == ("hr.employee 7",)
    assert traces(restored_url) == []
    with pytest.raises(Fatal, match="older than its anchors"):
        restored.load("hr.employee", adam(department="Board"))
    (office.home / "audit" / "anchor.jsonl").unlink()  # docs/runbooks/broken-chain.md, of an older warehouse
    assert restored.load("hr.employee", zofia(), adam(department="Board")).rows_changed == 1
    assert traces(restored_url) == []
    with pytest.raises(Fatal, match="nothing to erase again"):
        erase_again(restored.url, restored.catalog)
    drop_database(postgres, backup)


def test_no_new_record_of_the_same_person(office: Office, warehouse_url: str) -> None:
    """Engaged anew, under another number: the identifier gives the person away, and all of the record is theirs."""
    office.load("hr.employee", zofia(), adam())
    office.erase()
    office.load("hr.employee", zofia(employeeId="7"), adam(), new := employee("99", *NAME, EMAIL, 0))
    assert new.key == "99"
    assert traces(warehouse_url) == []
    kept = office.query(
        "select _payload ->> 'department', _payload -> 'firstName' from staging.hr__employee where _key = '99'"
    )
    assert kept == [("Sales", None)]
