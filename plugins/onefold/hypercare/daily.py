"""What is done of hypercare once a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg

from onefold.catalog.reader import Catalog
from onefold.hypercare.figures import DAY, read_days, total
from onefold.hypercare.ledger import write_messages
from onefold.hypercare.messages import WEEK
from onefold.hypercare.send import send_messages
from onefold.hypercare.subjects import Subject, find_subjects
from onefold.hypercare.thresholds import KIND, alert_of_stream, findings, tightened
from onefold.notify.receiver import Receiver


def watch_new(
    connection: psycopg.Connection,
    actor: str,
    catalog: Catalog,
    days: int,
    zone: ZoneInfo,
    now: datetime,
    signers: Mapping[str, Sequence[Receiver]],
    everybody: Sequence[Receiver],
) -> Mapping[str, object]:
    """Find what is new, check its last whole day, and write and send what is due. Doing it again changes nothing.

    Returns figures for the UI. `days` 0: nothing new is taken up; what is in hypercare comes to its end.
    """
    subjects = find_subjects(connection, catalog, days, zone, now)
    row = connection.execute("select currency from ops.price_list").fetchone()
    _check_day(connection, actor, catalog, subjects, zone, now)
    written = write_messages(connection, subjects, row[0] if row else None, zone, now)
    sent = send_messages(connection, signers, everybody)
    return {"in hypercare": len(subjects), "messages written": written, "messages sent": sent}


def _check_day(
    connection: psycopg.Connection,
    actor: str,
    catalog: Catalog,
    subjects: Sequence[Subject],
    zone: ZoneInfo,
    now: datetime,
) -> None:
    """Alerts of kind hypercare, by the last whole day; those of streams that are no longer new are resolved."""
    yesterday = now.astimezone(zone).date() - DAY
    new = sorted({name for each in subjects if each.lasts_on(yesterday) for name in each.streams})
    days = read_days(connection, yesterday - WEEK, yesterday + DAY, zone) if new else {}
    for name in new:
        system, _, stream = name.partition(".")
        if system in catalog.systems and stream in catalog.systems[system].streams:
            of_system = catalog.systems[system]
            week = total(days, [name], yesterday - WEEK, yesterday - DAY)
            tight = tightened(of_system.streams[stream], of_system.schedule)
            alert_of_stream(connection, actor, name, findings(total(days, [name], yesterday, yesterday), week, tight))
    past = "select subject from ops.alert where kind = %s and resolved_at is null and not subject = any (%s)"
    for (name,) in connection.execute(past, (KIND, new)).fetchall():
        alert_of_stream(connection, actor, name, [])
