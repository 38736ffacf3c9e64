"""What somebody typed into a recorded statement goes with the person whom it names; the audit chain stays whole."""

from __future__ import annotations

import psycopg
import pytest
from click.testing import CliRunner

from onefold.audit import entries_from_database, verify
from onefold.commands.sql import sql
from onefold.insight.reads import recorded_reads
from onefold.privacy.direct_reads import collect_direct_reads
from tests.erasure.office import EMAIL, Office, adam, traces, zofia
from tests.roles import as_role

TYPED = (f"select 1 where email = {EMAIL}", "select 1 as brzezińska_zofia", "select 1 as zofia", "select 1 as adam")
DIRECT = "select first_name as brzezinska_ from conformed.employee"
SALTED = "select encode(name, 'hex'), encode(sha256, 'hex'), text from audit.statement order by text"


def test_a_statement_in_which_the_person_stands_is_forgotten_and_the_chain_verifies(
    office: Office, warehouse_url: str
) -> None:
    office.load("hr.employee", zofia(), adam())
    for query in TYPED:
        CliRunner(env={"ONEFOLD_WAREHOUSE_URL": as_role(warehouse_url, "onefold_analyst")}).invoke(sql, [query])
    with psycopg.connect(warehouse_url) as connection:
        connection.execute(DIRECT)
    collect_direct_reads(office.url, office.catalog, "os:tester")
    with psycopg.connect(warehouse_url) as connection:
        connection.execute(f"{DIRECT} as zofia")  # PostgreSQL has counted it, and nobody has recorded it yet
    before = office.query(SALTED)
    assert [row for row in before if EMAIL in row[2]] != []
    named = "select subject from audit.event where action in ('read.begin', 'read.statements')"
    subjects = [subject for (subject,) in office.query(named)]
    assert {f"statement:{name}" for name, *_ in before} == set(subjects)

    plan = office.erase()
    assert plan.tables["audit.statement"].other_rows == 5
    assert traces(warehouse_url) == []
    kept = [text for *_, text in office.query(SALTED) if text is not None]
    assert [row for row in before if row[2] in kept] == [row for row in before if row[2].endswith("adam")]
    named_by = {subject for (subject,) in office.query("select subject from audit.event")}
    for name, plain, _ in before:  # the events name nothing that could be computed from a guess at the text
        assert name != plain
        assert f"statement:{plain}" not in named_by
    with psycopg.connect(office.url) as connection:
        assert verify(entries_from_database(connection)).ok
        shown = recorded_reads(connection).rows
    assert [each.statement for each in shown if each.how == "direct"] == ["forgotten by erasure 1"] * 2
    (event,) = office.query("select payload from audit.event where action = 'audit.forget'")
    assert event == ({"statements": 5},)


def test_no_statement_is_forgotten_without_an_erasure_that_is_being_executed(office: Office) -> None:
    office.load("hr.employee", zofia(), adam())
    _, number, _ = office.plan()
    for query in (f"select audit.forget_statements({number}, '{{}}', 'os:x')", "update audit.statement set text = ''"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            office.query(query)
