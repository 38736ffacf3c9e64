"""Loads, streams and entities as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from onefold.insight.entities import EntityStatus
from onefold.insight.loads import LoadSummary
from onefold.insight.streams import StreamStatus
from onefold.text_table import table

_COUNTS = ("read", "new", "changed", "deleted", "quarantined", "gate", "seconds")


def load_table(loads: Iterable[LoadSummary]) -> str:
    """A table of loads, one line each."""
    return table(("system", "stream", *_COUNTS), [(load.system, load.stream, *_counts(load)) for load in loads], left=2)


def stream_table(streams: Iterable[StreamStatus], now: datetime) -> str:
    """A table of streams: the last load of each, how old its data is, and what waits or differs."""
    heads = ("system", "stream", *_COUNTS, "age", "SLA", "waiting", "drifted")
    rows = [
        (
            *(stream.system, stream.stream, *_counts(stream.last_load)),
            *(_age(stream, now), _hours(stream.freshness_sla), f"{stream.open_quarantine:,}", f"{stream.drifted:,}"),
        )
        for stream in streams
    ]
    return table(heads, rows, left=2)


def entity_lines(entities: Iterable[EntityStatus]) -> list[str]:
    """One line an entity: how many golden records there are, and how many systems each of them joins."""
    lines = []
    for entity in entities:
        joined = ", ".join(
            f"{count:,} from {systems} system{'s' if systems > 1 else ''}"
            for systems, count in sorted(entity.by_sources.items())
        )
        lines.append(f"conformed.{entity.entity}: {entity.golden:,} golden records ({joined})")
    return lines or ["Nothing has been published yet."]


def _counts(load: LoadSummary | None) -> tuple[str, ...]:
    if load is None:
        return (*["0"] * 5, "never loaded", "0.0")
    records = (load.read, load.new, load.changed, load.deleted, load.quarantined)
    return (*(f"{count:,}" for count in records), load.gate, f"{load.seconds:.1f}")


def _age(stream: StreamStatus, now: datetime) -> str:
    age = stream.age(now)
    if age is None:
        return "-"
    return f"{_hours(max(age, timedelta()))}{' stale' if stream.is_stale(now) else ''}"


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} d"
