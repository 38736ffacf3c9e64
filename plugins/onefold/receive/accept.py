"""Which events a request brings that its sender stands for."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from onefold.receive.events import event_id, stored_id
from onefold.receive.hooks import Hook
from onefold.receive.microsoft_graph import change_notifications
from onefold.receive.notification import Notification
from onefold.receive.salesforce import outbound_notifications
from onefold.receive.signatures import Headers, is_signed

_READ = {"salesforce_outbound": outbound_notifications, "microsoft_graph": change_notifications}
"""By signature, what takes the notifications out of a body in which each shows who sends it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The events, by id; `all` says whether nothing else was in the request."""

    events: Sequence[tuple[str, bytes]] = ()
    all: bool = False


def accept(hook: Hook, headers: Headers, body: bytes, now: float) -> Accepted:
    """What may be stored of a request. `now`: seconds since 1970.

    Of several notifications those of a subscription whose secret is not known (yet) are left out: the sender is refused
    after the others are stored, and sends all of them again.
    """
    webhook = hook.webhook
    if webhook.certificate_header and not _is_one_of(
        headers.get(webhook.certificate_header.lower(), "").encode(), hook.certificates
    ):
        return Accepted()
    if read := _READ.get(webhook.signature):
        found = read(body)
        known = [each for each in found if _is_one_of(each.claim, hook.keys)]
        return Accepted([_event(each) for each in known], all=bool(found) and len(known) == len(found))
    if not is_signed(webhook, hook.keys, headers, body, now):
        return Accepted()
    return Accepted([(event_id(webhook, headers, body), body)], all=True)


def _event(notification: Notification) -> tuple[str, bytes]:
    return stored_id(notification.event_id, notification.body), notification.body


def _is_one_of(given: bytes, expected: Sequence[bytes]) -> bool:
    found = False
    for each in expected:
        found |= hmac.compare_digest(given, each)
    return found
