"""What a rollback would do, stream by stream, in figures and in words; planning changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby

import psycopg
from psycopg import sql

from onefold.audit.approval import triggering_user
from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.connectors.past import unaskable
from onefold.connectors.stored_position import anew
from onefold.connectors.window import BEGINNING
from onefold.load.extraction import acknowledges, lets_go
from onefold.load.window import resume_start
from onefold.rollback.recompute import recompute_history
from onefold.rollback.row_effects import RowEffects, find_row_effects
from onefold.rollback.stream_change import StreamChange, Target
from onefold.rollback.stream_state import cursor_after, cursor_now
from onefold.warehouse.rows import one_row


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What happens to one stream; times in UTC, as ISO 8601 text."""

    stream: str
    loads: tuple[int, ...]
    rows: RowEffects
    cursor_before: str | None
    cursor_after: str | None
    missing: tuple[tuple[str, str], ...]
    """The windows that are not loaded afterwards, and that the next run does not read by itself."""
    hints: tuple[str, ...]
    golden_records: Mapping[str, int] = field(default_factory=dict)
    """By entity, how many golden records have a record of this stream of which a version goes or comes."""

    def lines(self, target: Target) -> Iterator[str]:
        """The plan in words."""
        rows = self.rows
        loads = ", ".join(map(str, self.loads))
        yield f"{self.stream}: load {loads} {'rolled back' if target == 'rolled_back' else 'published again'}"
        counts = {
            "versions are removed": rows.versions_removed,
            "versions are restored": rows.versions_restored,
            "versions of later loads are removed, because they change nothing then": rows.other_versions_removed,
            "versions of later loads are added": rows.other_versions_added,
            "records are removed": rows.records_removed,
            "records get other content": rows.records_changed,
            "records are added": rows.records_added,
            "rows leave the quarantine": rows.quarantine_removed,
            "rows enter the quarantine": rows.quarantine_added,
            "of them were read late and pass the gate first": rows.not_gated,
        }
        yield from (f"  {count:>9,} {what}" for what, count in counts.items() if count)
        if not any(counts.values()):
            yield "  no row changes"
        for entity, count in self.golden_records.items():
            yield f"  {count:>9,} golden records of {entity} have such a record: the next conform makes them anew"
        yield f"  cursor {self.cursor_before or 'none'} -> {self.cursor_after or 'none'}"
        yield from (f"  {hint}" for hint in self.hints)


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What a rollback would do. `rollback_id` is None while it is only previewed."""

    rollback_id: int | None
    loads: tuple[int, ...]
    target: Target
    reason: str
    streams: tuple[StreamPlan, ...]
    written_out: tuple[str, ...] = ()
    """What was already written into other systems, in words."""

    @property
    def text(self) -> str:
        """The plan in words, a line each."""
        return "\n".join((*(line for stream in self.streams for line in stream.lines(self.target)), *self.written_out))

    def shown(self, who: str) -> str:
        """The plan in Markdown, system by system, for the person who approves it; `who` is the actor of the run."""
        told = [self.head(who)]
        for system, streams in groupby(self.streams, key=lambda stream: stream.stream.partition(".")[0]):
            told += ["", f"**{system}**", ""]
            for stream in streams:
                first, *more = stream.lines(self.target)
                told += [f"- {first}", *(f"  - {line.strip()}" for line in more)]
            told += [
                "",
                f"A sync that reads these records before it is done changes what would be done: pause sync__{system}.",
            ]
        told += ["", *self.written_out] if self.written_out else []
        return "\n".join(told)

    def head(self, who: str) -> str:
        """What is done to which loads and why, in one line, with which that text begins."""
        loads = ", ".join(map(str, self.loads))
        return (
            f"**Rollback {self.rollback_id}** "
            f"{'removes' if self.target == 'rolled_back' else 'brings back'} load {loads}. "
            f"Why: {' '.join(self.reason.split())} (asked for by {triggering_user(who) or who})"
        )

    def as_json(self) -> dict[str, object]:
        """For scripts, and for Airflow's XCom."""
        return {
            "rollback_id": self.rollback_id,
            "loads": list(self.loads),
            "target": self.target,
            "reason": self.reason,
            "streams": as_json(self.streams),
            "text": self.text,
        }


def plan_stream(
    connection: psycopg.Connection, change: StreamChange, systems: Mapping[str, System], entities: Mapping[str, Entity]
) -> StreamPlan:
    """Plan what the change does to its stream; only temporary tables are written."""
    with connection.transaction():
        recompute_history(connection, change)
        rows = find_row_effects(connection, change)
        now = cursor_now(connection, change)
        value, window_end, _ = cursor_after(connection, change)
        missing = (
            ()
            if lets_go(systems[change.system])
            else _missing(connection, change, _next_start(change, now), _next_start(change, (value, window_end)))
        )
        replays = _replays(connection, change)
        golden = {
            name: _golden(connection, change, name)
            for name in sorted(entities)
            if change.name in entities[name].streams
        }
    return StreamPlan(
        stream=change.name,
        loads=change.loads,
        rows=rows,
        cursor_before=(now[0] or now[1].isoformat()) if now else None,
        cursor_after=value or (window_end.isoformat() if window_end else None),
        missing=missing,
        hints=tuple(_hints(change, systems, missing, replays)),
        golden_records={name: count for name, count in golden.items() if count},
    )


