"""A transaction that is far larger than what is held of it at once."""

from __future__ import annotations

from datetime import UTC, datetime

import psutil
from purgatory import SyncCircuitBreakerFactory

from onefold.connectors.cdc.sources import log_reader, open_database
from onefold.connectors.page import Page
from onefold.connectors.window import BEGINNING, Window
from onefold.http.limit import MemoryLimiter
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.mysql.conftest import Log

MIB = 1 << 20


def test_memory_is_flat_over_a_large_transaction(log: Log):
    system, window = orders(rows=500), Window(BEGINNING, datetime.now(UTC))
    breakers = SyncCircuitBreakerFactory(default_threshold=100)
    process = psutil.Process()
    with open_database(
        system, log.endpoint, lambda _: None, limiter=MemoryLimiter(), stream="order", breakers=breakers, sleep=print
    ) as database:
        read = log_reader(system, "order", database)
        last: Page = list(read(window, None))[-1]
        log.run("insert into orders select seq, 'Order', repeat('n', 1500), 1 from seq_1_to_60000")
        checkpoints = {"": str(last.ended[0].checkpoint)}
        before, most, size = process.memory_info().rss, 0, 0
        for page in read(Window(BEGINNING, window.end, checkpoints=checkpoints), None):
            size += sum(len(record.payload) for record in page.records)
            most = max(most, process.memory_info().rss - before)
    assert size > 90 * MIB * 0.95
    assert most < 24 * MIB
