"""The webhook that Stripe sends when a customer has left a checkout.

Wire: docs.stripe.com/api/events, /api/checkout/sessions/object; "Verify webhook signatures manually".
"""

import secrets
import time

from sandbox.stand_in import Happened
from sandbox.wire.webhook import body_of, post, signature
from sandbox.world import World

SIGNING_SECRET = "whsec_sandbox"
API_VERSION = "2025-07-30.basil"


def abandon_checkout(_: World) -> Happened:
    """A checkout session expires, and Stripe says so."""
    now, session = int(time.time()), f"cs_test_{secrets.token_hex(16)}"
    body = body_of(
        {
            "id": f"evt_{secrets.token_hex(12)}",
            "object": "event",
            "api_version": API_VERSION,
            "created": now,
            "data": {
                "object": {
                    "id": session,
                    "object": "checkout.session",
                    "amount_subtotal": 12900,
                    "amount_total": 12900,
                    "created": now - 86_400,
                    "currency": "pln",
                    "customer": None,
                    "customer_details": None,
                    "expires_at": now,
                    "livemode": False,
                    "metadata": {},
                    "mode": "payment",
                    "payment_intent": None,
                    "payment_method_types": ["card", "blik", "p24"],
                    "payment_status": "unpaid",
                    "status": "expired",
                    "url": None,
                }
            },
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": "checkout.session.expired",
        }
    )
    signed = signature(SIGNING_SECRET, f"{now}.".encode() + body)
    sent = post("stripe_events", "checkout", body, {"stripe-signature": f"t={now},v1={signed}"})
    return Happened("stripe_events", "checkout", session, sent)
