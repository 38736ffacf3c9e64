"""Webhooks at a fixed rate: how long a sender waits for an answer that says durable. Bodies of 2 kB, signed.

A sender's time runs from when its event was due, not from when somebody had time to send it.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import psycopg

from benchmarks.measure import Warehouse
from benchmarks.table import Row
from onefold.platform.postgres import free_port
from tests.receive.signers import NOW, SENDERS, event

RATES = (500, 1_000)
"""Events a second."""
SECONDS = 10
CONNECTIONS = 64
MOST = 0.050
"""Seconds that 99 of 100 may wait at most, at the first rate."""
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


def measure(server: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """The 99th percentile at the first rate and whether the second is kept up, of one round, whatever `rounds` says."""
    for rate in RATES:
        with server.fresh() as url:
            address = url.replace("onefold_loader", "onefold_receiver", 1)
            port = free_port()
            service = subprocess.Popen(
                [sys.executable, "-m", "tests.receive.serve", address, str(port)],
                env={**os.environ, "PYTHONPATH": f"plugins{os.pathsep}."},
            )
            try:
                took, lasted = asyncio.run(_post(port, _requests(rate * SECONDS), rate))
            finally:
                service.kill()
                service.wait()
            with psycopg.connect(server.server.url(url.rpartition("/")[2])) as connection:
                stored = connection.execute("select count(*) from inbox.event").fetchone()
        if stored != (len(took),):
            raise AssertionError(f"{len(took)} were answered, {stored} are stored")
        p99 = took[len(took) * 99 // 100]
        detail = f"{len(took) / lasted:,.0f}/s; p50 {took[len(took) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"
        if rate == RATES[0]:
            yield Row(f"webhooks at {rate}/s: p99 / {MOST * 1000:.0f} ms", p99 / MOST, 1.0, detail, smaller=True)
        else:
            yield Row(f"webhooks answered / sent at {rate:,}/s", len(took) / lasted / rate, 0.99, detail)


def _requests(count: int) -> list[bytes]:
    sender, found = SENDERS["stripe"], []
    for number in range(count):
        body = event(number, text="x" * 1950)
        signature = sender.sign(sender.secret, body, NOW)["stripe-signature"]
        head = f"POST /hooks/s/stripe HTTP/1.1\r\nHost: x\r\nStripe-Signature: {signature}\r\n"
        found.append(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return found


async def _post(port: int, requests: list[bytes], rate: int) -> tuple[list[float], float]:
    """How long each took, sorted, and all together. Raises AssertionError when one is answered otherwise than 200."""
    await _until_it_listens(port)
    due: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    took: list[float] = []
    senders = [asyncio.create_task(_sender(port, due, took)) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for number, request in enumerate(requests):
        at = began + number / rate
        if (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due.put_nowait((at, request))
    for _ in senders:
        due.put_nowait(None)
    await asyncio.gather(*senders)
    return sorted(took), time.perf_counter() - began


async def _sender(port: int, due: asyncio.Queue[tuple[float, bytes] | None], took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while (one := await due.get()) is not None:
        at, request = one
        writer.write(request)
        if (status := await read_answer(reader)) != 200:
            raise AssertionError(f"status {status}")
        took.append(time.perf_counter() - at)
    writer.close()


async def read_answer(reader: asyncio.StreamReader) -> int:
    """Read a whole answer; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    if length := _LENGTH.search(head):
        await reader.readexactly(int(length[1]))
    return int(head.split(b" ", 2)[1])


async def _until_it_listens(port: int) -> None:
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise AssertionError("the service does not listen")
