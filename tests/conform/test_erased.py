"""A person who was erased is in no golden record, whatever is loaded, conformed, rolled back or replayed afterwards."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from onefold.conform.candidate import Candidate, Failure
from onefold.conform.visible_publish import switch_visible_publish
from onefold.load.ledger import Run
from onefold.privacy.values import email
from onefold.replay.ledger import open_replay
from onefold.replay.selection import Selection
from onefold.rollback.request import RollbackRequest
from onefold.warehouse.connection import connect
from tests.conform.every_stream import CATALOG, ENTITIES, Payload, Warehouse
from tests.erasure.office import Office, traces
from tests.erasure.test_nothing_brings_it_back import roll_back

STREAM = "hr.employee"
ROWS = sql.SQL("select (to_jsonb(t) - '_hash')::text from {} t order by 1")


def somebody(warehouse: Warehouse) -> tuple[str, Payload]:
    """An employee with an address and a PESEL who may sign in somewhere too: key and record."""
    users = {str(payload["mail"]).lower() for _, payload in warehouse.rows("microsoft365.user").values()}
    return next(
        (key, payload)
        for key, (_, payload) in warehouse.rows(STREAM).items()
        if len(str(payload["customPESEL"])) == 11 and str(payload["workEmail"]).lower() in users
    )


def everything(warehouse: Warehouse, without: set[str]) -> dict[str, list[str]]:
    """Every golden record in all its versions, and every staged record, but for those whose text has one of these."""
    tables = [("conformed", f"{entity.entity}_version") for entity in ENTITIES]
    tables += [("staging", "hr__employee"), ("staging", "microsoft365__user"), ("staging", "keycloak__user")]
    rows = {
        f"{schema}.{name}": [text for (text,) in warehouse.query(ROWS.format(sql.Identifier(schema, name)))]
        for schema, name in tables
    }
    return {name: [text for text in texts if not any(each in text for each in without)] for name, texts in rows.items()}


def lost(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, Counter[str]]:
    """Rows that are not there any more as they were; of others that named the person, nothing was in `before`."""
    gone = {name: Counter(texts) - Counter(after[name]) for name, texts in before.items()}
    return {name: texts for name, texts in gone.items() if texts}


def replay(office: Office) -> None:
    """What waits in quarantine of the stream, with a suite that lets all of it pass."""
    run = Run("replay", "manual__erased", "os:tester")
    with connect(office.url, autocommit=True) as connection:
        account = open_replay(connection, Selection(system="hr", stream="employee"), "why", run, office.catalog.systems)
    hr = office.stream("hr", "employee")
    hr.run(replace(hr.job([]), run=run, replay_id=account.replay_id, source=None, source_url=None))


def nobody_of_that_name(candidate: Candidate) -> list[Failure]:
    """Holds an employee back who is called so."""
    if candidate.entity != "employee":
        return []
    rows = sql.SQL("select {} from {} where last_name = 'Zażółcka'").format(
        sql.Identifier(candidate.key), sql.Identifier(candidate.schema, candidate.table)
    )
    return [Failure("last_name", "nobody is called so", critical=True, rows=rows)]


@pytest.mark.torture
def test_a_person_who_was_erased_is_in_no_golden_record_whatever_follows(
    every_stream: Warehouse, tmp_path: Path
) -> None:
    """With past versions, one that is held back, a value that is withheld and a record in quarantine. What follows: the
    same from the source, a backfill, a rollback and its undo, a replay, an older publish, all mapped anew."""
    warehouse, office = every_stream, Office(every_stream.loader, tmp_path)
    key, person = somebody(warehouse)
    second = warehouse.load(STREAM, key, {**person, "department": "Board", "mobilePhone": "Zażółcka only"})
    waits = warehouse.load(STREAM, key, {**person, "workEmail": f"ask {person['workEmail']}", "lastName": "Zażółcka"})
    before = warehouse.conform(judged=False)
    third = warehouse.load(STREAM, key, {**person, "lastName": "Zażółcka"})
    warehouse.conform(gate=nobody_of_that_name)
    needles = (str(person["workEmail"]), str(person["customPESEL"]), "Zażółcka", "zazolcka")
    assert second and waits and third and waits.rows_quarantined == 1
    held_back = sql.SQL("select from ops.held_back where entity = 'employee' and %s = any (records)")
    assert warehouse.query(held_back, f"hr|employee|{key}") != []
    found = traces(warehouse.url, needles)
    assert {f"conformed.{entity}_version: {needles[0]}" for entity in ("employee", "identity")} <= set(found)
    assert f"ops.quarantine: {needles[0]}" in found
    assert f"ops.quarantine: {needles[2]}" in found

    _, _, plan = office.plan(email(needles[0]))
    assert {each.partition("/")[0] for each in plan.golden} >= {"employee", "identity"}
    hers = {each.partition("/")[2] for each in plan.golden} | {record.split()[1] for record in plan.records}
    name = f"{person['firstName']} {person['lastName']}"
    others = everything(warehouse, {*hers, *needles, name})
    office.erase(email(needles[0]))
    assert traces(warehouse.url, needles) == []
    assert lost(others, everything(warehouse, hers)) == {}

    warehouse.load(STREAM, key, person)
    warehouse.conform(judged=False)
    rolled_back = roll_back(office, RollbackRequest(loads=(second.load_id,), reason="why"))
    warehouse.conform(judged=False)
    roll_back(office, RollbackRequest(undo=rolled_back, reason="why"))
    replay(office)
    warehouse.conform(judged=False, mapping="another")
    with connect(warehouse.loader, autocommit=True) as connection:
        switch_visible_publish(connection, before.publish_id, "os:tester")
    assert traces(warehouse.url, needles) == []
    assert lost(others, everything(warehouse, hers)) == {}
    visible = sql.SQL("select count(*), count(department) from conformed.employee where hr_number = %s")
    assert warehouse.query(visible, key) == [(1, 1)]
    warehouse.conform(judged=False, mapping="of this test")


TRADER = sql.SQL(
    "select customer_id::text, email, tax_id_pl, legal_name from conformed.customer c where krs is null"
    " and conformed.is_natural_person(legal_name, krs) and tax_id_pl is not null and legal_name is not null"
    " and 1 = (select count(*) from conformed.customer d where d.email = c.email)"
    " and exists (select from conformed.company o where o.tax_id_pl = c.tax_id_pl) order by 1 limit 1"
)


@pytest.mark.torture
def test_a_sole_traders_company_is_erased_with_them_and_so_is_what_registers_say_of_it(
    every_stream: Warehouse, tmp_path: Path
) -> None:
    """Other companies keep their names and numbers, also those whose address the trader has in common with."""
    warehouse, office = every_stream, Office(every_stream.loader, tmp_path)
    ((customer, address, number, name),) = warehouse.query(TRADER)
    _, _, plan = office.plan(email(address))
    hers = {each.partition("/")[2] for each in plan.golden} | {record.split()[1] for record in plan.records}
    assert f"customer/{customer}" in plan.golden
    assert any(each.startswith("company/") for each in plan.golden)
    others = everything(warehouse, {*hers, address, number})
    office.erase(email(address))
    warehouse.conform(judged=False, mapping="a third")
    for entity, _, golden_id in (each.partition("/") for each in plan.golden):
        if (party := CATALOG.entities[entity].own_party) is None:
            continue
        attributes = sql.SQL(", ").join(map(sql.Identifier, party.attributes))
        query = sql.SQL("select num_nonnulls({}) from conformed.{} where {}::text = %s").format(
            attributes, sql.Identifier(f"{entity}_version"), sql.Identifier(f"{entity}_id")
        )
        # A register's record is found by its number, which is its key and stays.
        least = int(any(record.split(" ", 1)[1] in (number, f"PL{number}") for record in plan.records))
        assert max(count for (count,) in warehouse.query(query, golden_id)) <= least, f"{entity}/{golden_id}"
    for record in plan.records:
        stream, key = record.split(" ", 1)
        table = sql.Identifier("staging", stream.replace(".", "__"))
        payloads = warehouse.query(sql.SQL("select _payload::text from {} where _key = %s").format(table), key)
        assert [text for (text,) in payloads if name in text] == []
    assert lost(others, everything(warehouse, {*hers, address, number})) == {}
    warehouse.conform(judged=False, mapping="of this test")
