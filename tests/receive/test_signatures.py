"""Whose signature is accepted, and that no other is."""

from __future__ import annotations

import random

import pytest

from onefold.catalog.webhook import Webhook
from onefold.receive.signatures import is_signed, signing_keys
from tests.effort import TORTURE
from tests.receive.signers import NOW, SENDERS, Sender, event

MUTATIONS = 2_000 if TORTURE else 250


def accepted(sender: Sender, headers: dict[str, str], body: bytes, *secrets: str, now: float = NOW) -> bool:
    keys = signing_keys(sender.webhook, secrets or (sender.secret,))
    return is_signed(sender.webhook, keys, headers, body, now)


@pytest.mark.parametrize("name", SENDERS)
def test_what_the_sender_has_signed_is_accepted(name: str) -> None:
    sender, body = SENDERS[name], event(1)
    assert accepted(sender, sender.sign(sender.secret, body, NOW), body)


def test_the_examples_of_github_and_slack_are_accepted() -> None:
    """The vectors in their documentation."""
    github = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    assert is_signed(Webhook(signature="github"), [b"It's a Secret to Everybody"], github, b"Hello, World!", NOW)
    slack = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name="
        b"foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2F"
        b"hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
        b"398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    key = b"8f742231b10e8888abcd99yyyzzz85a5"
    assert is_signed(Webhook(signature="slack"), [key], slack, body, 1531420618)


def test_the_example_of_standard_webhooks_is_accepted() -> None:
    """The vector in its specification's libraries."""
    webhook = Webhook(signature="standard")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    keys = signing_keys(webhook, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    assert is_signed(webhook, keys, headers, b'{"test": 2432232314}', 1614265330)


@pytest.mark.parametrize("name", SENDERS)
def test_no_mutated_signature_body_or_time_is_accepted(name: str) -> None:
    sender, random_ = SENDERS[name], random.Random(7)
    keys = signing_keys(sender.webhook, [sender.secret])
    tried = 0
    while tried < MUTATIONS:
        body = event(random_.randrange(10_000))
        headers = {
            each: text.removesuffix(",v0=of-tests-only") for each, text in sender.sign(sender.secret, body, NOW).items()
        }  # v0 nobody reads
        signed = [each for each in headers if "event" not in each and "delivery" not in each]
        signed = [each for each in signed if each not in ("x-shopify-event-id", "x-request-id")]
        place = random_.randrange(len(signed) + 1)
        if place == len(signed):
            body = mutated(body.decode(), random_).encode()
        else:
            headers[signed[place]] = mutated(headers[signed[place]], random_)
        assert not is_signed(sender.webhook, keys, headers, body, NOW), (headers, body)
        tried += 1


def mutated(text: str, random_: random.Random) -> str:
    """The text with one character more, less or another, or none at all."""
    place, letter = random_.randrange(len(text)), chr(random_.randrange(0x20, 0x7F))
    kinds = [text[:place] + text[place + 1 :], text[:place] + letter + text[place:], text[:place], text.swapcase()]
    found = random_.choice([*kinds, text[:place] + letter + text[place + 1 :]])
    return found if found != text else f"{text}x"


@pytest.mark.parametrize("name", [name for name, each in SENDERS.items() if each.timed])
def test_an_old_time_and_one_in_the_future_are_refused(name: str) -> None:
    sender, body = SENDERS[name], event(1)
    headers = sender.sign(sender.secret, body, NOW)
    assert [accepted(sender, headers, body, now=NOW + late) for late in (-301, -300, 300, 301)] == [
        *(False, True, True, False)
    ]


@pytest.mark.parametrize("name", SENDERS)
def test_two_secrets_hold_while_one_is_rolled_and_another_one_never(name: str) -> None:
    sender, body = SENDERS[name], event(1)
    headers = sender.sign(sender.secret, body, NOW)
    other = "whsec_" + "A" * 32
    assert accepted(sender, headers, body, other, sender.secret)
    assert not accepted(sender, headers, body, other)
    assert not is_signed(sender.webhook, [], headers, body, NOW)


def test_several_signatures_of_one_request_are_all_compared() -> None:
    sender, body = SENDERS["stripe"], event(1)
    one = sender.sign(sender.secret, body, NOW)["stripe-signature"].split(",")[1]
    assert accepted(sender, {"stripe-signature": f"t={NOW},v1={'0' * 64},{one}"}, body)
    standard = SENDERS["standard"]
    headers = standard.sign(standard.secret, body, NOW)
    headers["webhook-signature"] = f"v1,{'A' * 43}= v1a,of_another_kind {headers['webhook-signature']}"
    assert accepted(standard, headers, body)
