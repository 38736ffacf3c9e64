"""A secret that is rolled, and a hook that is new, hold without a restart."""

from __future__ import annotations

import asyncio

import pytest
from starlette.testclient import TestClient

from onefold.catalog.webhook import Webhook
from onefold.errors import Fatal
from onefold.receive import live_hooks
from onefold.receive.hooks import Hook, Hooks
from onefold.receive.live_hooks import LiveHooks
from onefold.receive.service import application
from tests.receive.signers import NOW, SENDERS, event
from tests.roles import as_role

STRIPE = SENDERS["stripe"]


class Source:
    """What the catalogue and the connections say."""

    def __init__(self) -> None:
        self.hooks: Hooks = {("s", "a"): hook("old")}
        self.error: Exception | None = None
        self.times = 0

    def read(self) -> Hooks:
        self.times += 1
        if self.error:
            raise self.error
        return self.hooks


def hook(*secrets: str) -> Hook:
    return Hook(Webhook(signature="stripe"), tuple(each.encode() for each in secrets))


def post(client: TestClient, secret: str, path: str = "/hooks/s/a") -> int:
    body = event(1)
    return client.post(path, content=body, headers=STRIPE.sign(secret, body, NOW)).status_code


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setattr(live_hooks, "AT_MOST_EVERY", 0.0)
    return Source()


def test_a_rolled_secret_and_a_new_hook_hold_without_a_restart(warehouse_url: str, source: Source) -> None:
    with TestClient(application(source.read, as_role(warehouse_url, "onefold_receiver"), lambda: NOW)) as client:
        assert (post(client, "old"), post(client, "new"), post(client, "new", "/hooks/s/b")) == (200, 401, 404)
        source.hooks = {("s", "a"): hook("old", "new"), ("s", "b"): hook("new")}
        assert (post(client, "new"), post(client, "old"), post(client, "new", "/hooks/s/b")) == (200, 200, 200)
        source.hooks = {("s", "a"): hook("new")}
        assert post(client, "of nobody") == 401
        assert post(client, "old") == 401, "a secret that was taken out"


def test_what_cannot_be_read_anew_stays_and_the_page_says_why_without_a_secret(
    warehouse_url: str, source: Source
) -> None:
    with TestClient(application(source.read, as_role(warehouse_url, "onefold_receiver"), lambda: NOW)) as client:
        for error, told in (
            (Fatal("Airflow connection 'pay' <b> has no secret"), "&#x27;pay&#x27; &lt;b&gt; has no secret"),
            (RuntimeError("hush, a backend's secret"), "RuntimeError in test_live_hooks.py"),
        ):
            source.error = error
            assert (post(client, "new"), post(client, "old")) == (401, 200)
            page = client.get("/").text
            assert told in page
            assert "hush" not in page
        source.error = None
        assert (post(client, "new"), "could be read anew" in client.get("/").text) == (401, False)


def test_a_hook_that_is_not_set_up_asks_its_sender_to_come_again_and_holds_up_no_other(
    warehouse_url: str, source: Source
) -> None:
    missing = Hook(Webhook(signature="stripe"), (), problem="Airflow connection 'b' <has> no secret")
    source.hooks = {("s", "a"): hook("old"), ("s", "b"): missing}
    with TestClient(application(source.read, as_role(warehouse_url, "onefold_receiver"), lambda: NOW)) as client:
        assert (post(client, "old"), post(client, "old", "/hooks/s/b")) == (200, 503)
        assert client.post("/hooks/s/b", content=event(1)).headers["retry-after"]
        assert "&lt;has&gt; no secret" in client.get("/").text
        assert client.get("/health").json()["hooks"] == 1
        source.hooks = {("s", "a"): missing, ("s", "b"): hook("new")}
        assert post(client, "new", "/hooks/s/b") == 200, "as soon as its connection is there"
        assert post(client, "old") == 200, "what is known stays"


def test_however_many_requests_are_refused_the_connections_are_read_seldom(warehouse_url: str) -> None:
    source = Source()
    with TestClient(application(source.read, as_role(warehouse_url, "onefold_receiver"), lambda: NOW)) as client:
        assert [post(client, "guessed") for _ in range(50)] == [401] * 50
    assert source.times == 1, "less than AT_MOST_EVERY after the start"


def test_requests_that_are_refused_at_once_share_one_reading(source: Source) -> None:
    async def run() -> None:
        hooks = LiveHooks(source.read)
        await asyncio.gather(*(hooks.get_anew(("s", "a")) for _ in range(20)))

    asyncio.run(run())
    assert source.times == 2


def test_hooks_are_read_anew_from_time_to_time(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_hooks, "EVERY", 0.01)

    async def run() -> None:
        hooks = LiveHooks(source.read)
        source.hooks = {}
        keep_up = asyncio.create_task(hooks.keep_up())
        async with asyncio.timeout(10):
            while hooks.known:
                await asyncio.sleep(0.01)
        keep_up.cancel()

    asyncio.run(run())


def test_the_page_shows_hooks_and_answers_and_nothing_that_is_secret(warehouse_url: str, source: Source) -> None:
    with TestClient(application(source.read, as_role(warehouse_url, "onefold_receiver"), lambda: NOW)) as client:
        assert "last commit: none yet" in client.get("/").text
        assert (post(client, "old"), post(client, "guessed")) == (200, 401)
        page = client.get("/")
    assert "<td>/hooks/s/a</td><td>stripe</td><td>1 × 200, 1 × 401</td><td>ready</td>" in page.text
    assert "stored since then: 1; last commit: 20" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for text in ("old", "evt_1"):
        assert text not in page.text.replace("Onefold", "")
