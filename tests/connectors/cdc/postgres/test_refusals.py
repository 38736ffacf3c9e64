"""What the source lacks or has lost: each says what to do, and neither the source nor what is published changes."""

from __future__ import annotations

import re
from contextlib import closing

import psycopg
import pytest
from psycopg.pq import ExecStatus

from onefold.catalog.reader import Catalog
from onefold.errors import Fatal, Retriable
from onefold.load import steps
from onefold.load.ledger import Run
from onefold.platform.postgres import Postgres
from onefold.rollback.lifecycle import execute_rollback, plan_rollback
from onefold.rollback.request import RollbackRequest
from tests.approvals import record_decision
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_loads import at_source

SLOT = "onefold_test_log_order"


def refused(log: Log, error: type[Exception] = Fatal, **more: object) -> str:
    with pytest.raises(error) as raised:
        steps.land(log.job(orders(**more)))
    return str(raised.value)


def remedy(message: str, starts: str) -> str:
    """The SQL that a message names."""
    found = re.search(rf"{starts}[^;]*;", message)
    assert found, message
    return found[0]


def slots(log: Log) -> int:
    return log.ask("select count(*)::int from pg_replication_slots where database = current_database()")[0][0]


@pytest.mark.parametrize(
    ("broken", "starts"),
    [
        ("alter role log_reader noreplication", "ALTER ROLE"),
        ("alter table orders drop constraint orders_pkey", "ALTER TABLE [^;]* ADD PRIMARY"),
        ("alter table orders replica identity nothing", "ALTER TABLE [^;]* REPLICA"),
        ("alter table orders set unlogged", "ALTER TABLE"),
        ("alter table orders owner to postgres", "GRANT SELECT"),
        ("alter table orders owner to postgres; grant select on orders to log_reader", "CREATE PUBLICATION"),
        (f"create publication {SLOT}", "ALTER PUBLICATION"),
    ],
)
def test_what_the_source_lacks_is_named_with_the_sql_that_mends_it_and_nothing_was_changed(
    log: Log, broken: str, starts: str
):
    log.run("insert into orders values (1, 'One', null, 1)", *broken.split("; "))
    try:
        message = refused(log)
        assert slots(log) == 0
        log.run(remedy(message, starts).replace('"orders"', "orders"))
        if "GRANT" in starts:
            log.run("alter table orders owner to log_reader")
        log.load(orders())
    finally:
        log.run("alter role log_reader replication")
    assert log.published() == at_source(log)


def test_everything_that_is_missing_is_named_at_once(log: Log):
    log.run("alter table orders drop constraint orders_pkey", "alter table orders owner to postgres")
    message = refused(log)
    assert all(words in message for words in ("REPLICA IDENTITY", "GRANT SELECT", "CREATE PUBLICATION"))


def test_a_table_that_is_not_there_is_named(log: Log):
    assert "there is no table" in refused(log, request={"table": "shop.ordres"})


def test_a_slot_that_nothing_published_comes_from_is_left_alone(log: Log):
    log.run(f"select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
    message = refused(log)
    assert "If another Onefold reads it" in message
    assert slots(log) == 1
    log.load(orders(request={"table": "orders", "slot": "mine"}))
    log.load(orders(), anew=True)
    assert slots(log) == 2


def test_a_slot_that_somebody_else_holds_is_waited_for(log: Log):
    log.run("insert into orders values (1, 'One', null, 1)")
    log.load(orders())
    arguments = psycopg.conninfo.conninfo_to_dict(log.server.url(log.name))
    with closing(psycopg.connect(**arguments, replication="database", autocommit=True)) as other:
        start = f"START_REPLICATION SLOT {SLOT} LOGICAL 0/0 (proto_version '1', publication_names '{SLOT}')"
        assert other.pgconn.exec_(start.encode()).status == ExecStatus.COPY_BOTH
        assert "is being read by the server's process" in refused(log, Retriable)


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (f"select pg_drop_replication_slot('{SLOT}')", "is gone"),
        (f"select pg_replication_slot_advance('{SLOT}', pg_current_wal_lsn())", "has moved the replication slot"),
    ],
)
def test_changes_that_are_lost_stop_the_stream_until_it_is_loaded_anew(log: Log, lost: str, why: str):
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 5) n")
    log.load(orders())
    log.run("update orders set name = 'Changed' where id = 1", "delete from orders where id = 2", lost)
    before = log.published()
    message = refused(log)
    assert why in message
    assert log.published() == before
    assert refused(log) == message
    log.load(orders(), anew=True)
    assert log.published() == at_source(log)
    log.run("insert into orders values (6, 'Six', null, 1)")
    log.load(orders())
    assert log.published() == at_source(log)


def test_a_slot_made_anew_under_the_same_name_is_noticed(log: Log):
    log.load(orders())
    log.run(f"select pg_drop_replication_slot('{SLOT}')", "insert into orders values (1, 'Lost', null, 1)")
    log.run(f"select pg_create_logical_replication_slot('{SLOT}', 'pgoutput')")
    assert "has moved the replication slot" in refused(log)


@pytest.mark.parametrize(
    ("altered", "fields"),
    [("add note2 text default 'x'", {"note2": "text"}), ("alter amount type text", {"amount": "text"})],
)
def test_a_table_that_was_altered_is_not_guessed_at(log: Log, altered: str, fields: dict[str, str]):
    log.run("insert into orders values (1, 'One', null, 1)")
    log.load(orders())
    log.run("update orders set name = 'Two'")
    log.load(orders())
    log.run(f"alter table orders {altered}", "insert into orders (id, name) values (2, 'Two')")
    assert "the table was altered" in refused(log, fields=fields)
    log.load(orders(fields=fields), anew=True)
    assert log.published() == at_source(log)


def test_a_source_that_is_down_is_retriable(log: Log, log_server: Postgres):
    log.load(orders())
    log_server.stop()
    try:
        assert "nothing was changed here" in refused(log, Retriable)
    finally:
        log_server.start()


def test_a_rollback_says_that_the_source_does_not_tell_the_changes_again_and_forgets_how_far_behind_it_was(log: Log):
    log.run("insert into orders values (1, 'One', null, 1)")
    log.load(orders())
    log.run("insert into orders values (2, 'Two', null, 1)")
    load = log.load(orders())
    catalog = Catalog(systems={"test_log": orders()}, entities={})
    run = Run("rollback", "manual__1", "airflow:by:engineer/rollback/manual__1")
    plan = plan_rollback(log.warehouse_url, catalog, RollbackRequest((load.load_id,), reason="why"), run)
    assert "bin/onefold sync test_log --anew order" in plan.text
    assert log.query("select count(*) from ops.stream_lag") == [(1,)]
    record_decision(log.warehouse_url, plan.rollback_id, "approver", approved=True)
    execute_rollback(log.warehouse_url, catalog, plan.rollback_id, run.actor)
    assert log.query("select count(*) from ops.stream_lag") == [(0,)]
