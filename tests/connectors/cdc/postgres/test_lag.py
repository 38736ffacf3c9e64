"""How far a stream is behind its source's log is known after each look, whatever becomes of the load."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from onefold.commands.report_text import lag_lines
from onefold.connectors.cdc import reader
from onefold.connectors.cdc.postgres.position import Lsn
from onefold.errors import Rejected
from onefold.insight.streams import StreamStatus, stream_statuses
from onefold.reconcile.lag_alerts import check_lag
from onefold.warehouse.connection import connect
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.connectors.cdc.postgres.test_loads import at_source as orders_at_source

WRITE_LOG = "insert into busy select repeat(md5(n::text), 30) from generate_series(1, 4000) n"
"""About 4 MiB of log that is not of the stream's table."""
SYSTEM = orders()
SYSTEM = SYSTEM.model_copy(update={"limits": SYSTEM.limits.model_copy(update={"retained_log_mib": 2})})


def status_of(log: Log) -> StreamStatus:
    with connect(log.warehouse_url) as connection:
        (status,) = stream_statuses(connection, {"test_log": SYSTEM})
    return status


def at_source(log: Log) -> tuple[str, int, int]:
    """The position that the source was told, the log from there to the look's end, and what it keeps up to that."""
    lag = status_of(log).lag
    assert lag is not None
    ((confirmed, kept_from),) = log.ask(
        "select confirmed_flush_lsn::text, restart_lsn::text from pg_replication_slots"
        " where database = current_database()"
    )
    end = Lsn.parse(lag.log_end).value
    return confirmed, end - Lsn.parse(confirmed).value, end - Lsn.parse(kept_from).value


def alert_states(log: Log) -> list[tuple[str, bool]]:
    with connect(log.warehouse_url, autocommit=True) as connection:
        check_lag(connection, "os:tester", SYSTEM, "order")
    return log.query("select kind, resolved_at is null from ops.alert where subject = 'test_log.order'")


def test_after_each_load_the_lag_is_what_the_source_says_of_its_slot(log: Log) -> None:
    log.run("insert into orders values (1, 'One', null, 1)", "create table busy (text text)")
    for _ in range(2):
        log.load(SYSTEM)
        lag = status_of(log).lag
        assert lag is not None and (lag.position, lag.lag_bytes, lag.retained_bytes) == at_source(log)
        log.run("update orders set amount = amount + 1", WRITE_LOG)


def test_a_load_that_the_gate_refuses_leaves_the_lag_that_it_saw_and_an_alert_that_resolves_itself(log: Log) -> None:
    log.run(
        "insert into orders select n, 'Order', null, 1 from generate_series(1, 30) n", "create table busy (text text)"
    )
    log.load(SYSTEM)
    before = at_source(log)[0]
    assert alert_states(log) == []
    log.run("truncate orders", WRITE_LOG)
    with pytest.raises(Rejected):
        log.load(SYSTEM)
    status = status_of(log)
    lag = status.lag
    assert lag is not None and (lag.position, lag.lag_bytes, lag.retained_bytes) == at_source(log)
    assert lag.position == before and lag.lag_bytes > 3 << 20
    assert lag.lag_seconds is not None and 0 < lag.lag_seconds < 60
    assert alert_states(log) == [("retained_log", True)]
    (line,) = lag_lines([status])
    assert f"Log of test_log.order: {lag.lag_bytes / 2**20:.1f} MiB to read after {before}, behind for 0.0 h" in line
    assert asdict(status)["lag"]["retained_bytes"] == lag.retained_bytes
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 30) n")
    for _ in range(3):
        log.run("checkpoint")
        log.load(SYSTEM)
    assert alert_states(log) == [("retained_log", False)]


def test_a_load_ends_with_the_transaction_in_which_it_has_read_enough_and_the_next_goes_on(
    log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "onefold")
    log.load(SYSTEM)
    log.run(
        "do $$ begin for part in 0..4 loop insert into orders select part * 30 + n, 'Order', null, 1"
        " from generate_series(1, 30) n; commit; end loop; end $$"
    )
    monkeypatch.setattr(reader, "CHANGES", 50)
    first = log.load(SYSTEM)
    status = status_of(log)
    lag = status.lag
    assert first.rows_read == 60 and len(log.published()) == 60
    assert lag is not None and (lag.position, lag.lag_bytes, lag.retained_bytes) == at_source(log)
    assert lag.lag_bytes > 90 * 20 and lag.lag_seconds is not None and lag.lag_seconds > 0
    assert f"the load ends at {lag.position}, after 50 messages" in caplog.text
    ((committed,),) = log.ask("select max(pg_xact_commit_timestamp(xmin)) from orders where id <= 60")
    assert first.window_end == status.current_as_of == committed, "what was not read does not pass for fresh"
    assert [log.load(SYSTEM).rows_read for _ in range(3)] == [60, 30, 0]
    assert log.published() == orders_at_source(log)
    assert status_of(log).current_as_of > committed
