"""Metrics: how long a scrape takes where the ledger is large."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import psycopg

from benchmarks.measure import Warehouse, medians, seconds
from benchmarks.table import Row
from onefold.catalog.system import System
from onefold.metrics.ledger import read_metrics
from onefold.metrics.text import exposition

SYSTEMS, STREAMS, LOADS = 100, 10, 1_000_000
_STREAM = {"title": "s", "primary_key": ["id"], "fields": {"id": "text"}}
_FILL = """
insert into ops.load (system, stream, window_start, window_end, state, dag_id, run_id, actor, rows_read, rows_new,
    ended_at)
select 's' || n %% %(systems)s, 't' || n / %(systems)s %% %(streams)s, at - interval '1 s', at,
    case n %% 100 when 0 then 'rejected' else 'published' end, 'd', 'r' || n, 'a', n %% 50, n %% 5, now()
from generate_series(0, %(loads)s - 1) as n, lateral (select now() - (%(loads)s - n) * interval '2 s' as at) as time
"""
_USAGE = """
insert into ops.usage (load_id, system, stream, status, requests, bytes, milliseconds)
select load_id, system, stream, '200', 3, 1000, 20 from ops.load
"""
_CURSORS = """
insert into ops.cursor (system, stream, window_end, load_id)
select distinct on (system, stream) system, stream, window_end, load_id from ops.load
order by system, stream, load_id desc
"""


def catalogue() -> Mapping[str, System]:
    """As many systems, each with its streams, as the ledger has."""
    streams = {f"t{number}": _STREAM for number in range(STREAMS)}
    head = {"title": "S", "protocol": "rest", "connection": "c", "schedule": "0 * * * *", "streams": streams}
    return {name: System.model_validate({"system": name, **head}) for name in (f"s{n}" for n in range(SYSTEMS))}


def measure(warehouse: Warehouse, rounds: int) -> Iterator[Row]:
    """Seconds of one scrape, at 1,000 streams and 1,000,000 loads, each with its requests."""
    systems = catalogue()
    with warehouse.fresh() as url, psycopg.connect(url, autocommit=True) as connection:
        size = {"systems": SYSTEMS, "streams": STREAMS, "loads": LOADS}
        connection.execute(_FILL, size)
        connection.execute(_USAGE)
        connection.execute(_CURSORS)
        with psycopg.connect(warehouse.server.url(connection.info.dbname), autocommit=True) as owner:
            owner.execute("analyze")  # as autovacuum does in time
        runs = ({"scrape": seconds(lambda: exposition(read_metrics(connection, systems)))} for _ in range(rounds))
        how = f"{SYSTEMS * STREAMS:,} streams, {LOADS:,} loads"
        yield Row("a scrape of /metrics, seconds", medians(runs)["scrape"], 1.0, how, smaller=True)
