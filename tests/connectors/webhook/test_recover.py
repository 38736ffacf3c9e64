"""What a sender could not deliver is taken from its own list, by stand-ins of Stripe's and GitHub's interfaces."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from onefold.catalog.system import System
from onefold.errors import OnefoldError
from tests.connectors.webhook.hook import Hook, payments
from tests.http.web_server import Asked, Say, WebServer
from tests.receive.signers import event

REPOSITORY = "/repos/acme/shop/hooks/42"
NOW = int(datetime.now(UTC).timestamp())
DAY = 86_400


def recovering(signature: str = "stripe", **recover: object) -> System:
    """Payments, whose system is asked for what it could not deliver."""
    system = payments(webhook={"signature": signature, "recover": recover})
    limits = system.limits.model_copy(update={"attempts": 1, "rate": ["100000/s"]})
    return system.model_copy(update={"limits": limits})


@dataclass
class Stripe:
    """GET /v1/events: those that failed, newest first, page by page after the last id of the page before."""

    failed: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    down: bool = False

    def answer(self, asked: Asked) -> Say:
        self.asked += 1
        if self.down:
            return Say(503)
        assert (asked.method, asked.path, asked.params["delivery_success"]) == ("GET", "/v1/events", "false")
        since, size, after = int(asked.params["created[gte]"]), 2, asked.params.get("starting_after")
        names = sorted((name for name, at in self.failed.items() if at >= since), key=lambda name: -self.failed[name])
        names = names[names.index(after) + 1 :] if after else names
        data = [{"id": name, "created": self.failed[name], "amount": 1} for name in names[:size]]
        return Say(200, json.dumps({"object": "list", "data": data, "has_more": len(names) > size}).encode())


@dataclass
class GitHub:
    """Deliveries of one webhook: each attempt newest first, page by page by the link that the answer has."""

    url: str
    attempts: list[tuple[int, str, int, int]] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)

    def deliver(self, guid: str, at: int, status: int) -> None:
        self.attempts.insert(0, (len(self.attempts) + 1, guid, at, status))

    def answer(self, asked: Asked) -> Say:
        if asked.path == f"{REPOSITORY}/deliveries":
            first = int(asked.params.get("cursor", 0))
            page = self.attempts[first : first + 2]
            link = f'<{self.url}{REPOSITORY}/deliveries?per_page=100&cursor={first + 2}>; rel="next"'
            more = {"Link": link} if first + 2 < len(self.attempts) else {}
            return Say(200, json.dumps([self._entry(*each) for each in page]).encode(), more)
        (attempt,) = [each for each in self.attempts if asked.path == f"{REPOSITORY}/deliveries/{each[0]}"]
        self.shown.append(attempt[1])
        payload = {"id": attempt[1], "created": attempt[2], "amount": 1}
        request = {"headers": {"X-GitHub-Delivery": attempt[1]}, "payload": payload}
        return Say(200, json.dumps({**self._entry(*attempt), "request": request}).encode())

    @staticmethod
    def _entry(number: int, guid: str, at: int, status: int) -> dict[str, object]:
        delivered = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"id": number, "guid": guid, "delivered_at": delivered, "status_code": status, "event": "push"}


@pytest.fixture
def stripe(hook: Hook, web: WebServer) -> Stripe:
    found = Stripe()
    web.answer, hook.source = found.answer, web.url
    return found


@pytest.fixture
def github(hook: Hook, web: WebServer) -> GitHub:
    found = GitHub(web.url)
    web.answer, hook.source = found.answer, web.url
    return found


def test_what_stripe_could_not_deliver_is_recovered_once(hook: Hook, stripe: Stripe) -> None:
    stripe.failed = {"evt_1": NOW - 10, "evt_2": NOW - 20, "evt_3": NOW - 2 * DAY, "evt_4": NOW - 5 * DAY}
    hook.post(recovering(), event(1))
    load = hook.load(recovering())
    assert (load.rows_read, [key for key, _ in hook.published()]) == (3, ["evt_1", "evt_2", "evt_3"])
    assert hook.query("select count(*) from inbox.event") == [(3,)], "nothing twice, nothing that is too old"
    hook.post(recovering(), event(2))
    assert hook.load(recovering()).rows_read == 0, "it was sent again after all"
    stripe.failed["evt_5"] = NOW
    assert hook.load(recovering()).rows_read == 1


def test_what_github_could_not_deliver_is_recovered_once_and_only_that_is_asked_for(hook: Hook, github: GitHub) -> None:
    system = recovering("github", path=REPOSITORY)
    github.deliver("too-old", NOW - 4 * DAY, 502)
    github.deliver("lost", NOW - 2 * DAY, 502)
    github.deliver("arrived", NOW - 100, 200)
    github.deliver("lost", NOW - 50, 502)
    github.deliver("timed-out", NOW - 10, 0)
    hook.execute(
        "insert into inbox.event (system, stream, event_id, headers, body)"
        """ values ('test_hook', 'payment', 'arrived', '{}', '{"id": "arrived", "created": 1, "amount": 1}')"""
    )
    assert hook.load(system).rows_read == 3
    assert [key for key, _ in hook.published()] == ["arrived", "lost", "timed-out"]
    assert sorted(github.shown) == ["lost", "timed-out"]
    assert hook.load(system).rows_read == 0
    assert sorted(github.shown) == ["lost", "timed-out"], "what is known is not asked for again"


def test_while_the_sender_cannot_be_asked_loads_go_on_for_a_day_and_the_look_is_made_up_for(
    hook: Hook, stripe: Stripe
) -> None:
    hook.load(recovering())
    stripe.down, stripe.failed = True, {"evt_9": NOW - 3 * 3600}
    look = "update ops.stream_checkpoint set checkpoint = split_part(checkpoint, ' ', 1) || ' ' || %s"
    hook.execute(look, (datetime.now(UTC) - timedelta(hours=5)).isoformat())
    hook.post(recovering(), event(1))
    assert (hook.load(recovering()).rows_read, hook.published()) == (1, [("evt_1", 1)])
    stripe.down = False
    hook.load(recovering())
    assert [key for key, _ in hook.published()] == ["evt_1", "evt_9"]
    stripe.down = True
    hook.execute(look, (datetime.now(UTC) - timedelta(hours=25)).isoformat())
    with pytest.raises(OnefoldError, match="503"):
        hook.load(recovering())


def test_after_a_rollback_or_anew_the_look_goes_back_as_far_as_the_sender_keeps(hook: Hook, stripe: Stripe) -> None:
    hook.load(recovering())
    stripe.failed = {"evt_1": NOW - 2 * DAY}
    assert hook.load(recovering()).rows_read == 0
    assert hook.load(recovering(), anew=True).rows_read == 1


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("slack", "webhook.recover: slack has no list of what it could not deliver"),
        ("github", "webhook.recover needs path: the webhook in GitHub's API"),
    ],
)
def test_what_no_sender_lists_is_refused_in_the_yaml(signature: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        recovering(signature)
