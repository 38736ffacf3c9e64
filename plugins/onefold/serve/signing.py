"""Signs what is posted to webhooks: Standard Webhooks 1.0. A webhook's secret is made from one key and its id, so that
none is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Signing:
    """`key` is the installation's own."""

    key: bytes = field(repr=False)

    def secret_of(self, webhook: UUID) -> str:
        """As the receiver configures it."""
        return f"whsec_{base64.b64encode(self._secret(webhook)).decode()}"

    def headers(self, webhook: UUID, message: str, at: int, body: bytes) -> dict[str, str]:
        """What the request carries; `at`: seconds since 1970."""
        signed = b"%b.%d.%b" % (message.encode(), at, body)
        digest = hmac.digest(self._secret(webhook), signed, hashlib.sha256)
        return {
            "webhook-id": message,
            "webhook-timestamp": str(at),
            "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        }

    def _secret(self, webhook: UUID) -> bytes:
        return hmac.digest(self.key, webhook.bytes, hashlib.sha256)
