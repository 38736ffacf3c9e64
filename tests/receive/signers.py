"""How senders sign, written from their documentation and not from our code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass

from onefold.catalog.webhook import Webhook

NOW = 1_790_000_000
Sign = Callable[[str, bytes, int], dict[str, str]]
"""The headers of a body, by the secret and the time."""


def _hex(secret: bytes, signed: bytes) -> str:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


def _base64(secret: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def stripe(secret: str, body: bytes, at: int) -> dict[str, str]:
    return {"stripe-signature": f"t={at},v1={_hex(secret.encode(), f'{at}.'.encode() + body)},v0=of-tests-only"}


def github(secret: str, body: bytes, at: int) -> dict[str, str]:
    delivery = hashlib.sha256(body).hexdigest()[:36]
    signature = f"sha256={_hex(secret.encode(), body)}"
    return {"x-hub-signature-256": signature, "x-github-delivery": delivery, "x-github-event": "push"}


def slack(secret: str, body: bytes, at: int) -> dict[str, str]:
    signature = f"v0={_hex(secret.encode(), f'v0:{at}:'.encode() + body)}"
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": signature}


def shopify(secret: str, body: bytes, at: int) -> dict[str, str]:
    return {"x-shopify-hmac-sha256": _base64(secret.encode(), body), "x-shopify-event-id": str(len(body))}


def standard(secret: str, body: bytes, at: int) -> dict[str, str]:
    name = f"msg_{hashlib.sha256(body).hexdigest()[:20]}"
    signature = _base64(base64.b64decode(secret.removeprefix("whsec_")), f"{name}.{at}.".encode() + body)
    return {"webhook-id": name, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}


def own(secret: str, body: bytes, at: int) -> dict[str, str]:
    return {"x-signature": f"sha256={_hex(secret.encode(), body)}", "x-request-id": str(len(body))}


@dataclass(frozen=True)
class Sender:
    webhook: Webhook
    secret: str
    sign: Sign
    timed: bool


def _key(text: str) -> str:
    return "whsec_" + base64.b64encode(text.encode()).decode()


OWN = Webhook(signature="hmac", header="X-Signature", prefix="sha256=", event_id="X-Request-Id")
SENDERS = {
    "stripe": Sender(Webhook(signature="stripe"), "whsec_of_tests", stripe, timed=True),
    "github": Sender(Webhook(signature="github"), "It's a Secret to Everybody", github, timed=False),
    "slack": Sender(Webhook(signature="slack"), "8f742231b10e8888abcd99yyyzzz85a5", slack, timed=True),
    "shopify": Sender(Webhook(signature="shopify"), "hush", shopify, timed=False),
    "standard": Sender(Webhook(signature="standard"), _key("twenty-four bytes of key"), standard, timed=True),
    "hmac": Sender(OWN, "own secret", own, timed=False),
}


def event(number: int, **more: object) -> bytes:
    return json.dumps({"id": f"evt_{number}", "created": NOW + number, "amount": number, **more}).encode()
