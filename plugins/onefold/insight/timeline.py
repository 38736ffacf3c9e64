"""The audit trail as a timeline: who did what, to what, when, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.insight.page import bounded
from onefold.warehouse.rows import one_row

SEARCHED = 100_000
"""How many events one page looks through: a filter that few events meet stays quick, and says how far it looked."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the chain. `actor` is named as in actor.py, `from_` and `to` are where data came from and went."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    from_: str | None
    to: str | None
    payload: Mapping[str, object]
    result: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; None means any.

    `person` is a user as Airflow or the operating system names them. `action` is one ("load.publish") or a group of
    them ("load"), `subject` one ("load:69") or a kind ("load"). Times are [since, until).
    """

    person: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some events, the newest first, out of those from `first_seq` to `last_seq`. `before` asks for older ones; None:
    there are none that could meet the filter."""

    rows: tuple[Event, ...]
    first_seq: int
    last_seq: int
    before: int | None


# Events are numbered without a gap and in the order of their time, so the one at an instant is found by halving.
_FIRST_SINCE = """
with recursive halving (low, high) as (
    select 1::bigint, coalesce((select max(seq) from audit.event), 0) + 1
    union all
    select case when middle.at < %(instant)s then middle.seq + 1 else low end,
           case when middle.at < %(instant)s then high else middle.seq end
    from halving join audit.event as middle on middle.seq = (low + high) / 2 where low < high
)
select low from halving where low >= high"""
_EVENTS = """
select seq, at, actor, action, subject, "from" as from_, "to" as to, payload, result from audit.event
where seq between %(first)s and %(last)s
  and (%(person)s::text is null or actor in ('airflow:' || %(person)s, 'os:' || %(person)s, 'role:' || %(person)s)
       or starts_with(actor, 'airflow:by:' || %(person)s || '/'))
  and (%(action)s::text is null or action = %(action)s or starts_with(action, %(action)s || '.'))
  and {subject}
  and (%(since)s::timestamptz is null or at >= %(since)s) and (%(until)s::timestamptz is null or at < %(until)s)
order by seq desc limit %(rows)s"""
_ONE_SUBJECT = "subject = %(subject)s"
_ANY_SUBJECT = "(%(subject)s::text is null or starts_with(subject, %(subject)s || ':'))"


def timeline(
    connection: psycopg.Connection, wanted: Filter, *, before: int | None = None, limit: int = 100
) -> Timeline:
    """The events that meet the filter, the newest first. Raises Fatal when the limit is out of range."""
    bounded(limit)
    end = one_row(connection.execute("select coalesce(max(seq), 0) + 1 from audit.event"))[0]
    if wanted.until is not None:
        end = min(end, _first_since(connection, wanted.until))
    begin = 1 if wanted.since is None else _first_since(connection, wanted.since)
    last = (end if before is None else min(end, before)) - 1
    one = wanted.subject is not None and ":" in wanted.subject  # an index finds its events, however old they are
    first = begin if one else max(begin, last - SEARCHED + 1)
    given = {**asdict(wanted), "first": first, "last": last, "rows": limit + 1}
    with connection.cursor(row_factory=class_row(Event)) as cursor:
        query = sql.SQL(_EVENTS).format(subject=sql.SQL(_ONE_SUBJECT if one else _ANY_SUBJECT))
        rows = cursor.execute(query, given).fetchall()
    some = tuple(rows[:limit])
    if len(rows) > limit:
        return Timeline(some, some[-1].seq, last, some[-1].seq)
    return Timeline(some, first, last, first if first > begin else None)


def _first_since(connection: psycopg.Connection, instant: datetime) -> int:
    """The number of the first event at or after the instant; one more than the newest when there is none."""
    return int(one_row(connection.execute(_FIRST_SINCE, {"instant": instant}))[0])
