"""Alerts (ops.alert): told once when something is wrong and once when it has healed, not each time that it is seen."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import psycopg
from psycopg.rows import class_row
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from onefold.audit import AuditEvent, append
from onefold.errors import OnefoldError, Retriable
from onefold.notify.notification import Notice
from onefold.notify.receiver import Receiver

log = logging.getLogger(__name__)

ATTEMPTS = 3


def wrong(connection: psycopg.Connection, actor: str, kind: str, subject: str, what: str) -> bool:
    """Note that something is wrong; returns whether that is new. `what` says it in names and figures only."""
    with connection.transaction():
        alert_id, new = connection.execute(
            "insert into ops.alert (kind, subject, what) values (%s, %s, %s)"
            " on conflict (kind, subject) where healed_at is null"
            " do update set last_seen = now(), times = ops.alert.times + 1, what = excluded.what"
            " returning alert_id, times = 1",
            (kind, subject, what),
        ).fetchone()
        if new:
            _audit(connection, actor, "alert.open", alert_id, kind, subject)
    return new


def healed(connection: psycopg.Connection, actor: str, kind: str, subject: str) -> bool:
    """Note that it is right; returns whether it was wrong before."""
    with connection.transaction():
        row = connection.execute(
            "update ops.alert set healed_at = now() where kind = %s and subject = %s and healed_at is null"
            " returning alert_id",
            (kind, subject),
        ).fetchone()
        if row:
            _audit(connection, actor, "alert.heal", row[0], kind, subject)
    return row is not None


def deliver(connection: psycopg.Connection, receivers: Iterable[Receiver]) -> int:
    """Tell each receiver what it has not heard yet; returns how many notices arrived.

    Outside any transaction. A receiver that fails is logged and hears it with the next delivery: its fault must not
    fail what noticed the alert. What heals before a receiver has heard of it is not told at all.
    """
    return sum(_deliver(connection, receiver) for receiver in receivers)


def _deliver(connection: psycopg.Connection, receiver: Receiver) -> int:
    told = 0
    try:
        while _tell_next(connection, receiver):
            told += 1
    except OnefoldError as error:
        log.warning("An alert was not delivered, and will be with the next: %s", error)
    return told


_UNTOLD = """
select alert_id, kind, subject, what, first_seen, healed_at as healed from ops.alert
where case when healed_at is null then not %(name)s = any (told_wrong)
           else %(name)s = any (told_wrong) and not %(name)s = any (told_healed) end
order by alert_id limit 1 for update skip locked
"""


def _tell_next(connection: psycopg.Connection, receiver: Receiver) -> bool:
    """Tell one notice, marked in the same transaction; returns False when there is none left."""
    with connection.transaction(), connection.cursor(row_factory=class_row(_Untold)) as cursor:
        untold = cursor.execute(_UNTOLD, {"name": receiver.name}).fetchone()
        if untold is None:
            return False
        _tell(receiver, untold.notice)
        column = psycopg.sql.Identifier("told_healed" if untold.notice.healed else "told_wrong")
        cursor.execute(
            psycopg.sql.SQL("update ops.alert set {0} = {0} || %s::text where alert_id = %s").format(column),
            (receiver.name, untold.alert_id),
        )
    return True


@retry(
    retry=retry_if_exception_type(Retriable),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential(multiplier=0.5, max=10),
    reraise=True,
)
def _tell(receiver: Receiver, notice: Notice) -> None:
    receiver.tell(notice)


class _Untold:
    """A notice and the alert that it is of."""

    def __init__(self, alert_id: int, **notice: object) -> None:
        self.alert_id = alert_id
        self.notice = Notice(**notice)


def _audit(connection: psycopg.Connection, actor: str, action: str, alert_id: int, kind: str, subject: str) -> None:
    append(connection, AuditEvent(actor, action, f"alert:{alert_id}", payload={"kind": kind, "about": subject}))
