"""Change and lifecycle notifications of Microsoft Graph: each one shows the clientState of its subscription.

Source: learn.microsoft.com/graph, "Receive change notifications through webhooks", "Reduce missing subscriptions and
change notifications".
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

import msgspec

from onefold.receive.notification import Notification

_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NOTIFICATIONS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_TEXT = msgspec.json.Decoder(str)
_LONGEST_TOKEN = 2_000


def change_notifications(body: bytes) -> list[Notification]:
    """The notifications of a request, each as it stands there but without the clientState.

    One without an id gets a new one each time: two changes of one record may look the same, and the second must not be
    taken for the first sent again. No notification where the body is no such request.
    """
    try:
        found = _NOTIFICATIONS.decode(_BODY.decode(body)["value"])
    except (msgspec.MsgspecError, RecursionError, KeyError, UnicodeDecodeError):
        return []
    return [
        Notification(
            (_text(each.get("clientState")) or "").encode(),
            _text(each.get("id")) or f"none:{uuid4()}",
            msgspec.json.encode({name: value for name, value in each.items() if name != "clientState"}),
        )
        for each in found
    ]


def validation_token(query: Mapping[str, str]) -> str | None:
    """What Graph wants back as plain text when somebody makes a subscription with our address."""
    token = query.get("validationToken")
    return token[:_LONGEST_TOKEN] if token else None


def _text(value: msgspec.Raw | None) -> str | None:
    try:
        return _TEXT.decode(value) if value is not None else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
