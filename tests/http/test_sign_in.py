"""Sign-in of the HTTP client: credentials and tokens, had once, renewed once, shared by threads."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from onefold.catalog.system import System
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from tests.http.calls import SECRET, SYSTEM, Out, as_json
from tests.http.web_server import Asked, Say, WebServer

TOKENS = {"kind": "oauth2_client_credentials", "token_path": "/token"}


def test_basic_sign_in_is_sent(web: WebServer) -> None:
    Out(web.url, auth={"kind": "basic"}).get()
    sent = web.asked[0].headers["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == f"someone:{SECRET}"


def test_without_auth_no_credential_is_sent_not_even_from_netrc(
    web: WebServer, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    Out(web.url).get()
    assert "Authorization" not in web.asked[0].headers


class TokenOffice:
    """Gives tokens t1, t2, …; lets in who shows one of `good`."""

    def __init__(self, *good: str, expires_in: int | None = None) -> None:
        self.good = set(good)
        self.given = 0
        self.expires_in = expires_in

    def __call__(self, asked: Asked) -> Say:
        if asked.path == "/token":
            self.given += 1
            expiry = {"expires_in": self.expires_in} if self.expires_in else {}
            return Say(200, msgspec.json.encode({"access_token": f"t{self.given}", **expiry}))
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        return Say() if token in self.good else Say(401, b'[{"errorCode":"INVALID_SESSION_ID"}]')


def test_a_token_is_had_once_and_its_request_is_recorded_too(web: WebServer) -> None:
    web.answer = TokenOffice("t1")
    out = Out(web.url, auth=TOKENS)
    out.get()
    out.get()
    assert [asked.path for asked in web.asked] == ["/token", "/items", "/items"]
    assert b"grant_type=client_credentials" in web.asked[0].body
    assert "Authorization" not in web.asked[0].headers
    assert [attempt.path for attempt in out.attempts] == ["/token", "/items", "/items"]


def test_a_token_that_expires_between_two_pages_is_renewed_once(web: WebServer) -> None:
    office = TokenOffice("t1")
    web.answer = office
    out = Out(web.url, auth=TOKENS)
    out.get()
    office.good = {"t2"}
    assert out.get() == {}
    assert [attempt.status for attempt in out.attempts] == [200, 200, 401, 200, 200]


def test_a_session_refused_after_a_fresh_token_does_not_loop(web: WebServer) -> None:
    web.answer = TokenOffice()
    out = Out(web.url, auth=TOKENS)
    with pytest.raises(Fatal, match="shop_api"):
        out.get()
    assert [asked.path for asked in web.asked] == ["/token", "/items", "/token", "/items"]


def test_threads_share_one_token_and_one_renewal(web: WebServer) -> None:
    office = TokenOffice("t1")
    web.answer = office
    out = Out(web.url, auth=TOKENS)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: out.get(), range(40)))
        assert office.given == 1
        office.good = {"t2"}
        list(pool.map(lambda _: out.get(), range(40)))
    assert office.given == 2


def test_threads_that_fail_together_open_the_breaker_and_break_nothing(web: WebServer) -> None:
    web.script(Say(500))
    out = Out(web.url, threshold=20)
    with ThreadPoolExecutor(8) as pool:
        results = [pool.submit(out.get) for _ in range(60)]
    assert {type(result.exception()) for result in results} == {Retriable}
    assert len(web.asked) < 30


def test_a_token_about_to_end_is_replaced_before_it_is_used(web: WebServer) -> None:
    web.answer = TokenOffice("t1", "t2", expires_in=30)
    out = Out(web.url, auth=TOKENS)
    out.get()
    out.get()
    assert [asked.headers.get("Authorization") for asked in web.asked[1::2]] == ["Bearer t1", "Bearer t2"]


def test_wrong_client_credentials_are_fatal_and_named(web: WebServer) -> None:
    web.script(Say(401, b'{"error":"invalid_client"}'))
    with pytest.raises(Fatal, match=r"POST /token.*invalid_client.*shop_api"):
        Out(web.url, auth=TOKENS).get()
    assert len(web.asked) == 1


def test_a_token_request_is_retried_like_any_other(web: WebServer) -> None:
    answers = [Say(503), Say(200, b"<html>"), Say(200, b'{"access_token": "t1"}'), Say()]
    web.script(*answers)
    assert Out(web.url, auth=TOKENS).get() == {}


def test_a_connection_without_a_password_says_where_to_set_it(web: WebServer) -> None:
    system = System.model_validate(SYSTEM | {"auth": {"kind": "basic"}})
    client = Client(system, Endpoint(web.url), lambda _: None)
    with pytest.raises(Fatal, match="'shop_api' has no login"):
        client.send("GET", "/items", parse=as_json)
