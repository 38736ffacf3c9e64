"""How far a stream is behind its source's log is known after each look, whatever becomes of the load."""

from __future__ import annotations

import pytest

from onefold.connectors.cdc import reader
from onefold.connectors.cdc.mysql.position import Position
from onefold.errors import Rejected
from onefold.insight.streams import StreamStatus, stream_statuses
from onefold.warehouse.connection import connect
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.mysql.conftest import Log


def status_of(log: Log) -> StreamStatus:
    with connect(log.warehouse_url) as connection:
        (status,) = stream_statuses(connection, {"test_log": orders()})
    return status


def test_a_load_that_the_gate_refuses_leaves_the_lag_that_it_saw_across_files(log: Log):
    log.run("insert into orders select seq, 'Order', null, 1 from seq_1_to_30", "create table busy (text text)")
    log.load(orders())
    log.run("truncate orders", "insert into busy select repeat('x', 1000) from seq_1_to_2000", "flush binary logs")
    log.run("insert into busy select repeat('x', 1000) from seq_1_to_1000")
    with pytest.raises(Rejected):
        log.load(orders())
    lag = status_of(log).lag
    assert lag is not None and lag.lag_bytes is not None
    assert lag.position == str(log.position()) and Position.parse(lag.log_end).number == log.position().number + 1
    assert 3_000_000 < lag.lag_bytes < 3_300_000
    assert lag.lag_seconds is not None and 0 < lag.lag_seconds < 3600 and lag.retained_bytes is None


def test_a_load_ends_with_the_transaction_in_which_it_has_read_enough_and_the_next_goes_on(
    log: Log, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", "onefold")
    before = log.load(orders())
    add = "insert into orders select seq, 'Order', null, 1 from seq_{}"
    log.run(*map(add.format, ("0_to_29", "30_to_59", "60_to_89", "90_to_119", "120_to_149")))
    monkeypatch.setattr(reader, "CHANGES", 50)
    first = log.load(orders())
    lag = status_of(log).lag
    assert first.rows_read == 60 and len(log.published()) == 60
    assert lag is not None and lag.lag_bytes and lag.lag_seconds is not None
    assert f"the load ends at {lag.position}, after 50 changes" in caplog.text
    # The log counts whole seconds, so that its time may be some milliseconds before the first load's.
    assert max(before.window_end, first.window_end) == status_of(log).current_as_of, "what was not read is not fresh"
    assert [log.load(orders()).rows_read for _ in range(3)] == [60, 30, 0]
    assert log.published() == log.at_source()


def test_a_load_that_has_read_enough_where_a_file_of_the_log_ends_is_gone_on_from_and_says_when_that_was(
    log: Log, monkeypatch: pytest.MonkeyPatch
):
    """Between two files the server says which one comes next, at no time and in neither of them."""
    log.load(orders())
    log.run("flush binary logs", "insert into orders values (1, 'One', null, 1)")
    monkeypatch.setattr(reader, "CHANGES", 1)
    for _ in range(8):
        log.load(orders())
        lag = status_of(log).lag
        assert lag is not None and lag.lag_seconds is not None and lag.lag_seconds < 3600
    assert log.published_content() == log.at_source()
