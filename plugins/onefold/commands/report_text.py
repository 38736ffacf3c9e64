"""Loads, streams and entities, what waits and what is held back, as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from onefold.insight.entities import EntityStatus
from onefold.insight.held_back import HeldBack, HeldBackRecord, Warned
from onefold.insight.loads import LoadSummary
from onefold.insight.quarantine import QuarantinedRow, QuarantineReason, WithheldValue
from onefold.insight.streams import StreamStatus
from onefold.insight.write_backs import TargetState
from onefold.load.stream_lag import StreamLag
from onefold.load.withheld_rates import WithheldRate
from onefold.text_table import mib, table

_COUNTS = ("read", "new", "changed", "deleted", "quarantined", "gate", "seconds")


def load_table(loads: Iterable[LoadSummary]) -> str:
    """A table of loads, one line each."""
    return table(("system", "stream", *_COUNTS), [(load.system, load.stream, *_counts(load)) for load in loads], left=2)


def withheld_by_loads(loads: Iterable[LoadSummary]) -> list[str]:
    """One line that says how many values the loads withheld from what they published; none where they withheld none."""
    found = {f"{load.system}.{load.stream}": load.withheld for load in loads if load.withheld}
    if not found:
        return []
    streams = ", ".join(f"{values:,} in {name}" for name, values in found.items())
    return [f"Values withheld from published records: {streams}. Which, and why: bin/onefold quarantine"]


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


def lag_lines(streams: Iterable[StreamStatus]) -> list[str]:
    """One line for each stream that is read from a log or a queue: how far it is behind the end."""
    return [_lag_line(stream.name, stream.lag) for stream in streams if stream.lag]


def _lag_line(name: str, lag: StreamLag) -> str:
    line = f"Log of {name}: {lag.to_read} to read after {lag.position}"
    if lag.behind:
        line += f", behind for {_hours(lag.behind)}"
    if lag.retained_bytes is not None:
        line += f"; the source keeps {mib(lag.retained_bytes)} for it"
    return f"{line} ({lag.at:%Y-%m-%d %H:%M} UTC)"


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


def held_back_lines(held: Sequence[HeldBack], refused: Mapping[str, str], most: int = 20) -> list[str]:
    """One line for each entity that was left out, and for each of the first reasons (`most`) for which golden records
    are held back."""
    lines = [f"Left out of the last publish: {reason}" for _, reason in sorted(refused.items())]
    for each in held[:most]:
        states = f"{each.published:,} at an earlier state, {each.golden_records - each.published:,} unpublished"
        lines.append(
            f"Held back since {each.since:%Y-%m-%d %H:%M} UTC: {each.golden_records:,} of {each.entity} ({states}): "
            f"{each.reason}. One of them: {each.golden_id}"
        )
    if len(held) > most:
        lines.append(f"Held back for {len(held) - most:,} more reasons: bin/onefold held-back")
    return lines


def write_back_lines(states: Iterable[TargetState]) -> list[str]:
    """One line for each target at which something waits for a person."""
    lines = []
    for each in states:
        waits = [f"{each.refused:,} records that it was not given" if each.refused else ""]
        waits.append(f"{each.waiting_plans:,} plans to decide about" if each.waiting_plans else "")
        if said := ", ".join(filter(None, waits)):
            lines.append(f"Waiting at target {each.target}: {said}. Why: bin/onefold write-back {each.target}")
    return lines


def warned_lines(warned: Iterable[Warned]) -> list[str]:
    """One line for each warning of published golden records."""
    return [f"Published with a warning: {each.golden_records:,} of {each.entity}: {each.reason}" for each in warned]


def held_back_table(records: Iterable[HeldBackRecord]) -> str:
    """A table of golden records that are held back, one line each."""
    rows = [
        (
            *(
                each.entity,
                each.golden_id,
                f"{each.since:%Y-%m-%d %H:%M}",
                "earlier state" if each.published else "none",
            ),
            *(each.reason, " ".join(each.records[:3]) + (" …" if len(each.records) > 3 else "")),
        )
        for each in records
    ]
    return table(("entity", "golden record", "since (UTC)", "published", "reason", "records"), rows, left=6)


def reason_table(reasons: Iterable[QuarantineReason]) -> str:
    """A table of what the rows in quarantine fail, one line a stream and expectation."""
    rows = [
        (
            each.system,
            each.stream,
            each.expectation,
            f"{each.oldest:%Y-%m-%d}",
            f"{each.newest:%Y-%m-%d}",
            f"{each.rows:,}",
        )
        for each in reasons
    ]
    return table(("system", "stream", "failed expectation", "oldest", "newest", "rows"), rows, left=5)


def row_table(rows: Iterable[QuarantinedRow]) -> str:
    """A table of rows in quarantine, without their content."""
    heads = ("system", "stream", "key", "load", "since (UTC)", "reason")
    lines = [
        (
            each.system,
            each.stream,
            each.key or "",
            f"{each.load_id}",
            f"{each.quarantined_at:%Y-%m-%d %H:%M}",
            each.reason,
        )
        for each in rows
    ]
    return table(heads, lines, left=6)


def rate_table(rates: Iterable[WithheldRate]) -> str:
    """A table of attributes of which values are withheld, with the share of the stream's records that lack one."""
    rows = [
        (each.system, each.stream, each.attribute, f"{each.values:,}", f"{each.records:,}", f"{each.rate:.2%}")
        for each in rates
    ]
    return table(("system", "stream", "attribute", "withheld", "records", "rate"), rows, left=3)


def withheld_table(values: Iterable[WithheldValue]) -> str:
    """A table of withheld values: of what kind each is and what would be allowed, never the value."""
    heads = ("system", "stream", "key", "attribute", "load", "reason", "kind of value", "allowed")
    rows = [
        (
            *(each.system, each.stream, each.key or "", each.attribute, f"{each.load_id}"),
            *(each.reason, each.value_kind or "", each.allowed or ""),
        )
        for each in values
    ]
    return table(heads, rows, left=8)


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
