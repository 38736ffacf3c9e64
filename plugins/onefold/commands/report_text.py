"""Loads, streams and entities as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from onefold.insight.entities import EntityStatus
from onefold.insight.held_back import HeldBack
from onefold.insight.loads import LoadSummary
from onefold.insight.streams import StreamStatus
from onefold.load.withheld_rates import WithheldRate
from onefold.text_table import table

_COUNTS = ("read", "new", "changed", "deleted", "quarantined", "gate", "seconds")


def load_table(loads: Iterable[LoadSummary]) -> str:
    """A table of loads, one line each."""
    return table(("system", "stream", *_COUNTS), [(load.system, load.stream, *_counts(load)) for load in loads], left=2)


def stream_table(streams: Iterable[StreamStatus], now: datetime) -> str:
    """A table of streams: the last load of each, how old its data is, and what waits or differs."""
    heads = ("system", "stream", *_COUNTS, "age", "SLA", "waiting", "withheld", "drifted")
    rows = [
        (
            *(stream.system, stream.stream, *_counts(stream.last_load)),
            *(_age(stream, now), _hours(stream.freshness_sla)),
            *(f"{stream.open_quarantine:,}", f"{stream.withheld:,}", f"{stream.drifted:,}"),
        )
        for stream in streams
    ]
    return table(heads, rows, left=2)


def entity_lines(entities: Iterable[EntityStatus]) -> list[str]:
    """One line an entity: how many golden records there are, how many systems each of them joins, and how many are held
    back (with their share of all) or have a warning."""
    lines = []
    for entity in entities:
        joined = ", ".join(
            f"{count:,} from {systems} system{'s' if systems > 1 else ''}"
            for systems, count in sorted(entity.by_sources.items())
        )
        line = f"conformed.{entity.entity}: {entity.golden:,} golden records ({joined})"
        if entity.held_back:
            line += f", {entity.held_back:,} held back ({entity.held_back_rate:.2%})"
        if entity.warnings:
            line += f", {entity.warnings:,} with a warning"
        lines.append(line)
    return lines or ["Nothing has been published yet."]


def held_back_lines(held: Iterable[HeldBack], refused: Mapping[str, str]) -> list[str]:
    """One line for each entity that was left out, and for each reason for which golden records are held back."""
    lines = [f"Left out of the last publish: {reason}" for _, reason in sorted(refused.items())]
    for each in held:
        states = f"{each.published:,} at an earlier state, {each.golden_records - each.published:,} unpublished"
        lines.append(
            f"Held back since {each.since:%Y-%m-%d %H:%M} UTC: {each.golden_records:,} of {each.entity} ({states}): "
            f"{each.reason}. One of them: {each.golden_id}"
        )
    return lines


def withheld_lines(rates: Sequence[WithheldRate]) -> list[str]:
    """How many values are withheld, then one line an attribute: of how many records, and their share."""
    lines = [f"Withheld: {sum(each.values for each in rates):,} values of {len(rates)} attributes."]
    for each in rates:
        share = f"{each.values:,} of {each.records:,} records ({each.rate:.2%})"
        lines.append(f"  {each.system}.{each.stream} {each.attribute}: {share}")
    return lines


def _counts(load: LoadSummary | None) -> tuple[str, ...]:
    if load is None:
        return (*["0"] * 5, "never loaded", "0.0")
    records = (load.read, load.new, load.changed, load.deleted)
    waiting = f"{load.quarantined:,}{f' ({load.conflicting:,} in conflict)' if load.conflicting else ''}"
    return (*(f"{count:,}" for count in records), waiting, load.gate, f"{load.seconds:.1f}")


def _age(stream: StreamStatus, now: datetime) -> str:
    age = stream.age(now)
    if age is None:
        return "-"
    return f"{_hours(max(age, timedelta()))}{' stale' if stream.is_stale(now) else ''}"


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} d"
