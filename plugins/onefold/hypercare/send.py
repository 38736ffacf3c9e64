"""Sends digests and reports to who has signed for what they are about."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import psycopg

from onefold.errors import Fatal, OnefoldError
from onefold.http.endpoint import Endpoint
from onefold.notify.alert import send
from onefold.notify.receiver import Receiver, read_receivers

log = logging.getLogger(__name__)

_SIGNERS = """
select distinct signed_by from ops.hypercare_message where created_at > now() - interval '7 days' order by 1
"""
_NEXT = """
select day, kind, message from ops.hypercare_message
where signed_by = %(who)s and not %(name)s = any (notified) and created_at > now() - interval '7 days'
order by day, kind limit 1 for update skip locked
"""
_SENT = """
update ops.hypercare_message set notified = notified || %(name)s::text
where day = %(day)s and signed_by = %(who)s and kind = %(kind)s
"""


@dataclass(frozen=True, slots=True)
class HypercareMessage:
    """A digest or a report, as receivers get it."""

    day: date
    kind: str
    message: str
    is_problem: bool = False

    @property
    def title(self) -> str:
        return f"Onefold: hypercare {self.kind} of {self.day:%Y-%m-%d}"

    @property
    def text(self) -> str:
        return self.message


def read_signers(setting: str, endpoint: Callable[[str], Endpoint]) -> dict[str, Sequence[Receiver]]:
    """Receivers by who has signed, of a setting such as `anna.kowal=email:anna,piotr.zaremba=slack:piotr`. Raises Fatal
    for one that cannot be read."""
    found: dict[str, list[Receiver]] = {}
    for each in filter(None, (part.strip() for part in setting.split(","))):
        name, equals, receiver = each.partition("=")
        if not (name and equals and receiver):
            raise Fatal(
                f"ONEFOLD_HYPERCARE: {each!r} is not a person and a receiver. Write, for example, "
                "anna.kowal=email:anna_mail,piotr.zaremba=slack:piotr_slack"
            )
        found.setdefault(name.strip(), []).extend(read_receivers(receiver, endpoint))
    return dict(found)


def send_messages(
    connection: psycopg.Connection, signers: Mapping[str, Sequence[Receiver]], everybody: Sequence[Receiver]
) -> int:
    """Send what each receiver has not had yet; returns how many arrived. Call it outside any transaction.

    What somebody signed who has no receiver of their own, and what nobody signed, goes to `everybody`. A receiver that
    fails is logged and gets it with the next run, for a week.
    """
    sent = 0
    for (who,) in connection.execute(_SIGNERS).fetchall():
        for receiver in signers.get(who.partition(":")[2]) or everybody:
            try:
                while _send_next(connection, who, receiver):
                    sent += 1
            except OnefoldError as error:
                log.warning("A digest was not delivered; it will be sent again with the next run: %s", error)
    return sent


def _send_next(connection: psycopg.Connection, who: str, receiver: Receiver) -> bool:
    """Send one and record it in the same transaction; another run meanwhile leaves it alone. False: none is left."""
    about = {"who": who, "name": receiver.name}
    with connection.transaction():
        row = connection.execute(_NEXT, about).fetchone()
        if row is None:
            return False
        found = HypercareMessage(*row)
        send(receiver, found)
        connection.execute(_SENT, {**about, "day": found.day, "kind": found.kind})
    return True
