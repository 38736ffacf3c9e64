"""Which addresses the HTTP client calls, and at which rate."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import QuotaExhausted
from onefold.http.limit import MemoryLimiter
from tests.http.calls import SYSTEM, Out, as_json
from tests.http.web_server import Say, WebServer


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/items",
        "http://127.0.0.1:1/items",
        "//evil.example/items",
        "http://127.0.0.1@evil.example/items",
        "ftp://127.0.0.1/items",
    ],
)
def test_an_address_on_another_host_is_refused_before_anything_is_sent(web: WebServer, address: str) -> None:
    out = Out(web.url, auth={"kind": "basic"})
    with pytest.raises(Fatal, match="another host"):
        out.get(address)
    assert web.asked == []


def test_a_redirect_to_another_host_is_refused_and_one_to_the_same_host_followed(web: WebServer) -> None:
    web.script(Say(302, headers={"Location": "/moved"}), Say(200, b'{"moved": 1}'))
    out = Out(web.url)
    assert out.get() == {"moved": 1}
    web.script(Say(302, headers={"Location": "https://evil.example/"}))
    with pytest.raises(Fatal, match="another host"):
        out.get()


def test_addresses_below_a_path_are_kept_there(web: WebServer) -> None:
    out = Out(web.url + "/base")
    out.get("/services/x")
    out.get("/base/services/x")
    out.get(web.url + "/base/services/x?page=2")
    assert [asked.path for asked in web.asked] == ["/base/services/x"] * 3
    assert web.asked[2].params == {"page": "2"}


def test_the_systems_own_rate_limit_is_kept(web: WebServer) -> None:
    out = Out(web.url, limits={"rate": ["1/s"], "timeout": "PT30S", "attempts": 2})
    for _ in range(3):
        out.get()
    assert [round(wait) for wait in out.waits()] == [1, 2]


def test_the_connection_can_override_the_rate_for_a_test_system(web: WebServer) -> None:
    system = System.model_validate(SYSTEM | {"limits": {"rate": ["1/s"]}})
    slept: list[float] = []
    endpoint = Endpoint(web.url, extra={"rate": "100000/s"})
    client = Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), sleep=slept.append)
    for _ in range(3):
        client.send("GET", "/items", parse=as_json)
    assert sum(slept) < 0.1


@pytest.mark.parametrize(("own", "go"), [("100000/s", 2), ("100000/s,3/day@Europe/Warsaw", 3)])
def test_a_rate_in_the_connection_lifts_no_quota_of_a_day_but_by_another(web: WebServer, own: str, go: int) -> None:
    system = System.model_validate(SYSTEM | {"limits": {"rate": ["1/s", "2/day@Europe/Warsaw"]}})
    slept: list[float] = []
    limiter = MemoryLimiter(lambda: datetime(2026, 3, 10, 2, tzinfo=UTC).timestamp())
    client = Client(system, Endpoint(web.url, extra={"rate": own}), lambda _: None, limiter=limiter, sleep=slept.append)
    for _ in range(go):
        client.send("GET", "/items", parse=as_json)
    with pytest.raises(QuotaExhausted, match=rf"{go}/day@Europe/Warsaw.*is used up"):
        client.send("GET", "/items", parse=as_json)
    assert sum(slept) < 0.1
