"""The register API at 740,000 companies, as the court register has: by key at a fixed rate, and the search.

A request's time runs from when it was due, not from when somebody had time to send it. Companies are made in the
warehouse itself, with names of three words of several hundred.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import psycopg

from benchmarks.measure import Warehouse
from benchmarks.table import Row
from benchmarks.webhooks import read_answer
from onefold.platform.postgres import free_port
from onefold.serve.keys import create_key

COMPANIES = 740_000
RATE, SECONDS, CONNECTIONS = 500, 20, 32
BY_KEY, SEARCH = 0.010, 0.060
"""Seconds that 99 of 100 may take by key, and searches."""
SEARCHES = 300
_FILL = """
insert into ops.api_company (company_id, tax_id_pl, krs, status, main_activity, natural_person, systems, content,
    people, published_at)
select gen_random_uuid(), nip, krs, 'active', pkd, false, '{krs}',
    jsonb_build_object('legal_name', name, 'tax_id_pl', nip, 'krs', krs,
    'town', town, 'status', 'active', 'main_activity', pkd, 'legal_form', 'Sp. z o.o.',
    'representation', repeat('ZARZĄD ', 20)),
    '{}', now()
from (select lpad(n::text, 10, '0') as krs, (array['Łódź', 'Gdańsk', 'Kraków', 'Warszawa'])[1 + n % 4] as town,
        (array['62.10.B', '46.47.Z', '41.00.A'])[1 + n % 3] as pkd,
        initcap(substr(md5((n % 997)::text), 1, 7)) || ' ' || initcap(substr(md5((n % 811)::text), 9, 6)) || ' '
            || n || ' Sp. z o.o.' as name,
        left(lpad((100000000 + n)::text, 9, '0'), 9) || check_digit as nip
    from generate_series(1, {count}) as n cross join lateral (
        select (select sum(substr((100000000 + n)::text, place, 1)::int * (array[6, 5, 7, 2, 3, 4, 5, 6, 7])[place])
            from generate_series(1, 9) as place) % 11 as check_digit offset 0) as checked
    where check_digit < 10) as made"""
_ANSWERED = """
insert into ops.lookup_cache (system, stream, lookup_key, outcome, answered_at, load_id)
select 'krs', 'extract', krs, 'found', now(), 1 from ops.api_company"""


def measure(server: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """The 99th percentiles of one round, whatever `rounds` says, at COMPANIES or `rows`, whichever is less."""
    count = min(rows, COMPANIES)
    with server.fresh() as url:
        owner = server.server.url(url.rpartition("/")[2])
        key, numbers = _fill(owner, count)
        port = free_port()
        urls = [url.replace("onefold_loader", role, 1) for role in ("onefold_api", "onefold_api_writer")]
        service = subprocess.Popen(
            [sys.executable, "-m", "onefold.commands.main", "api", "--port", str(port)],
            env={
                **os.environ,
                "PYTHONPATH": f"plugins{os.pathsep}.",
                "ONEFOLD_API_URL": urls[0],
                "ONEFOLD_API_WRITER_URL": urls[1],
            },
        )
        try:
            by_key = [f"/v1/companies/nip/{random.choice(numbers)}" for _ in range(RATE * SECONDS)]
            took = asyncio.run(_ask(port, key, by_key, RATE))
            yield _row(f"API by key at {RATE}/s, {count:,} companies: p99", took, BY_KEY)
            took = asyncio.run(_ask(port, key, list(_searches()), 10))
            yield _row(f"API search, {count:,} companies: p99", took, SEARCH)
        finally:
            service.terminate()
            service.wait()
        with psycopg.connect(owner) as connection:
            recorded = connection.execute("select count(*) from ops.api_request where status = 200").fetchone()
            altered = connection.execute("select count(*) from ops.altered_api_requests()").fetchone()
    if recorded != (len(by_key) + SEARCHES,) or altered != (0,):
        raise AssertionError(f"{len(by_key) + SEARCHES} were answered, {recorded} are recorded, {altered} altered")


def _fill(owner: str, count: int) -> tuple[str, list[str]]:
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("set maintenance_work_mem = '256MB'")
        names = [f"api_company_by_{each}" for each in ("name_form", "name_form_people")]
        definitions = [
            connection.execute("select pg_get_indexdef(%s::regclass)", (f"ops.{name}",)).fetchone()[0] for name in names
        ]
        for name in names:
            connection.execute(psycopg.sql.SQL("drop index ops.{}").format(psycopg.sql.Identifier(name)))
        connection.execute(_FILL.replace("{count}", str(count)))
        for definition in definitions:
            connection.execute(definition)
        connection.execute("alter table ops.lookup_cache disable trigger all")
        connection.execute(_ANSWERED)
        connection.execute("vacuum (analyze) ops.api_company, ops.lookup_cache")
        key = create_key(connection, "bench", ["companies"], 100_000, 10**9, None, actor="os:bench")
        found = connection.execute("select tax_id_pl from ops.api_company order by random() limit 50000").fetchall()
    return key, [number for (number,) in found]


def _searches() -> Iterator[str]:
    """Parts of names, some with a town or an activity; a seldom one and a frequent one in turn."""
    import hashlib

    for number in range(SEARCHES):
        word = hashlib.md5(str(number * 7 % 997).encode(), usedforsecurity=False).hexdigest()[:7]
        wanted = (
            f"q={word}",
            f"q={number * 1009 % COMPANIES}",
            f"q={word[:4]}&town={quote('łódź')}",
            "q=sp.%20z%20o.o.&pkd=62",
        )
        yield f"/v1/companies?{wanted[number % 4]}"


async def _ask(port: int, key: str, paths: Sequence[str], rate: int) -> list[float]:
    """How long each took, sorted. Raises AssertionError when one is answered otherwise than 200."""
    due: asyncio.Queue[tuple[float, str] | None] = asyncio.Queue()
    took: list[float] = []

    async def work() -> None:
        reader, writer = await _connected(port)
        while (job := await due.get()) is not None:
            at, path = job
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
            status = await read_answer(reader)
            if status != 200:
                raise AssertionError(f"{path} was answered with {status}")
            took.append(time.perf_counter() - at)
        writer.close()

    workers = [asyncio.create_task(work()) for _ in range(CONNECTIONS)]
    for path in paths[:200]:  # statements are prepared, sessions are open
        due.put_nowait((time.perf_counter(), path))
    while len(took) < len(paths[:200]):
        await asyncio.sleep(0.05)
        if any(each.done() for each in workers):
            await asyncio.gather(*workers)
    took.clear()
    began = time.perf_counter()
    for number, path in enumerate(paths[200:]):
        at = began + number / rate
        if (pause := at - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        due.put_nowait((at, path))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    return sorted(took)


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for _ in range(600):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
    raise AssertionError("the API does not answer")


def _row(what: str, took: Sequence[float], most: float) -> Row:
    p99 = took[len(took) * 99 // 100]
    detail = f"p50 {took[len(took) // 2] * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms of {len(took):,}"
    return Row(f"{what} / {most * 1000:.0f} ms", p99 / most, 1.0, detail, smaller=True)
