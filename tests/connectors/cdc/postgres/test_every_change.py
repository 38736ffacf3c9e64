"""A stream that stores every change has each state that its rows had at the source, in their order."""

from __future__ import annotations

import itertools
import random

import pytest

from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.connectors.cdc import reader as log_reader
from onefold.privacy.suppressions import suppress_record
from onefold.retention.run import execute_retention
from onefold.warehouse.connection import connect
from tests.connectors.cdc.loaded_log import SUITE, orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_kills import STATES, change
from tests.connectors.cdc.postgres.test_loads import MADE_LARGE, at_source
from tests.connectors.cdc.postgres.test_operations import RollbackRequest, changed_by
from tests.connectors.killed_load import killed
from tests.effort import TORTURE
from tests.retention.conftest import said
from tests.roles import as_role

KILLS = 100 if TORTURE else 4
EVERY = orders(versions="every_change", rows=7)
States = dict[str, list[dict[str, object] | None]]


def states(log: Log) -> States:
    """Those that the source's own triggers have noted, from the first load on."""
    noted: States = {}
    for key, row in log.ask("select id::text, row from states order by number"):
        noted.setdefault(key, []).append(row)
    return {key: differing(rows) for key, rows in noted.items()}


def differing(rows: list[dict[str, object] | None]) -> list[dict[str, object] | None]:
    """Without what an update has left as it was: that is no change."""
    return [row for row, _ in itertools.groupby(rows)]


def changes(log: Log) -> States:
    stored: States = {}
    for key, payload, deleted in log.query(
        "select _key, _payload, _deleted from staging.test_log__order__changes"
        " order by _key, _cursor, _load_id, _number"
    ):
        row = {name: value for name, value in payload.items() if name[0] != "_"}
        stored.setdefault(key, []).append(None if deleted else row)
    return {key: differing(rows) for key, rows in stored.items()}


def test_every_change_is_stored_whole_and_in_its_order_whatever_load_is_killed(
    log: Log, monkeypatch: pytest.MonkeyPatch
):
    dice = random.Random(1)
    log.run(*MADE_LARGE, *STATES, "insert into orders select n, 'Order', large(), 1 from generate_series(1, 40) n")
    log.load(EVERY)
    for number in range(KILLS):
        for _ in range(3):
            change(log, dice, emptied=False)
        log.run(
            "update orders set amount = 7 where id = 3",
            "update orders set note = large() where id = 3",
            "update orders set amount = 8 where id = 3",
            "delete from orders where id = 3",
            "insert into orders values (3, 'Again', large(), 1)",
            "update orders set amount = 9 where id = 3",
        )
        monkeypatch.setattr(log_reader, "CHANGES", 40 if number % 2 else 10_000)
        job = log.job(EVERY)
        assert killed(job, ("gated", "committing", "published", "confirmed")[number % 4], 0)
        log.do(job)
    monkeypatch.setattr(log_reader, "CHANGES", 10_000)
    log.load(EVERY)
    stored, had = changes(log), states(log)
    assert {key: (stored.get(key), had[key]) for key in had if stored.get(key) != had[key]} == {}
    assert stored.keys() == had.keys()
    assert sum(map(len, changes(log).values())) > log.query("select count(*) from staging.test_log__order")[0][0]
    assert log.published_content() == at_source(log)


def test_changes_of_a_load_go_with_its_rollback_and_come_back_with_its_undoing(log: Log):
    log.run(*STATES, "insert into orders values (1, 'One', null, 1)")
    log.load(EVERY)
    log.run("update orders set amount = 2", "update orders set amount = 1")
    load = log.load(EVERY)
    assert (load.rows_changed, changes(log)) == (0, states(log)), "what ends as it began was there in between"
    before = changes(log)
    plan = changed_by(log, RollbackRequest((load.load_id,), reason="why"))
    assert len(changes(log)["1"]) == 1
    changed_by(log, RollbackRequest(undo=plan.rollback_id, reason="why"))
    assert changes(log) == before


def test_a_last_change_that_is_refused_is_in_quarantine_and_among_the_changes_once_it_is_replayed(log: Log):
    rule = "  - {type: expect_column_values_to_be_between, kwargs: {column: amount, min_value: 0}}\n"
    log.run(*STATES, "insert into orders values (1, 'One', null, 1)")
    log.load(EVERY)
    (log.suites / "test_log__order.yaml").write_text(SUITE + rule)
    log.run("update orders set amount = 2", "update orders set amount = -1")
    assert log.load(EVERY).rows_quarantined == 1
    assert changes(log) == {"1": states(log)["1"][:-1]}
    log.run("update orders set amount = 3")
    log.load(EVERY)
    assert [row["amount"] for row in changes(log)["1"] if row] == [1, 2, 3]


def test_retention_deletes_changes_as_it_deletes_versions(log: Log):
    log.run("insert into orders values (1, 'One', null, 1), (2, 'Two', null, 1)")
    log.load(EVERY)
    log.run("update orders set amount = 2", "update orders set amount = 3", "delete from orders where id = 2")
    log.load(EVERY)
    log.run("update orders set amount = 4", "update orders set amount = 5")
    log.load(EVERY)
    assert len(log.query("select from staging.change")) == 2 + 3 + 2
    years_pass(log)
    execute_retention(as_role(log.warehouse_url, "onefold_loader"), _catalog(EVERY), said(), "os:tester")
    assert log.query("select count(*) from staging.change where _load_id < (select max(load_id) from ops.load)") == [
        (0,)
    ]
    assert log.published() == at_source(log)


def test_what_was_erased_of_a_person_comes_back_by_no_change_and_not_by_loading_anew(log: Log):
    personal = {"name": {"type": "text", "personal": "contact"}, "note": {"required": False, "personal": "contact"}}
    system = orders(fields=personal, versions="every_change")
    with connect(log.warehouse_url, autocommit=True) as warehouse:
        (number,) = warehouse.execute(
            "insert into ops.erasure (basis, privacy_case, actor, plan) values ('wish', 'case', 'os:tester', '{}')"
            " returning erasure_id"
        ).fetchone()
        suppress_record(warehouse, number, ("test_log", "order", "1"))
    log.run(*MADE_LARGE, "insert into orders values (1, 'Secret', 'Secret' || large(), 1), (2, 'Other', null, 1)")
    log.load(system)
    log.run(
        "update orders set amount = 2 where id = 1",
        "update orders set name = 'Secret again' where id = 1",
        "update orders set amount = 3 where id = 1",
    )
    log.load(system)
    log.load(system, anew=True)
    told = changes(log)["1"]
    assert [row["amount"] for row in told if row][-1] == 3 and len(told) >= 3
    assert "Secret" not in str(told) + str(log.published()["1"])
    assert log.query("select from ops.quarantine where payload::text like '%Secret%'") == []
    assert log.published()["2"]["name"] == "Other"


def years_pass(log: Log) -> None:
    log.run_in_warehouse(
        "update ops.load set started_at = started_at - interval '9 years', ended_at = ended_at - interval '9 years',"
        " rollback_until = rollback_until - interval '9 years'",
        "with conformed as (insert into ops.publish (state, actor, mappings, ended_at)"
        " values ('published', 'os:tester', '{}', now()) returning publish_id)"
        " insert into ops.publish_load (publish_id, load_id) select publish_id, load_id from conformed, ops.load",
    )


def _catalog(system: System) -> Catalog:
    return Catalog(systems={"test_log": system}, entities={})
