"""What the source lacks or has lost: each says what to do, and neither the source nor what is published changes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest
from psycopg.pq import ExecStatus

from onefold.errors import Fatal, Retriable
from onefold.load import steps
from onefold.platform.postgres import Postgres
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


def wait_until(holds: Callable[[], bool]) -> None:
    """Until a setting that was reloaded holds, for some seconds at most."""
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


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
        (f"create publication {SLOT} for table orders where (amount > 5)", "ALTER PUBLICATION"),
        (f"create publication {SLOT} for table orders (id, name)", "ALTER PUBLICATION"),
        (f"create publication {SLOT} for table orders with (publish = 'insert')", "ALTER PUBLICATION"),
        ("alter table orders enable row level security; alter table orders force row level security", "ALTER ROLE"),
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
        log.run("alter role log_reader replication nobypassrls")
    assert log.published() == at_source(log)


@pytest.mark.parametrize(
    ("setting", "bad"), [("max_slot_wal_keep_size", "64MB"), ("idle_replication_slot_timeout", "100min")]
)
def test_settings_that_drop_a_slot_between_two_loads_are_named_with_the_sql_that_mends_them(
    log: Log, setting: str, bad: str
):
    def reload(statement: str, shown: str) -> None:
        log.run(statement, "select pg_reload_conf()")
        wait_until(lambda: log.ask(f"show {setting}") == [(shown,)])

    before = log.ask(f"show {setting}")[0][0]
    try:
        reload(f"alter system set {setting} = '{bad}'", bad)
        mend = remedy(refused(log), f"ALTER SYSTEM SET {setting}")
        assert slots(log) == 0
        reload(mend, {"max_slot_wal_keep_size": "2GB", "idle_replication_slot_timeout": "2h"}[setting])
        log.load(orders())
    finally:
        reload(f"alter system reset {setting}", before)


def test_a_partitioned_table_needs_the_identity_of_each_partition_and_is_read_as_one(log: Log):
    log.run(
        "drop table orders",
        "create table orders (id int, name text not null, note text, amount numeric(12, 2)) partition by range (id)",
        "create table orders_1 partition of orders for values from (0) to (100)",
        "create table orders_2 partition of orders (primary key (id)) for values from (100) to (200)",
        *(f"alter table {each} owner to log_reader" for each in ("orders", "orders_1", "orders_2")),
        "insert into orders values (1, 'One', null, 1), (101, 'Two', null, 1)",
    )
    message = refused(log)
    assert "orders_2" not in message
    log.run(remedy(message, "ALTER TABLE [^;]* ADD PRIMARY"))
    log.load(orders())
    log.run("create table orders_3 partition of orders (primary key (id)) for values from (200) to (300)")
    log.run("update orders set amount = 2", "insert into orders values (201, 'New', null, 1)")
    log.run("update orders set id = 102 where id = 1", "delete from orders where id = 101")
    log.load(orders())
    assert log.published() == at_source(log)


def test_a_computed_column_is_read_where_it_is_stored_and_refused_where_the_log_never_has_it(log: Log):
    log.run(
        "alter table orders add gross numeric generated always as (amount * 2) stored",
        "alter table orders add net numeric generated always as (amount / 2) virtual",
        "insert into orders (id, name, amount) values (1, 'One', 1)",
    )
    gross = {"gross": {"type": "numeric", "required": False}}
    assert "take it out of the stream's fields" in refused(log, fields=gross | {"net": "numeric"})
    log.load(orders(fields=gross))
    log.run("update orders set amount = 5", "insert into orders (id, name, amount) values (2, 'Two', 3)")
    log.load(orders(fields=gross))
    assert {key: row["gross"] for key, row in log.published().items()} == {"1": 10, "2": 6}
    log.run(f"alter publication {SLOT} set (publish_generated_columns = none)", "update orders set amount = 6")
    assert "gross is dropped, renamed or not published" in refused(log, fields=gross)


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
    [
        ("add note2 text default 'x'", {"note2": "text"}),
        ("alter amount type text", {"amount": "text"}),
        ("alter amount type numeric(12, 1)", {}),
        ("rename note to remark", {"note": None, "remark": {"type": "text", "required": False}}),
        ("drop note", {"note": None}),
    ],
)
def test_a_table_that_was_altered_is_not_guessed_at(log: Log, altered: str, fields: dict[str, object]):
    log.run("insert into orders values (1, 'One', null, 1.25)")
    log.load(orders())
    log.run(f"alter table orders {altered}", "insert into orders (id, name) values (2, 'Two')")
    before = orders(fields={name: kind for name, kind in fields.items() if kind})
    with pytest.raises(Fatal, match="the table was altered"):
        steps.land(log.job(before))
    log.load(orders(fields=fields), anew=True)
    assert log.published() == at_source(log)


def test_what_is_altered_without_changing_what_the_stream_reads_is_no_matter(log: Log):
    log.run("insert into orders values (1, 'One', null, 1)")
    log.load(orders())
    log.run("alter table orders add other text default 'x'", "alter table orders alter amount type numeric(14, 2)")
    log.run("update orders set amount = 2")
    log.load(orders())
    assert log.published()["1"]["amount"] == 2


def test_a_source_that_is_down_is_retriable(log: Log, log_server: Postgres):
    log.load(orders())
    log_server.stop()
    try:
        assert "nothing was changed here" in refused(log, Retriable)
    finally:
        log_server.start()
