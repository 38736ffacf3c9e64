"""Whether a sender has signed a body: over the raw bytes, compared in constant time.

Salesforce's Outbound Messages and Microsoft Graph sign nothing: what they show instead is in the body (accept).

Sources: Stripe "Verify webhook signatures manually"; GitHub "Validating webhook deliveries"; Slack "Verifying requests
from Slack"; Shopify "Verify the origin"; Standard Webhooks 1.0, "Verifying signatures".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from onefold.catalog.webhook import Webhook
from onefold.receive.salesforce import organization_key

SECONDS = 300
"""How far the time in a signature may be from ours, before or after it."""
_MOST = 20
"""Signatures of one request that are compared; senders give one, or two while a secret is rolled."""
_TIME = re.compile(r"[1-9][0-9]{0,11}", re.ASCII)

Headers = Mapping[str, str]
"""By their names in lower case."""


def is_signed(webhook: Webhook, secrets: Sequence[bytes], headers: Headers, body: bytes, now: float) -> bool:
    """Whether one of the secrets (signing_keys) has signed the body. `now`: seconds since 1970."""
    given, signed = _claim(webhook, headers, body, now)
    if signed is None:
        return False
    found = False
    for secret in secrets:
        expected = _written(webhook, hmac.digest(secret, signed, hashlib.sha256))
        for each in given[:_MOST]:
            found |= hmac.compare_digest(expected, each.encode())
    return found


def signing_keys(webhook: Webhook, secrets: Sequence[str]) -> list[bytes]:
    """The keys that the secrets stand for. Raises ValueError, without the secret, when one is none."""
    if webhook.signature == "salesforce_outbound":
        keys = [organization_key(each) for each in secrets]
        if not all(keys):
            raise ValueError("an organisation's id has 15 or 18 letters and digits and begins with 00D")
        return keys
    if webhook.signature != "standard":
        return [each.encode() for each in secrets]
    try:
        keys = [base64.b64decode(each.removeprefix("whsec_"), validate=True) for each in secrets]
    except (binascii.Error, ValueError):
        keys = [b""]
    if not all(keys):
        raise ValueError("a secret of Standard Webhooks is whsec_ and base64")
    return keys


def _claim(webhook: Webhook, headers: Headers, body: bytes, now: float) -> tuple[list[str], bytes | None]:
    """The signatures that the request shows, and what they are of; None where it says nothing that could be signed."""
    match webhook.signature:
        case "stripe":
            parts = [part.partition("=")[::2] for part in headers.get("stripe-signature", "").split(",")]
            stamps = [value for name, value in parts if name == "t"]
            given = [value for name, value in parts if name == "v1"]
            stamp = stamps[0] if len(stamps) == 1 else ""
            return given, b"%b.%b" % (stamp.encode(), body) if _is_fresh(stamp, now) else None
        case "slack":
            stamp = headers.get("x-slack-request-timestamp", "")
            signed = b"v0:%b:%b" % (stamp.encode(), body)
            return [headers.get("x-slack-signature", "")], signed if _is_fresh(stamp, now) else None
        case "standard":
            name, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
            signed = b"%b.%b.%b" % (name.encode("latin-1"), stamp.encode(), body)
            return headers.get("webhook-signature", "").split(" "), signed if name and _is_fresh(stamp, now) else None
        case "github":
            return [headers.get("x-hub-signature-256", "")], body
        case "shopify":
            return [headers.get("x-shopify-hmac-sha256", "")], body
        case "hmac":
            return [headers.get((webhook.header or "").lower(), "")], body
        case "salesforce_outbound" | "microsoft_graph":  # nothing is signed (accept)
            return [], None


def _written(webhook: Webhook, digest: bytes) -> bytes:
    """The signature as the sender writes it."""
    match webhook.signature:
        case "stripe":
            return digest.hex().encode()
        case "github":
            return b"sha256=" + digest.hex().encode()
        case "slack":
            return b"v0=" + digest.hex().encode()
        case "shopify":
            return base64.b64encode(digest)
        case "standard":
            return b"v1," + base64.b64encode(digest)
        case "hmac":
            written = digest.hex().encode() if webhook.encoding == "hex" else base64.b64encode(digest)
            return webhook.prefix.encode() + written
        case "salesforce_outbound" | "microsoft_graph":
            return b""


def _is_fresh(stamp: str, now: float) -> bool:
    return bool(_TIME.fullmatch(stamp)) and abs(now - int(stamp)) <= SECONDS
