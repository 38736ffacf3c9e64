"""What the senders' own libraries sign is accepted, and what they refuse is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import stripe
from slack_sdk.signature import SignatureVerifier
from standardwebhooks import Webhook as StandardWebhook
from standardwebhooks import WebhookVerificationError

from onefold.receive.signatures import is_signed, signing_keys
from tests.receive.signers import SENDERS

BODIES = [
    json.dumps({"id": "evt_1", "object": "event", "data": {"object": {"name": "Zażółć 日本"}}}, ensure_ascii=False),
    json.dumps({"type": "event_callback", "event_id": "Ev01", "event": {"text": '<@U1> "tak" \\ nie\n'}}, indent=2),
    "token=xyz&team_id=T1&text=caf%C3%A9+%26+co",
    '{"amount":1e3,"amount":1000.10}',
    "",
]


def now() -> int:
    """Seconds since 1970: the libraries know no other time."""
    return int(datetime.now(UTC).timestamp())


def by_stripe(secret: str, body: str, at: int) -> dict[str, str]:
    return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body, secret, at)}


def by_slack(secret: str, body: str, at: int) -> dict[str, str]:
    signature = SignatureVerifier(secret).generate_signature(timestamp=str(at), body=body)
    return {"x-slack-request-timestamp": str(at), "x-slack-signature": str(signature)}


def by_standard(secret: str, body: str, at: int) -> dict[str, str]:
    signature = StandardWebhook(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signature}


def stripe_takes(secret: str, body: str, headers: dict[str, str]) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, headers["stripe-signature"], secret, 300))
    except stripe.SignatureVerificationError:
        return False


def slack_takes(secret: str, body: str, headers: dict[str, str]) -> bool:
    return SignatureVerifier(secret).is_valid_request(body, headers)


def standard_takes(secret: str, body: str, headers: dict[str, str]) -> bool:
    try:
        StandardWebhook(secret).verify(body, headers)
    except (WebhookVerificationError, json.JSONDecodeError) as error:  # it reads the body once the signature fits
        return isinstance(error, json.JSONDecodeError)
    return True


LIBRARIES: dict[str, tuple[Callable[..., dict[str, str]], Callable[..., bool]]] = {
    "stripe": (by_stripe, stripe_takes),
    "slack": (by_slack, slack_takes),
    "standard": (by_standard, standard_takes),
}


def accepted(name: str, headers: dict[str, str], body: str) -> bool:
    sender = SENDERS[name]
    return is_signed(sender.webhook, signing_keys(sender.webhook, [sender.secret]), headers, body.encode(), now())


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", LIBRARIES)
def test_what_the_senders_own_library_signs_is_accepted(name: str, body: str) -> None:
    sign, _ = LIBRARIES[name]
    assert accepted(name, sign(SENDERS[name].secret, body, now()), body)
    other = "whsec_" + "A" * 32
    assert not accepted(name, sign(other, body, now()), body)


@pytest.mark.parametrize("name", LIBRARIES)
def test_our_tests_sign_as_the_senders_own_library_expects(name: str) -> None:
    _, takes = LIBRARIES[name]
    sender = SENDERS[name]
    for body in BODIES[:2]:
        headers = sender.sign(sender.secret, body.encode(), now())
        assert takes(sender.secret, body, headers)
        assert not takes(sender.secret, f"{body} ", headers)


@pytest.mark.parametrize("name", LIBRARIES)
def test_what_is_too_old_is_refused_by_both_and_what_is_from_the_future_by_us(name: str) -> None:
    sign, takes = LIBRARIES[name]
    secret, body = SENDERS[name].secret, BODIES[0]
    old, future = sign(secret, body, now() - 310), sign(secret, body, now() + 310)
    assert (accepted(name, old, body), takes(secret, body, old)) == (False, False)
    assert not accepted(name, future, body)
