"""Which quarantined rows to replay, and what a replay would find: nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.mistakes import did_you_mean
from onefold.catalog.system import System
from onefold.errors import Fatal


@dataclass(frozen=True, slots=True)
class Choice:
    """By what rows are chosen; None leaves it open. Only rows that still wait are ever chosen.

    `expectation` is text that stands in the expectation that refused them or in their reason, small and capital letters
    alike. `start` and `end` bound when they were quarantined: [start, end). `mapping_version` is that of the mapping of
    any entity by which they were judged.
    """

    system: str | None = None
    stream: str | None = None
    expectation: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    mapping_version: int | None = None

    def as_json(self) -> dict[str, object]:
        """What was given, as plain JSON."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()}


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many rows of a stream, refused for one reason, that match a choice. `why_not`: why they cannot be replayed."""

    system: str
    stream: str
    expectation: str
    reason: str
    rows: int
    why_not: str | None


UNREADABLE = "kept as text, since it could not be read as a record: have the source mended, then load its window again"
UNKNOWN = "the stream is no longer in catalog/systems"


def check(choice: Choice, systems: Mapping[str, System]) -> None:
    """Raises Fatal, with what to write instead, when the choice names what there is not or ends before it starts."""
    if choice.system and choice.system not in systems:
        raise Fatal(
            f"There is no system {choice.system!r} in catalog/systems; "
            f"{did_you_mean(choice.system, systems, 'systems')}. Nothing was changed."
        )
    if choice.stream and not choice.system:
        raise Fatal(f"Stream {choice.stream!r} of which system? Name the system too. Nothing was changed.")
    if choice.stream and choice.stream not in (streams := systems[choice.system].streams):
        raise Fatal(
            f"System {choice.system} has no stream {choice.stream!r}; "
            f"{did_you_mean(choice.stream, streams, 'streams')}. Nothing was changed."
        )
    if choice.start and choice.end and choice.start >= choice.end:
        raise Fatal(
            f"The times quarantined start at {choice.start:%FT%TZ}, not before their end {choice.end:%FT%TZ}: "
            "swap them. Nothing was changed."
        )


MATCHES = sql.SQL(
    """
    q.state = 'open'
    and (%(system)s::text is null or q.system = %(system)s) and (%(stream)s::text is null or q.stream = %(stream)s)
    and (%(expectation)s::text is null
         or position(lower(%(expectation)s) in lower(q.expectation || ' ' || q.reason)) > 0)
    and (%(start)s::timestamptz is null or q.quarantined_at >= %(start)s)
    and (%(end)s::timestamptz is null or q.quarantined_at < %(end)s)
    and (%(mapping_version)s::int is null or exists (
        select from jsonb_each(q.mapping_versions) v where v.value = to_jsonb(%(mapping_version)s::int)))
    """
)
"""Whether a row `q` of ops.quarantine is among those that a choice asks for."""

CAN_BE_REPLAYED = sql.SQL("q.payload is not null and q.system || '.' || q.stream = any(%(known)s)")
"""Whether a row `q` can become a record at all."""


_WAITING = sql.SQL(
    """
    select system, stream, expectation, reason, count(*) as rows,
           case when q.payload is null then %(unreadable)s when not ({}) then %(unknown)s end as why_not
    from ops.quarantine q where {}
    group by 1, 2, 3, 4, 6 order by 1, 2, 6 nulls first, 5 desc, 3, 4
    """
).format(CAN_BE_REPLAYED, MATCHES)


def parameters(choice: Choice, systems: Mapping[str, System]) -> dict[str, object]:
    """The values that MATCHES and CAN_BE_REPLAYED take."""
    known = [f"{name}.{stream}" for name, system in systems.items() for stream in system.streams]
    return {**asdict(choice), "known": known}


def waiting(connection: psycopg.Connection, choice: Choice, systems: Mapping[str, System]) -> list[Waiting]:
    """What a replay would choose, and what it could not, by stream and reason."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(
            _WAITING,
            {**parameters(choice, systems), "unreadable": UNREADABLE, "unknown": UNKNOWN},
        ).fetchall()
