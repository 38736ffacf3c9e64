"""Alerts (ops.alert): each receiver is notified once when one opens and once when it is resolved."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from onefold.audit import AuditEvent, append
from onefold.errors import OnefoldError, Retriable
from onefold.notify.notification import Message, Notification
from onefold.notify.receiver import Receiver
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)

ATTEMPTS = 3


def open_alert(connection: psycopg.Connection, actor: str, kind: str, subject: str, message: str) -> bool:
    """Record that something is wrong; returns whether the alert is new. `message` has names and figures only."""
    alert_id: int
    is_new: bool
    with connection.transaction():
        alert_id, is_new = one_row(
            connection.execute(
                "insert into ops.alert (kind, subject, message) values (%s, %s, %s)"
                " on conflict (kind, subject) where resolved_at is null"
                " do update set last_seen = now(), occurrences = ops.alert.occurrences + 1,"
                " message = excluded.message"
                " returning alert_id, occurrences = 1",
                (kind, subject, message),
            )
        )
        if is_new:
            _audit(connection, actor, "alert.open", alert_id, kind, subject)
    return is_new


def resolve_alert(connection: psycopg.Connection, actor: str, kind: str, subject: str) -> bool:
    """Record that nothing is wrong now; returns whether an alert was open."""
    with connection.transaction():
        row = connection.execute(
            "update ops.alert set resolved_at = now() where kind = %s and subject = %s and resolved_at is null"
            " returning alert_id",
            (kind, subject),
        ).fetchone()
        if row:
            _audit(connection, actor, "alert.resolve", row[0], kind, subject)
    return row is not None


def deliver_notifications(connection: psycopg.Connection, receivers: Iterable[Receiver]) -> int:
    """Send each receiver the notifications that it has not had yet; returns how many arrived.

    Call it outside any transaction. A receiver that fails is logged and gets them with the next delivery: its failure
    must not fail the task that opened the alert. Of an alert that is resolved before a receiver was notified of it,
    that receiver is not notified at all.
    """
    return sum(_deliver_to(connection, receiver) for receiver in receivers)


def _deliver_to(connection: psycopg.Connection, receiver: Receiver) -> int:
    delivered = 0
    try:
        while _deliver_next(connection, receiver):
            delivered += 1
    except OnefoldError as error:
        log.warning("A notification was not delivered; it will be sent again with the next ones: %s", error)
    return delivered


_PENDING = """
select alert_id, kind, subject, message, first_seen, resolved_at from ops.alert
where case when resolved_at is null then not %(name)s = any (notified_open)
           else %(name)s = any (notified_open) and not %(name)s = any (notified_resolved) end
order by alert_id limit 1 for update skip locked
"""


@dataclass(frozen=True, slots=True)
class _Alert:
    """A row of ops.alert of which a receiver is not notified yet."""

    alert_id: int
    kind: str
    subject: str
    message: str
    first_seen: datetime
    resolved_at: datetime | None

    @property
    def notification(self) -> Notification:
        return Notification(self.kind, self.subject, self.message, self.first_seen, self.resolved_at)


def _deliver_next(connection: psycopg.Connection, receiver: Receiver) -> bool:
    """Send one notification and record it in the same transaction; returns False when there is none left."""
    with connection.transaction(), connection.cursor(row_factory=class_row(_Alert)) as cursor:
        alert = cursor.execute(_PENDING, {"name": receiver.name}).fetchone()
        if alert is None:
            return False
        send(receiver, alert.notification)
        column = sql.Identifier("notified_resolved" if alert.resolved_at else "notified_open")
        cursor.execute(
            sql.SQL("update ops.alert set {0} = {0} || %s::text where alert_id = %s").format(column),
            (receiver.name, alert.alert_id),
        )
    return True


@retry(
    retry=retry_if_exception_type(Retriable),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential(multiplier=0.5, max=10),
    reraise=True,
)
def send(receiver: Receiver, message: Message) -> None:
    """Send it, again where a later attempt may work. Raises Retriable or Fatal when it did not arrive."""
    receiver.send(message)


def _audit(connection: psycopg.Connection, actor: str, action: str, alert_id: int, kind: str, subject: str) -> None:
    append(connection, AuditEvent(actor, action, f"alert:{alert_id}", payload={"kind": kind, "about": subject}))
