"""What a rollback would do, stream by stream, in figures and in words; working it out changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import psycopg

from onefold.catalog.system import System
from onefold.connectors.window import BEGINNING
from onefold.load.window import resume_start
from onefold.rollback.apply import Settled, compare
from onefold.rollback.recompute import fold
from onefold.rollback.stream_change import Change
from onefold.rollback.stream_state import cursor_after, cursor_now


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What happens to one stream; instants in UTC, as text."""

    stream: str
    loads: tuple[int, ...]
    rows: Settled
    cursor_before: str | None
    cursor_after: str | None
    missing: tuple[tuple[str, str], ...]
    """The windows of loads that are not there afterwards which the next run does not read by itself."""
    hints: tuple[str, ...]

    def lines(self, to: str) -> Iterator[str]:
        """The plan in words."""
        rows = self.rows
        loads = ", ".join(map(str, self.loads))
        yield f"{self.stream}: load {loads} {'rolled back' if to == 'rolled_back' else 'published again'}"
        counts = {
            "versions go": rows.versions_out,
            "versions come back": rows.versions_in,
            "versions of later loads go, which then say nothing new": rows.versions_of_others_out,
            "versions of later loads come instead": rows.versions_of_others_in,
            "records vanish": rows.keys_vanishing,
            "records have other contents": rows.keys_earlier,
            "records appear": rows.keys_new,
            "rows leave the quarantine": rows.quarantined_out,
            "rows enter the quarantine": rows.quarantined_in,
            "of them were read late and are judged by the gate first": rows.never_judged,
        }
        yield from (f"  {count:>9,} {what}" for what, count in counts.items() if count)
        if not any(counts.values()):
            yield "  no row changes"
        yield f"  cursor {self.cursor_before or 'none'} -> {self.cursor_after or 'none'}"
        yield from (f"  {hint}" for hint in self.hints)


def plan_stream(connection: psycopg.Connection, change: Change, systems: Mapping[str, System]) -> StreamPlan:
    """Work out what the change does to its stream; only temporary tables are written."""
    with connection.transaction():
        fold(connection, change)
        rows = compare(connection, change)
        now = cursor_now(connection, change)
        value, window_end, _ = cursor_after(connection, change)
        missing = _missing(connection, change, _next_start(change, now), _next_start(change, (value, window_end)))
        replays = _replays(connection, change)
    return StreamPlan(
        stream=change.name,
        loads=change.loads,
        rows=rows,
        cursor_before=(now[0] or now[1].isoformat()) if now else None,
        cursor_after=value or (window_end.isoformat() if window_end else None),
        missing=missing,
        hints=tuple(_hints(change, systems, missing, replays)),
    )


def as_json(plans: Sequence[StreamPlan]) -> list[dict[str, object]]:
    """The plan as ops.rollback keeps it."""
    return [asdict(plan) for plan in plans]


def _next_start(change: Change, cursor: tuple[str | None, datetime | None] | None) -> datetime:
    """Where the next run begins by itself that goes on from this cursor."""
    if cursor is None or cursor[1] is None:
        return BEGINNING
    return resume_start(cursor[0], cursor[1], change.stream, datetime.now(UTC))


def _missing(
    connection: psycopg.Connection, change: Change, was: datetime, begins: datetime
) -> tuple[tuple[str, str], ...]:
    """The windows of what is taken out, up to where the next run begins; of what is not taken in again with the rest,
    from where it would have begun. A replay has read no window."""
    windows = connection.execute(
        """
        select greatest(window_start, %(from)s), least(window_end, %(to)s) from ops.load l
        where system = %(system)s and stream = %(stream)s
          and greatest(window_start, %(from)s) < least(window_end, %(to)s)
          and case when %(out)s then load_id = any (%(loads)s)
                   else state = 'rolled_back' and load_id <> all (%(loads)s) end
          and not exists (select from ops.replay_row r where r.load_id = l.load_id)
        order by 1, 2
        """,
        {
            "system": change.system,
            "stream": change.stream_name,
            "loads": list(change.loads),
            "out": change.to == "rolled_back",
            "from": BEGINNING if change.to == "rolled_back" else was,
            "to": begins,
        },
    ).fetchall()
    return tuple((start.isoformat(), end.isoformat()) for start, end in windows)


def _replays(connection: psycopg.Connection, change: Change) -> frozenset[int]:
    """Those of the change's loads that are a replay's."""
    found = connection.execute(
        "select distinct load_id from ops.replay_row where load_id = any (%s)", (list(change.loads),)
    )
    return frozenset(load_id for (load_id,) in found)


def _hints(
    change: Change, systems: Mapping[str, System], missing: Sequence[tuple[str, str]], replays: frozenset[int]
) -> Iterator[str]:
    system = systems[change.system]
    if change.to == "rolled_back" and replays:
        yield "what a replay had judged waits in quarantine again, where the load that had it refused stays"
    if change.to == "rolled_back" and not replays.issuperset(change.loads):
        if system.python and system.python.confirms:
            yield (
                f"WARNING: {system.title} was told that these records had arrived and may have let go of them: they "
                "cannot be fetched again. Only undoing this rollback brings them back."
            )
            return
        if not missing:
            yield "the next run reads on from that cursor, so it asks for what is rolled back again"
    for start, end in missing:
        yield (
            "the window stays missing until it is loaded again: "
            f"bin/onefold sync {change.system} --from {start} --to {end}"
        )
