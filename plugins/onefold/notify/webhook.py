"""Notices to a channel of Slack or Teams, by the webhook of an Airflow connection.

Slack reads {"text": …} (api.slack.com, "Sending messages using incoming webhooks"); Teams an Adaptive Card in a message
(learn.microsoft.com, "Create incoming webhooks with Workflows for Microsoft Teams").
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again
from onefold.http.wire import Wire
from onefold.notify.notification import Notice

SECONDS = 20
_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Webhook:
    """Posts to a webhook. The address is a secret: its path is the connection's password, its host the connection's."""

    name: str
    endpoint: Callable[[], Endpoint]

    def tell(self, notice: Notice) -> None:
        """Raises Fatal where the address is wrong, Retriable where it may work later. The address is never shown."""
        body = json.dumps(_card(notice) if self.name.startswith("teams:") else _slack(notice)).encode()
        endpoint = self.endpoint()
        with closing(Wire(self.name, self.name.partition(":")[2], endpoint.url)) as wire:
            url = wire.url(endpoint.password or "")
            try:
                answer = wire.exchange("POST", url, {"Content-Type": "application/json"}, body, SECONDS, self.name)
            except Again as error:
                raise Retriable(f"{self.name}: {error}.") from None
        if answer.status in _LATER or answer.status >= 500:
            raise Retriable(f"{self.name}: the webhook answered {answer.status}.")
        if not 200 <= answer.status < 300:
            raise Fatal(
                f"{self.name}: the webhook answered {answer.status}. Make a new one in the channel and put its host "
                "and (as the password) its path into the Airflow connection."
            )


def _slack(notice: Notice) -> dict[str, str]:
    """Slack reads &, < and > as its own marks."""
    text = f"{notice.title}\n{notice.text}"
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, written)
    return {"text": text}


def _card(notice: Notice) -> dict[str, object]:
    color = "Good" if notice.healed else "Attention"
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": notice.title, "weight": "Bolder", "color": color, "wrap": True},
            {"type": "TextBlock", "text": notice.text, "wrap": True},
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}