def as_json(plans: Sequence[StreamPlan]) -> list[dict[str, object]]:
    """The plan as it is stored in ops.rollback."""
    return [asdict(plan) for plan in plans]


def _next_start(change: StreamChange, cursor: tuple[str | None, datetime | None] | None) -> datetime:
    """Where the next run would begin to read, given this cursor."""
    if cursor is None or cursor[1] is None:
        return BEGINNING
    return resume_start(cursor[0], cursor[1], change.stream, datetime.now(UTC))


def _missing(
    connection: psycopg.Connection, change: StreamChange, start_before: datetime, start_after: datetime
) -> tuple[tuple[str, str], ...]:
    """The windows that nothing covers afterwards.

    Of a rollback: those of its loads, up to where the next run begins. Of an undo: those of other loads that stay
    rolled back, from where the next run would have begun. A replay has read no window, nor has
    a sweep.
    """
    windows = connection.execute(
        """
        select greatest(window_start, %(from)s), least(window_end, %(to)s) from ops.load l
        where system = %(system)s and stream = %(stream)s
          and greatest(window_start, %(from)s) < least(window_end, %(to)s)
          and case when %(out)s then load_id = any (%(loads)s)
                   else state = 'rolled_back' and load_id <> all (%(loads)s) end
          and not exists (select from ops.replay_row r where r.load_id = l.load_id) and not l.sweep
        order by 1, 2
        """,
        {
            "system": change.system,
            "stream": change.stream_name,
            "loads": list(change.loads),
            "out": change.target == "rolled_back",
            "from": BEGINNING if change.target == "rolled_back" else start_before,
            "to": start_after,
        },
    ).fetchall()
    return tuple((start.isoformat(), end.isoformat()) for start, end in windows)


def _golden(connection: psycopg.Connection, change: StreamChange, entity: str) -> int:
    """How many golden records of the newest publish have a record of which find_row_effects() has found an effect."""
    query = sql.SQL(
        """
        select count(distinct {id}) from {crosswalk}
        where system = %s and stream = %s and _ended_publish_id is null
          and key in (select _key from pg_temp.version_effect)
        """
    ).format(id=sql.Identifier(f"{entity}_id"), crosswalk=sql.Identifier("conformed", f"{entity}_crosswalk_version"))
    count: int = one_row(connection.execute(query, (change.system, change.stream_name)))[0]
    return count


def _replays(connection: psycopg.Connection, change: StreamChange) -> frozenset[int]:
    """Those of the change's loads that are a replay's."""
    found = connection.execute(
        "select distinct load_id from ops.replay_row where load_id = any (%s)", (list(change.loads),)
    )
    return frozenset(load_id for (load_id,) in found)


def _hints(
    change: StreamChange, systems: Mapping[str, System], missing: Sequence[tuple[str, str]], replays: frozenset[int]
) -> Iterator[str]:
    system = systems[change.system]
    why = unaskable(system, change.stream_name, None, datetime.now(UTC))
    has_no_windows = why is not None and why.reason == "log"
    if change.target == "rolled_back" and replays:
        yield "rows that a replay had closed are open in quarantine again, where the load that quarantined them stays"
    if change.target == "rolled_back" and not replays.issuperset(change.loads):
        if acknowledges(system):
            yield (
                f"WARNING: these records were acknowledged to {system.title}, which may have deleted them: they "
                "cannot be fetched again. Only undoing this rollback brings them back."
            )
            return
        if lets_go(system):
            yield (
                f"WARNING: {system.title} has let go of what is rolled back, and does not tell it again. Loads of the "
                "stream refuse to go on until this rollback is undone, or the stream is loaded anew: "
                f"{anew(change.name)}"
            )
            return
        if has_no_windows:
            yield (
                "where the newest load of the stream is among these, the next load reads from the oldest that its "
                "source or the inbox still has; else what is rolled back stays missing until the stream is loaded "
                f"anew: {anew(change.name)}"
            )
            return
        if not missing:
            yield "the next run reads from that cursor on, so it reads again what is rolled back"
    if missing and has_no_windows:
        yield f"what stays rolled back stays missing until the stream is loaded anew: {anew(change.name)}"
        return
    for start, end in missing:
        yield (
            "this window stays missing until it is loaded again: "
            f"bin/onefold sync {change.system} --from {start} --to {end}"
        )
