"""What is stored of a request: which event it is, and the headers that say something of it."""

from __future__ import annotations

import hashlib
import re

import msgspec

from onefold.catalog.webhook import Webhook
from onefold.receive.signatures import Headers

_ID = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
_KEPT = (
    *("content-type", "user-agent", "webhook-id", "webhook-timestamp"),
    *("x-github-event", "x-github-delivery", "x-github-hook-id"),
    *("x-shopify-topic", "x-shopify-shop-domain", "x-shopify-webhook-id", "x-shopify-event-id"),
    *("x-shopify-triggered-at", "x-shopify-api-version", "x-slack-retry-num", "x-slack-retry-reason"),
)
"""Never a signature: who has the body and the signature can post both again."""
_LONGEST = 500
_HEADER = {"github": "x-github-delivery", "standard": "webhook-id"}
_MEMBER = {"stripe": "id", "slack": "event_id"}


class _SlackChallenge(msgspec.Struct):
    type: str
    challenge: str


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_CHALLENGE = msgspec.json.Decoder(_SlackChallenge)


def event_id(webhook: Webhook, headers: Headers, body: bytes) -> str:
    """The sender's id of the event, the same when it is sent again; the digest of the body where there is none."""
    if webhook.signature in _MEMBER:
        found = _member(body, _MEMBER[webhook.signature])
    elif webhook.signature == "shopify":
        found = _shopify_event(headers)
    else:
        found = headers.get(_HEADER.get(webhook.signature) or (webhook.event_id or "").lower())
    return stored_id(found, body)


def stored_id(given: str | None, body: bytes) -> str:
    """The sender's id where it can be one, else the digest of the body."""
    return given if given and _ID.fullmatch(given) else f"sha256:{hashlib.sha256(body).hexdigest()}"


def kept_headers(headers: Headers) -> dict[str, str]:
    """The headers that are stored with the event."""
    return {name: headers[name][:_LONGEST] for name in _KEPT if name in headers}


def slack_challenge(body: bytes) -> str | None:
    """What Slack wants back when somebody enters our address there; None where the body is an event."""
    try:
        found = _CHALLENGE.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return None
    return found.challenge if found.type == "url_verification" else None


def _shopify_event(headers: Headers) -> str | None:
    """One action of a merchant has one id, also in events of several topics.

    Source: shopify.dev, "Ignore duplicate webhooks" (X-Shopify-Event-Id)."""
    found = headers.get("x-shopify-event-id")
    return found and f"{headers.get('x-shopify-topic', '')}:{found}"


def _member(body: bytes, name: str) -> str | None:
    try:
        return _TEXT.decode(_MEMBERS.decode(body)[name])
    except (msgspec.MsgspecError, RecursionError, KeyError, UnicodeDecodeError):
        return None
