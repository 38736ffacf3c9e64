"""How a system posts an event to whoever receives its webhooks (SANDBOX_HOOKS_URL)."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime

import requests

from sandbox.stand_in import Unable

SECONDS = 10


def body_of(event: object) -> bytes:
    """The event as it is sent and signed."""
    return json.dumps(event, ensure_ascii=False).encode()


def signature(secret: str, signed: bytes) -> str:
    """HMAC-SHA256 as hexadecimal digits."""
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def post(system: str, stream: str, body: bytes, headers: Mapping[str, str]) -> datetime:
    """Sends it, and returns when. Raises Unable when nobody takes it."""
    if not (hooks := os.environ.get("SANDBOX_HOOKS_URL")):
        raise Unable(f"{system} has nobody to send webhooks to: set SANDBOX_HOOKS_URL")
    sent = datetime.now(UTC)
    try:
        answer = requests.post(
            f"{hooks}/hooks/{system}/{stream}",
            data=body,
            headers={"content-type": "application/json", **headers},
            timeout=SECONDS,
        )
    except requests.RequestException as error:
        raise Unable(f"{system} cannot send a webhook to {hooks}: {type(error).__name__}") from error
    if not answer.ok:
        raise Unable(f"{system} was answered {answer.status_code} to its webhook for {stream}")
    return sent
