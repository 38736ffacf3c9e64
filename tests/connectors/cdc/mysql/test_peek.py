"""Whether there is anything to load is seen without a load."""

from __future__ import annotations

import pytest

from onefold.connectors.cdc.mysql import peek as peek_module
from onefold.connectors.cdc.mysql.peek import BinlogPeek
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.mysql.conftest import Log

SYSTEM = orders()


def checkpoints(log: Log) -> dict[str, str]:
    return dict(log.query("select partition, checkpoint from ops.stream_checkpoint where system = 'test_log'"))


def test_a_change_of_the_table_is_seen_until_it_is_published_and_other_tables_changes_are_not(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.run("create table busy (text text)")
    with BinlogPeek(SYSTEM, log.endpoint) as peek:
        assert not peek.has_more("order", checkpoints(log)), "nothing is published: the first load is a schedule's"
        log.load(SYSTEM)
        assert not peek.has_more("order", checkpoints(log))
        for change in ("insert into orders values (1, 'One', null, 1)", "update orders set amount = 2",
                       "delete from orders", "truncate orders"):  # fmt: skip
            log.run("insert into busy values ('orders')", "flush binary logs", "create or replace table other (id int)")
            assert not peek.has_more("order", checkpoints(log))
            log.run(change)
            assert peek.has_more("order", checkpoints(log)), change
            assert peek.has_more("order", checkpoints(log)), "a look that finds something forgets nothing"
            log.load(SYSTEM)
            assert not peek.has_more("order", checkpoints(log)), change
        monkeypatch.setattr(peek_module, "MOST_LOG", 1 << 20)
        log.run("insert into busy select repeat('x', 1000) from seq_1_to_2000")
        assert peek.has_more("order", checkpoints(log)), "a load moves the position on"
