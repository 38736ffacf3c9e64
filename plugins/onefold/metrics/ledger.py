"""The metrics, from the catalogue and the ledger. No label is a run, a window or a key: they would never end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from onefold.catalog.system import System
from onefold.insight.loads import LoadSummary
from onefold.insight.streams import StreamStatus, stream_statuses
from onefold.metrics.text import Metric, Sample
from onefold.reconcile.freshness_sla import loaded_to


@dataclass(frozen=True, slots=True)
class _Counters:
    """A row of ops.stream_counter."""

    system: str
    stream: str
    loads_published: int = 0
    loads_rejected: int = 0
    rows_read: int = 0
    rows_written: int = 0
    rows_quarantined: int = 0
    requests: int = 0
    bytes: int = 0


def _failed(load: LoadSummary) -> bool:
    return load.state == "rejected" or load.is_stuck


_GAUGES: Mapping[str, tuple[str, Callable[[StreamStatus], float | None]]] = {
    "onefold_stream_freshness_sla_seconds": (
        "How old the published data of a stream may be.",
        lambda status: status.freshness_sla.total_seconds(),
    ),
    "onefold_stream_last_load_failed": (
        "1 when the last load of a stream was rejected, or its last attempt failed.",
        lambda status: _failed(status.last_load) if status.last_load else None,
    ),
    "onefold_stream_quarantined_rows": ("Rows that wait in quarantine.", lambda status: status.open_quarantine),
    "onefold_stream_withheld_values": (
        "Values of published records that are withheld.",
        lambda status: status.withheld,
    ),
    "onefold_stream_drifted_records": ("Records that differ from their source.", lambda status: status.drifted),
    "onefold_stream_quota_used_ratio": (
        "Which part of the source's quota was used after the last load, where the source says so.",
        lambda status: status.quota_used / status.quota_limit if status.quota_used and status.quota_limit else None,
    ),
    "onefold_stream_lag_seconds": (
        "How far a stream was behind the end of its source's log at the last look.",
        lambda status: status.lag.lag_seconds if status.lag else None,
    ),
    "onefold_stream_lag_messages": (
        "Messages between a stream's position and the end of its queue at the last look.",
        lambda status: status.lag.lag_messages if status.lag else None,
    ),
    "onefold_stream_retained_log_bytes": (
        "What a source kept of its log for a stream at the last look.",
        lambda status: status.lag.retained_bytes if status.lag else None,
    ),
}
_COUNTERS: Mapping[str, tuple[str, Callable[[_Counters], int]]] = {
    "onefold_rows_read_total": ("Rows that loads have read.", lambda row: row.rows_read),
    "onefold_rows_written_total": ("Rows that published loads have written.", lambda row: row.rows_written),
    "onefold_rows_quarantined_total": ("Rows that were put into quarantine.", lambda row: row.rows_quarantined),
    "onefold_requests_total": ("Requests to source systems, failed ones too.", lambda row: row.requests),
    "onefold_response_bytes_total": ("Bytes that source systems have answered.", lambda row: row.bytes),
}
# What was rolled back has happened: a rollback adds to this counter and takes nothing from the others.
_ROLLBACKS = """
select count(*) filter (where undoes is null and state in ('done', 'undone')),
       count(*) filter (where undoes is not null and state in ('done', 'undone')) from ops.rollback
"""
_LAST_PUBLISH = """
select (state <> 'published')::int from ops.publish where state in ('published', 'rejected', 'failed')
order by publish_id desc limit 1
"""
_LAST_DELIVERIES = """
select distinct on (target) target, (state = 'failed')::int from ops.delivery
where state <> 'running' and mode <> 'conformance' order by target, delivery_id desc
"""


def read_metrics(connection: psycopg.Connection, systems: Mapping[str, System]) -> Iterator[Metric]:
    """Every metric as of now. Streams of the catalogue are there before their first load, with counters of 0."""
    statuses = stream_statuses(connection, systems)
    times = loaded_to(connection, [(status.system, status.stream) for status in statuses])
    yield Metric(
        "onefold_stream_data_timestamp_seconds",
        "gauge",
        "The source is published up to this time; before the first publish, when it was first tried.",
        [Sample(at.timestamp(), _of(*name)) for name, at in times.items()],
    )
    yield Metric(
        "onefold_stream_freshness_objective_ratio",
        "gauge",
        "In which part of the time the freshness SLA of a stream is to be met.",
        [
            Sample(systems[status.system].streams[status.stream].freshness_objective, _of(status.system, status.stream))
            for status in statuses
        ],
    )
    for name, (text, value_of) in _GAUGES.items():
        found = [(status, value_of(status)) for status in statuses]
        samples = [Sample(value, _of(status.system, status.stream)) for status, value in found if value is not None]
        yield Metric(name, "gauge", text, samples)
    yield from _counters(connection, statuses)
    yield from _of_the_whole(connection)


def _counters(connection: psycopg.Connection, statuses: list[StreamStatus]) -> Iterator[Metric]:
    rows = {(status.system, status.stream): _Counters(status.system, status.stream) for status in statuses}
    with connection.cursor(row_factory=class_row(_Counters)) as cursor:
        counted = cursor.execute("select * from ops.stream_counter order by system, stream")
        rows |= {(row.system, row.stream): row for row in counted}
    for name, (text, value_of) in _COUNTERS.items():
        yield Metric(name, "counter", text, [Sample(value_of(row), _of(*key)) for key, row in rows.items()])
    yield Metric(
        "onefold_loads_total",
        "counter",
        "Loads that have ended, by how; one that was rolled back since stays published here.",
        [
            Sample(value, _of(*key) | {"outcome": outcome})
            for key, row in rows.items()
            for outcome, value in (("published", row.loads_published), ("rejected", row.loads_rejected))
        ],
    )


def _of_the_whole(connection: psycopg.Connection) -> Iterator[Metric]:
    ((done, undone),) = connection.execute(_ROLLBACKS).fetchall()
    samples = [Sample(done, {"kind": "rollback"}), Sample(undone, {"kind": "undo"})]
    yield Metric("onefold_rollbacks_total", "counter", "Rollbacks of loads, and undone ones.", samples)
    published = connection.execute(_LAST_PUBLISH).fetchall()
    text = "1 when the last publish of the entities was rejected or failed."
    yield Metric("onefold_publish_failed", "gauge", text, [Sample(failed, {}) for (failed,) in published])
    delivered = connection.execute(_LAST_DELIVERIES).fetchall()
    samples = [Sample(failed, {"target": target}) for target, failed in delivered]
    yield Metric("onefold_delivery_failed", "gauge", "1 when the last delivery to a warehouse failed.", samples)
    alerts = connection.execute(
        "select kind, count(*) from ops.alert where resolved_at is null group by kind order by 1"
    )
    samples = [Sample(count, {"kind": kind}) for kind, count in alerts]
    yield Metric("onefold_alerts_open", "gauge", "Alerts that are open (docs/runbooks/alerts.md), by kind.", samples)


def _of(system: str, stream: str) -> dict[str, str]:
    return {"system": system, "stream": stream}
