"""What happens at a stand-in that tells of its changes, and how it tells."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis
import requests
import stripe

from sandbox.github import webhook as github
from sandbox.process import Sandbox, free_port, running
from sandbox.shop_orders.queue import READER, STREAM
from sandbox.stripe import webhook as of_stripe


class Receiver(ThreadingHTTPServer):
    """Takes webhooks: path, headers by their lower-case names, and body."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.taken: dict[str, tuple[dict[str, str], bytes]] = {}


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken[self.path] = {name.lower(): value for name, value in self.headers.items()}, body
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _systems(port: int, hooks: str) -> dict[str, str]:
    return {
        "SANDBOX_SYSTEMS": "stripe,github,shop_orders",
        "SANDBOX_REDIS_PORT": str(port),
        "SANDBOX_HOOKS_URL": hooks,
    }


def _happen(sandbox: Sandbox) -> dict[str, str]:
    """The keys of what happened, by system."""
    return {each["system"]: each["key"] for each in sandbox.control("happen")["happened"]}


def _orders(port: int) -> list[dict[str, object]]:
    login, password = READER
    with redis.Redis(port=port, username=login, password=password) as reader:
        return [json.loads(fields[b"body"]) for _, fields in reader.xrange(STREAM)]


def test_webhooks_are_signed_as_their_senders_sign_and_orders_outlive_the_sandbox(
    receiver: Receiver, tmp_path: Path
) -> None:
    port = free_port()
    variables = _systems(port, f"http://127.0.0.1:{receiver.server_port}")
    with running(tmp_path, 10, environment=variables) as sandbox:
        keys = _happen(sandbox)
        headers, body = receiver.taken["/hooks/stripe_events/checkout"]
        event = stripe.Webhook.construct_event(body, headers["stripe-signature"], of_stripe.SIGNING_SECRET)
        assert event.data.object.id == keys["stripe_events"] and event.type == "checkout.session.expired"
        headers, body = receiver.taken["/hooks/github/issue"]
        digest = hmac.new(github.SIGNING_SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-hub-signature-256"] == f"sha256={digest}" and headers["x-github-delivery"]
        assert str(json.loads(body)["issue"]["id"]) == keys["github"]
        assert [order["id"] for order in _orders(port)] == [keys["shop_orders"]]
    with pytest.raises(redis.ConnectionError):
        _orders(port)
    with running(tmp_path, 10, environment=variables) as sandbox:
        keys |= {"second": _happen(sandbox)["shop_orders"]}
        sandbox.kill()
    with running(tmp_path, 10, environment=variables):
        assert [order["id"] for order in _orders(port)] == [keys["shop_orders"], keys["second"]]


def test_what_cannot_be_told_is_refused_with_its_reason(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, 10, environment=_systems(free_port(), nobody)) as sandbox:
        answer = requests.post(f"{sandbox.url}/control/happen", timeout=30)
    assert answer.status_code == 503
    assert nobody in answer.json()["error"]


def test_a_redis_whose_port_is_taken_ends_the_sandbox_with_its_setting(receiver: Receiver, tmp_path: Path) -> None:
    taken = _systems(receiver.server_port, "http://127.0.0.1:1")
    with pytest.raises(RuntimeError, match="SANDBOX_REDIS_PORT"), running(tmp_path, 10, environment=taken):
        pass
