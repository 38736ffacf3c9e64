"""Digest sign-in: the examples of RFC 7616, and a server that checks every hash."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.digest import answer, challenge
from tests.http.calls import SECRET, Out
from tests.http.web_server import Asked, Say, WebServer

RFC = (
    'realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [  # RFC 7616, 3.9.1
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_rfc_is_hashed_as_it_says(algorithm: str, response: str) -> None:
    about = parsed(challenge("Digest " + RFC.format(algorithm)) or "")
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    header = answer(about, "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1, cnonce)
    assert parsed(header.removeprefix("Digest "))["response"] == response


def parsed(text: str) -> dict[str, str]:
    found = re.findall(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', text)
    return {name: re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in found}


@pytest.mark.parametrize(
    ("header", "algorithm"),
    [
        ("Digest " + RFC.format("MD5") + ", Digest " + RFC.format("SHA-256"), "SHA-256"),
        ('Basic realm="a, b", Digest ' + RFC.format("SHA-256-sess"), "SHA-256-sess"),
        ("Negotiate, NTLM, Digest " + RFC.format("MD5") + ', Bearer error="x"', "MD5"),
        ("Digest " + RFC.format("TIGER") + ", Digest " + RFC.format("MD5"), "MD5"),
    ],
)
def test_the_best_challenge_that_we_can_answer_is_taken(header: str, algorithm: str) -> None:
    assert parsed(challenge(header) or "")["algorithm"] == algorithm


class Guard:
    """Lets in who hashes the password about a nonce that it gave, and each count once."""

    def __init__(self, algorithm: str = "MD5", password: str = SECRET, uses: int = 1000, more: str = "") -> None:
        self.algorithm, self.password, self.uses, self.more = algorithm, password, uses, more
        self.nonce, self.counts = 0, set[str]()

    def __call__(self, asked: Asked) -> Say:
        header = asked.headers.get("Authorization", "")
        shown, password = parsed(header.removeprefix("Digest ")), self.password
        target = asked.path + (f"?{urlencode(asked.params)}" if asked.params else "")
        known = shown.get("nonce") == f"n{self.nonce}" and len(self.counts) < self.uses
        if known and shown["nc"] not in self.counts and shown["uri"] == target:
            kind = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[
                self.algorithm.removesuffix("-sess")
            ]

            def hashed(text: str) -> str:
                return hashlib.new(kind, text.encode()).hexdigest()

            secret = hashed(f'someone:the "realm":{password}')
            if self.algorithm.endswith("-sess"):
                secret = hashed(f"{secret}:{shown['nonce']}:{shown['cnonce']}")
            about = f"{shown['nonce']}:{shown['nc']}:{shown['cnonce']}:{shown['qop']}"
            if shown["response"] == hashed(f"{secret}:{about}:{hashed(f'{asked.method}:{target}')}"):
                self.counts.add(shown["nc"])
                return Say()
        if not known:
            self.nonce, self.counts = self.nonce + 1, set()
        stale = ", stale=true" if shown and not known else ""
        realm = r'realm="the \"realm\""'
        told = f'Digest {realm}, qop="auth", algorithm={self.algorithm}, nonce="n{self.nonce}"{stale}{self.more}'
        return Say(401, b"<html>no</html>", {"WWW-Authenticate": told})


DIGEST = {"kind": "digest"}


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-512-256"])
def test_the_challenge_is_asked_for_once_and_every_request_is_signed_about_it(web: WebServer, algorithm: str) -> None:
    web.answer = Guard(algorithm)
    out = Out(web.url, auth=DIGEST)
    for page in "123":
        out.get("/items", page=page)
    assert [attempt.status for attempt in out.attempts] == [401, 200, 200, 200]
    assert SECRET not in str(web.asked)


def test_a_nonce_that_is_spent_is_replaced(web: WebServer) -> None:
    web.answer = Guard(uses=2)
    out = Out(web.url, auth=DIGEST)
    for _ in range(4):
        out.get()
    assert [attempt.status for attempt in out.attempts] == [401, 200, 200, 401, 200, 200]


def test_threads_never_use_a_count_twice(web: WebServer) -> None:
    web.answer = Guard()
    out = Out(web.url, auth=DIGEST)
    out.get()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: out.get(), range(40)))
    assert len(web.asked) == 42


def test_a_wrong_password_is_fatal_after_two_requests(web: WebServer) -> None:
    web.answer = Guard(password="another")
    with pytest.raises(Fatal, match=r"refused with status 401.*Check login, password.*'shop_api'"):
        Out(web.url, auth=DIGEST).get()
    assert len(web.asked) == 2


def test_a_system_that_asks_for_no_digest_is_named(web: WebServer) -> None:
    web.script(Say(401, headers={"WWW-Authenticate": 'Basic realm="x"'}))
    with pytest.raises(Fatal, match="refuses without a digest challenge"):
        Out(web.url, auth=DIGEST).get()
    with pytest.raises(Fatal, match="has no login and no password"):
        Out(web.url, endpoint=Endpoint(web.url), auth=DIGEST).get()
