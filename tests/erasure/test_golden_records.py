"""Golden records lose the person in all their versions, and get nothing back; tests/conform/test_erased.py says it of
every entity, with whatever may follow."""

from __future__ import annotations

from onefold.conform.report import ConformReport
from onefold.conform.run import conform_with_build
from onefold.conform.visible_publish import switch_visible_publish
from onefold.load.staging import ensure_staging
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable
from tests.conform.rendered import build
from tests.erasure.office import Office, adam, traces, zofia

SEEN = "select hr_number, department, email from conformed.employee order by 1"
OTHERS = "select to_jsonb(v) from conformed.employee_version as v where hr_number = '8' order by _publish_id"


def conform(office: Office, mapping: str) -> ConformReport:
    """The employees alone; all of them anew where the mapping is another one."""
    employees = [office.catalog.entities["employee"]]
    return conform_with_build(
        office.url,
        "os:tester",
        lambda candidate: (),
        employees,
        lambda publish: build(office.url, employees, publish),
        mappings={"employee": mapping},
    )


FOUND = "select count(*) from conformed.employee_search_people('Brzezinska', 20)"


def test_they_lose_the_person_in_every_version_and_get_nothing_back(office: Office, warehouse_url: str) -> None:
    with connect(office.url, autocommit=True) as loader:
        ensure_staging(loader, StagingTable("hr", "pay"))
    office.load("hr.employee", zofia(), adam())
    first = conform(office, "one")
    office.load("hr.employee", zofia(department="Board"), adam())
    conform(office, "one")
    others = office.query(OTHERS)
    assert {"conformed.employee_version: Zofia", "mapped.hr__employee: Zofia"} <= set(traces(warehouse_url))
    assert office.query(FOUND) == [(1,)]

    office.erase()
    assert traces(warehouse_url) == []
    assert office.query(FOUND) == [(0,)]
    office.load("hr.employee", zofia(department="Archive"), adam())
    conform(office, "another")
    assert traces(warehouse_url) == []
    assert office.query(SEEN) == [("7", "Archive", None), ("8", "Sales", "adam.nowy@firma.example")]
    with connect(office.url, autocommit=True) as loader:
        switch_visible_publish(loader, first.publish_id, "os:tester")
    assert office.query(FOUND) == [(0,)], "nor by a search of an older publish"
    assert office.query(SEEN) == [("7", "Sales", None), ("8", "Sales", "adam.nowy@firma.example")]
    assert office.query(OTHERS)[: len(others)] == others
