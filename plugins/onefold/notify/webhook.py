"""Notifications to a channel of Slack or Teams, by the webhook of an Airflow connection.

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
from onefold.http.wire import Request, Wire
from onefold.notify.notification import Message

SECONDS = 20
_RETRIABLE = frozenset({408, 425, 429})
LARGEST = 1 << 20
"""Bytes of an answer; a webhook says a word or two."""


@dataclass(frozen=True)
class WebhookReceiver:
    """Posts to a webhook. Its address is a secret: the connection has its host, the connection's password its path."""

    name: str
    endpoint: Callable[[], Endpoint]

    def send(self, message: Message) -> None:
        """Raises Fatal for a wrong address, Retriable where a later attempt may work. The address is never shown."""
        body = json.dumps(_card(message) if self.name.startswith("teams:") else _slack(message)).encode()
        endpoint = self.endpoint()
        with closing(Wire(self.name, self.name.partition(":")[2], endpoint.url, LARGEST)) as wire:
            url = wire.url(endpoint.password or "")
            request = Request("POST", url, {"Content-Type": "application/json"}, body)
            try:
                response = wire.exchange(request, SECONDS, self.name)
            except Again as error:
                raise Retriable(f"{self.name}: {error}.") from None
        if response.status in _RETRIABLE or response.status >= 500:
            raise Retriable(f"{self.name}: the webhook answered {response.status}.")
        if not 200 <= response.status < 300:
            raise Fatal(
                f"{self.name}: the webhook answered {response.status}. Create a new one in the channel and put its "
                "host and (as the password) its path into the Airflow connection."
            )


def _slack(message: Message) -> dict[str, str]:
    """The message as Slack takes it, in which &, < and > must be escaped."""
    text = f"{message.title}\n{message.text}"
    for sign, escaped in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, escaped)
    return {"text": text}


def _card(message: Message) -> dict[str, object]:
    color = "Attention" if message.is_problem else "Good"
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": message.title, "weight": "Bolder", "color": color, "wrap": True},
            {"type": "TextBlock", "text": message.text, "wrap": True},
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}
