"""Which quarantined rows to replay, and what a replay would find; nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import psycopg
from psycopg import sql

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.system import System
from onefold.connectors.past import how_to_load_again
from onefold.errors import Fatal


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions on quarantined rows; None means any. Only open rows are ever selected.

    `expectation` is text that the failed expectation, the reason or the withheld attribute contains, in any case.
    `start` and `end` bound the time of quarantine: [start, end). `mapping_version` is the version of any entity's
    mapping that the gate used. `rows` are numbers of ops.quarantine.
    """

    system: str | None = None
    stream: str | None = None
    expectation: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    mapping_version: int | None = None
    rows: tuple[int, ...] | None = None

    def as_json(self) -> dict[str, object]:
        """The given conditions as plain JSON."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class MatchingRows:
    """How many open rows of a stream and reason match a selection. `why_not`: why they cannot be replayed, or None.

    `attribute` (entity.attribute): they are withheld values of published records; None: records that wait.
    """

    system: str
    stream: str
    expectation: str
    reason: str
    rows: int
    why_not: str | None
    attribute: str | None = None


_UNREADABLE = "stored as text, because it is not a readable record: fix the source, or the stream's YAML, then {again}"
_CONFLICT = "several rows have its key: add to primary_key what tells them apart, then {again}"
_UNKNOWN_STREAM = "the stream is no longer in catalog/systems"


def why_no_replay(
    system: str, stream: str, systems: Mapping[str, System], *, unreadable: bool, key_conflict: bool
) -> str | None:
    """Why a row of the stream cannot be replayed, and what to do; None when it can."""
    if system not in systems or stream not in systems[system].streams:
        return _UNKNOWN_STREAM
    if unreadable or key_conflict:
        return (_UNREADABLE if unreadable else _CONFLICT).format(again=how_to_load_again(systems[system], stream))
    return None


def check_selection(selection: Selection, systems: Mapping[str, System]) -> None:
    """Raises Fatal, with the remedy, when the selection names an unknown system or stream, or ends before it starts."""
    if selection.system and selection.system not in systems:
        raise Fatal(
            f"There is no system {selection.system!r} in catalog/systems; "
            f"{did_you_mean(selection.system, systems, 'systems')}. Nothing was changed."
        )
    if selection.stream:
        if selection.system is None:
            raise Fatal(f"Stream {selection.stream!r} of which system? Give the system too. Nothing was changed.")
        streams = systems[selection.system].streams
        if selection.stream not in streams:
            raise Fatal(
                f"System {selection.system} has no stream {selection.stream!r}; "
                f"{did_you_mean(selection.stream, streams, 'streams')}. Nothing was changed."
            )
    if selection.start and selection.end and selection.start >= selection.end:
        raise Fatal(
            f"The time of quarantine starts at {selection.start:%FT%TZ}, not before its end {selection.end:%FT%TZ}: "
            "swap them. Nothing was changed."
        )


MATCHES = sql.SQL(
    """
    q.state = 'open'
    and (%(system)s::text is null or q.system = %(system)s) and (%(stream)s::text is null or q.stream = %(stream)s)
    and (%(expectation)s::text is null
         or position(lower(%(expectation)s) in lower(concat_ws(' ', q.expectation, q.reason, q.attribute))) > 0)
    and (%(start)s::timestamptz is null or q.quarantined_at >= %(start)s)
    and (%(end)s::timestamptz is null or q.quarantined_at < %(end)s)
    and (%(rows)s::bigint[] is null or q.quarantine_id = any(%(rows)s))
    and (%(mapping_version)s::int is null or exists (
        select from jsonb_each(q.mapping_versions) v where v.value = to_jsonb(%(mapping_version)s::int)))
    """
)
"""Whether a row `q` of ops.quarantine meets the conditions of a selection."""

CAN_BE_REPLAYED = sql.SQL("not q.unreadable and not q.key_conflict and q.system || '.' || q.stream = any(%(known)s)")
"""Whether a row `q` can become a record."""

_MATCHING = sql.SQL(
    """
    select system, stream, expectation, reason, attribute, count(*) as rows,
           q.unreadable, q.key_conflict
    from ops.quarantine q where {}
    group by 1, 2, 3, 4, 5, q.unreadable, q.key_conflict
    order by 1, 2, q.unreadable, q.key_conflict, rows desc, 3, 4, 5
    """
).format(MATCHES)


def selection_parameters(selection: Selection, systems: Mapping[str, System]) -> dict[str, object]:
    """The values of the placeholders in MATCHES and CAN_BE_REPLAYED."""
    known = [f"{name}.{stream}" for name, system in systems.items() for stream in system.streams]
    rows = None if selection.rows is None else list(selection.rows)
    return {**asdict(selection), "rows": rows, "known": known}


def matching_rows(
    connection: psycopg.Connection, selection: Selection, systems: Mapping[str, System]
) -> list[MatchingRows]:
    """The open rows that match, by stream and reason, those that cannot be replayed included."""
    found = connection.execute(_MATCHING, selection_parameters(selection, systems)).fetchall()
    return [
        MatchingRows(
            *(system, stream, expectation, reason, rows),
            why_no_replay(system, stream, systems, unreadable=unreadable, key_conflict=key_conflict),
            attribute,
        )
        for system, stream, expectation, reason, attribute, rows, unreadable, key_conflict in found
    ]
