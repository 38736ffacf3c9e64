"""Whether there is anything to load is seen without a load, and without harm to one."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from onefold.connectors.cdc.postgres import peek as peek_module
from onefold.connectors.cdc.postgres.peek import SlotPeek
from onefold.connectors.cdc.postgres.slot import LogTable, occupy
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log

SYSTEM = orders()


def checkpoints(log: Log) -> dict[str, str]:
    return dict(log.query("select partition, checkpoint from ops.stream_checkpoint where system = 'test_log'"))


def test_a_change_of_the_table_is_seen_until_it_is_published_and_other_tables_changes_are_not(log: Log) -> None:
    log.run("create table busy (text text)")
    with SlotPeek(SYSTEM, log.endpoint) as peek:
        assert not peek.has_more("order", checkpoints(log)), "nothing is published: the first load is a schedule's"
        log.load(SYSTEM)
        log.run("insert into busy select md5(n::text) from generate_series(1, 1000) n", "vacuum busy")
        assert not peek.has_more("order", checkpoints(log))
        for change in ("insert into orders values (1, 'One', null, 1)", "update orders set amount = 2",
                       "delete from orders", "truncate orders"):  # fmt: skip
            log.run(change)
            assert peek.has_more("order", checkpoints(log)), change
            assert peek.has_more("order", checkpoints(log)), "looking takes nothing out of the slot"
            log.load(SYSTEM)
            assert not peek.has_more("order", checkpoints(log)), change


def test_a_change_that_is_rolled_back_or_not_committed_yet_is_none(log: Log) -> None:
    log.load(SYSTEM)
    with SlotPeek(SYSTEM, log.endpoint) as peek, psycopg.connect(log.server.url(log.name)) as writer:
        for end, seen in ((writer.rollback, False), (writer.commit, True)):
            writer.execute("insert into orders values (1, 'One', null, 1)")
            log.run("select pg_logical_emit_message(false, 'other', 'traffic', true)")
            assert not peek.has_more("order", checkpoints(log))
            end()
            log.run("select pg_logical_emit_message(false, 'other', 'traffic', true)")
            assert peek.has_more("order", checkpoints(log)) is seen


def test_much_log_of_other_tables_starts_a_load_that_lets_the_source_forget_it(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peek_module, "MOST_LOG", 1 << 20)
    log.run("create table busy (text text)")
    log.load(SYSTEM)
    with SlotPeek(SYSTEM, log.endpoint) as peek:
        log.run("insert into busy select repeat(md5(n::text), 30) from generate_series(1, 2000) n")
        assert peek.has_more("order", checkpoints(log))
        log.load(SYSTEM)
        assert not peek.has_more("order", checkpoints(log))


def test_a_load_waits_for_a_look_to_end_and_no_look_begins_while_a_load_reads(log: Log) -> None:
    log.run("insert into orders values (1, 'One', null, 1)")
    log.load(SYSTEM)
    log.run("update orders set amount = 2")
    table = LogTable.of("test_log", "order", SYSTEM.streams["order"])
    with psycopg.connect(log.server.url(log.name)) as looking, SlotPeek(SYSTEM, log.endpoint) as peek:
        occupy(looking, table)
        assert not peek.has_more("order", checkpoints(log)), "somebody is in the slot"
        loading = threading.Thread(target=log.load, args=(SYSTEM,))
        loading.start()
        waiting = "select from pg_locks where locktype = 'advisory' and not granted"
        deadline = time.monotonic() + 20
        while not log.ask(waiting):
            assert loading.is_alive() and time.monotonic() < deadline, "the load did not wait"
            time.sleep(0.01)
        looking.rollback()
        loading.join(20)
        assert [record["amount"] for record in log.published_content().values()] == [2]
        assert not peek.has_more("order", checkpoints(log))
