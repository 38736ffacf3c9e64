"""No secret of any kind of sign-in is in what is logged, counted, raised or shown."""

from __future__ import annotations

import base64
import logging
import traceback

import pytest

from onefold.errors import OnefoldError
from onefold.http.endpoint import Endpoint
from tests.http.calls import Out
from tests.http.test_oauth2 import RSA_KEY, pem
from tests.http.token_family import Memory
from tests.http.web_server import Asked, Say, WebServer

SECRETS = {"password": "canary-password", "refresh_token": "canary-refresh", "client_secret": "canary-client"}
GIVEN = ("canary-access", "canary-session", "canary-rotated")
TOKENS = b'{"access_token": "canary-access", "refresh_token": "canary-rotated", "token": "canary-session"}'
TOKEN = {"token_path": "/token"}
KINDS: list[dict[str, object]] = [
    {"kind": "basic"},
    {"kind": "digest"},
    {"kind": "bearer"},
    {"kind": "api_key", "prefix": "Token "},
    {"kind": "api_key", "query": "key"},
    {"kind": "oauth2_client_credentials", **TOKEN},
    {"kind": "oauth2_client_credentials", **TOKEN, "client_auth": "basic", "send": {"query": "access_token"}},
    {"kind": "oauth2_password", **TOKEN},
    {"kind": "oauth2_refresh_token", **TOKEN},
    {"kind": "oauth2_jwt_bearer", **TOKEN},
    {"kind": "session", "login": {"path": "/token", "form": {"pw": "{password}"}}, "token": {"path": "token"}},
]
FAILS = [
    Say(500),
    Say(401),
    Say(403),
    Say(200, b"<html>"),
    Say(302, headers={"Location": "https://elsewhere.example/"}),
]


@pytest.mark.parametrize("auth", KINDS, ids=lambda auth: f"{auth['kind']}-{len(auth)}")
@pytest.mark.parametrize("at", ["/token", "/items"])
def test_no_secret_is_written_down_however_a_request_fails(
    web: WebServer, auth: dict[str, object], at: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    written: list[str] = []
    extra = {**SECRETS, "private_key": pem(RSA_KEY), "client_id": "app"}
    for fails in FAILS:

        def answer(asked: Asked, fails: Say = fails) -> Say:
            if asked.path == at:  # and repeats what it was sent, as error pages do
                told = fails.body + repr(asked).encode()
                return Say(fails.status, told, {**fails.headers, "WWW-Authenticate": 'Digest realm="r", nonce="n"'})
            return Say(200, TOKENS)

        web.answer = answer
        endpoint = Endpoint(web.url, "someone", SECRETS["password"], extra, Memory())
        out = Out(web.url, endpoint=endpoint, auth=auth)
        try:
            out.get("/items")
        except OnefoldError as error:
            written += [str(error), repr(error), *traceback.format_exception_only(error)]
        written += [repr(out.attempts), repr(endpoint), repr(out.client._sign_in)]
    everything = caplog.text + "\n".join(written)
    basic = base64.b64encode(b"someone:canary-password").decode()
    key_lines = pem(RSA_KEY).splitlines()[1:-1]
    for secret in (*SECRETS.values(), *GIVEN, basic, *key_lines):
        assert secret not in everything
