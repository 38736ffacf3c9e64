"""ops.hypercare_message: one digest a day and one report for each who has signed, and whom they were sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import psycopg

from onefold.hypercare.figures import DAY, read_days
from onefold.hypercare.messages import WEEK, digest, report
from onefold.hypercare.subjects import Subject
from onefold.warehouse.rows import one_row

# Days of before Onefold could do this are not told of.
_SINCE = "select applied_at from ops.schema_migration where name = '0832_hypercare'"
_WRITE = """
insert into ops.hypercare_message (day, signed_by, kind, message) values (%s, %s, %s, %s) on conflict do nothing
"""
_LAST_TOLD = "select max(day) from ops.hypercare_message where kind = 'digest' and signed_by = %s"


@dataclass(frozen=True, slots=True)
class _Due:
    """A message that is to be written: of which kind, for whom, of which day, about what."""

    kind: str
    signed_by: str
    day: date
    subjects: Sequence[Subject]


def write_messages(
    connection: psycopg.Connection, subjects: Sequence[Subject], currency: str | None, zone: ZoneInfo, now: datetime
) -> int:
    """Write what is due of whole days, each once however often this runs; returns how many are new.

    A subject whose last day is over has its report, and is ended, in the same transaction.
    """
    today = now.astimezone(zone).date()
    with connection.transaction():
        # Who writes at the same time waits here, and then finds what was written.
        connection.execute("select pg_advisory_xact_lock(hashtextextended('onefold hypercare', 0))")
        still = {row[0] for row in connection.execute("select hypercare_id from ops.hypercare where ended_at is null")}
        waiting = [each for each in subjects if each.hypercare_id in still]
        if not waiting:
            return 0
        first = min(each.first_day for each in waiting)
        days = read_days(connection, first - WEEK, today, zone)
        since = _since(connection, zone)
        written = 0
        for due in (*_digests(connection, waiting, max(first, since), today), *_reports(waiting, today)):
            text = (digest if due.kind == "digest" else report)(due.subjects, due.day, days, currency)
            written += connection.execute(_WRITE, (due.day, due.signed_by, due.kind, text)).rowcount
        ended = [each.hypercare_id for each in waiting if each.last_day < today]
        connection.execute("update ops.hypercare set ended_at = now() where hypercare_id = any (%s)", (ended,))
    return written


def _since(connection: psycopg.Connection, zone: ZoneInfo) -> date:
    at: datetime = one_row(connection.execute(_SINCE))[0]
    return at.astimezone(zone).date()


def _by_signer(subjects: Iterable[Subject]) -> list[tuple[str, list[Subject]]]:
    ordered = sorted(subjects, key=lambda each: (each.signed_by, each.kind, each.name))
    return [(who, list(group)) for who, group in groupby(ordered, key=lambda each: each.signed_by)]


def _digests(connection: psycopg.Connection, subjects: Sequence[Subject], first: date, today: date) -> Iterable[_Due]:
    """One for each whole day since the last one."""
    for who, of_signer in _by_signer(subjects):
        told = one_row(connection.execute(_LAST_TOLD, (who,)))[0]
        day = max(first, told + DAY) if told else first
        while day < today:
            if about := [each for each in of_signer if each.lasts_on(day)]:
                yield _Due("digest", who, day, about)
            day += DAY


def _reports(subjects: Sequence[Subject], today: date) -> Iterable[_Due]:
    """One for each day on which something came to its end."""
    ended = [each for each in subjects if each.last_day < today]
    for day in sorted({each.last_day for each in ended}):
        for who, of_signer in _by_signer(each for each in ended if each.last_day == day):
            yield _Due("report", who, day, of_signer)
