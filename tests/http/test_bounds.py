"""No answer takes longer, holds more or leads further than the system's limits say, whatever the other side does."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import pytest

from onefold.errors import Fatal, Retriable
from onefold.http import wire
from onefold.http.attempt import Response, quota
from onefold.http.failure import retry_after
from tests.http.calls import Out
from tests.http.web_server import Say, WebServer

SOON = {"rate": ["1000/s"], "timeout": "PT0.3S", "attempts": 1}
OK = b"HTTP/1.1 200 OK\r\n"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def dripping(*heads: bytes, then: bytes = b"x") -> Iterable[bytes]:
    """The heads at once, then one byte after another, for ever."""
    return itertools.chain(heads, itertools.repeat(then))


TRICKLES = {
    "status line": dripping(b"HTTP/1.1 200 ", then=b"O"),
    "a header": dripping(OK, b"X-Slow: "),
    "header after header": dripping(OK, then=b"A: b\r\n"),
    "continue for ever": dripping(then=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": dripping(OK, b"Content-Length: 100000\r\n\r\n", then=b" "),
    "body without an end": dripping(OK, b"\r\n", then=b" "),
    "length of a chunk": dripping(OK, b"Transfer-Encoding: chunked\r\n\r\n", then=b"0"),
    "trailers": dripping(OK, b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", then=b"A: b\r\n"),
}


@pytest.mark.parametrize("raw", TRICKLES.values(), ids=TRICKLES.keys())
def test_an_answer_that_trickles_in_any_of_its_parts_ends_at_the_time_limit(web: WebServer, raw: Iterable[bytes]):
    web.script(Say(raw=raw, drip=0.02))
    began = time.monotonic()
    with pytest.raises(Retriable, match=r"no whole answer within 0\.3 s|the connection failed|cut off"):
        Out(web.url, limits=SOON).get()
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("way", ["token", "signed link"])
def test_so_does_what_is_asked_besides_the_pages(web: WebServer, way: str) -> None:
    web.script(Say(raw=dripping(OK, b"X-Slow: "), drip=0.02))
    tokens = {"kind": "oauth2_client_credentials", "token_path": "/token"}
    out = Out(web.url, limits=SOON, auth=tokens if way == "token" else {"kind": "none"})
    began = time.monotonic()
    with pytest.raises(Retriable, match=r"no whole answer within 0\.3 s"):
        out.get() if way == "token" else out.client.fetch("/file", parse=lambda answer: answer.body)
    assert time.monotonic() - began < 2


def test_a_kept_connection_serves_the_next_request_whatever_time_the_last_one_had_left(web: WebServer) -> None:
    web.script(Say(drip=0.1), Say(drip=0.1), Say(drip=0.1))
    out = Out(web.url, limits={**SOON, "timeout": "PT0.5S"})
    for _ in range(3):
        assert out.get() == {}
    assert web.connections == 1


@contextmanager
def full_house() -> Iterator[int]:
    """A port of 127.0.0.1 on which nobody is let in, nor turned away: its queue of connections is full."""
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Every name has these addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    look_up = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *how: int) -> list[object]:
        return found if host == "many.example" else look_up(host, port, *how)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_all_addresses_of_a_host_together_are_tried_no_longer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONNECT_TIMEOUT", 0.4)
    with full_house() as port:
        named(monkeypatch, *["127.0.0.1"] * 25)
        began = time.monotonic()
        with pytest.raises(Retriable, match=r"no whole answer|the connection failed"):
            Out(f"http://many.example:{port}", limits={**SOON, "timeout": "PT20S"}).get()
    assert time.monotonic() - began < 2


def test_a_host_of_which_one_address_answers_is_reached(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONNECT_TIMEOUT", 2)
    named(monkeypatch, "127.0.0.9", "127.0.0.1")  # nobody listens at the first
    assert Out(web.url.replace("127.0.0.1", "many.example"), limits=SOON).get() == {}


def test_a_name_server_that_does_not_answer_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(wire, "CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: never.wait(20))
    began = time.monotonic()
    with pytest.raises(Retriable, match="no whole answer"):
        Out("http://many.example", limits={**SOON, "timeout": "PT20S"}).get()
    never.set()
    assert time.monotonic() - began < 2


def test_a_body_that_unpacks_to_more_than_the_limit_is_refused_and_the_limit_named(web: WebServer) -> None:
    bomb = gzip.compress(gzip.compress(b"\0" * (64 << 20)))
    web.script(Say(200, bomb, {"Content-Encoding": "gzip, gzip"}))
    with pytest.raises(Fatal, match=r"larger than 1 MiB \(limits\.answer_mib\)"):
        Out(web.url, limits={**SOON, "timeout": "PT20S", "answer_mib": 1}).get()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", 17.0),
        (" 17 ", 17.0),
        ("Sun, 01 Mar 2026 00:00:09 GMT", 9.0),
        ("Sun, 01 Mar 2020 00:00:00 GMT", 0.0),
        *((text, None) for text in ("", "²", "٣", "1e9", "-5", "1.5", "soon", "Sun, 99 Mar 2026 99:99:99 GMT")),
        *((text, None) for text in ("Sun, 00 Mar 2026 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -9999999", "\0")),
    ],
)
def test_a_retry_after_that_is_no_number_and_no_date_counts_as_none(header: str, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


@pytest.mark.parametrize("header", ["9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_in_ages_ends_the_attempts_at_once(web: WebServer, header: str) -> None:
    web.script(Say(429, headers={"Retry-After": header}))
    out = Out(web.url)
    with pytest.raises(Retriable, match=r"failed 1 time, the last time: .*asks to come back"):
        out.get()
    assert len(out.attempts) == 1 and out.waits() == []


def test_a_request_whose_answer_says_odd_things_in_its_headers_is_tried_again(web: WebServer) -> None:
    odd = [Say(503, headers={"Retry-After": "\xb2"}), Say(503, headers={"Retry-After": "1e9"})]
    web.script(*odd, Say(200, b'{"ok": true}', {"Sforce-Limit-Info": f"api-usage={'9' * 5000}/1"}))
    assert Out(web.url).get() == {"ok": True}
    assert quota(f"api-usage={'9' * 20}/5000") == (None, None)


@pytest.mark.parametrize("length", ["\xb2", "-5", "1e3", "9" * 5000, "7, 8", ""])
def test_a_content_length_that_is_none_does_not_stop_us_for_good(web: WebServer, length: str) -> None:
    raw = [OK, b"Content-Length: ", length.encode("latin-1"), b"\r\nConnection: close\r\n\r\n{}"]
    web.script(Say(raw=raw), Say(200, b"{}"))
    assert Out(web.url).get() == {}


ADDRESSES = ["http://[::1", "http://[", "//[::1/x", "http://127.0.0.1:99999/x", "http://127.0.0.1:0x50/", "http://a:²/"]


@pytest.mark.parametrize(
    "address", [*ADDRESSES, "/x?" + "y" * 20_000, "ftp://a/b", "javascript:alert(1)", "file:///etc"]
)
@pytest.mark.parametrize("way", ["path", "redirect"])
def test_an_address_that_cannot_be_asked_is_refused_in_plain_words(web: WebServer, address: str, way: str) -> None:
    web.script(Say(302, headers={"Location": address}))
    out = Out(web.url)
    with pytest.raises(Fatal, match="it pointed us to") as refused:
        out.get(address if way == "path" else "/items")
    assert len(str(refused.value)) < 600
    assert len(web.asked) == (0 if way == "path" else 1)


def test_a_url_of_a_connection_that_is_malformed_is_named(web: WebServer) -> None:
    with pytest.raises(Fatal, match="'shop_api' has no usable URL"):
        Out("http://[::1")


@pytest.mark.parametrize("kind", [KeyError, RecursionError, OverflowError, UnicodeError, AttributeError])
def test_an_answer_that_a_reader_falls_over_is_asked_for_again_and_never_quoted(web: WebServer, kind: type[Exception]):
    def parse(response: Response) -> object:
        raise kind("44051401458")

    out = Out(web.url)
    with pytest.raises(Retriable, match=rf"a body that cannot be read \({kind.__name__}\)") as failed:
        out.client.send("GET", "/items", parse=parse)
    assert len(out.attempts) == 4 and "44051401458" not in str(failed.value) + str(out.attempts)


def test_a_long_path_is_written_down_shortened(web: WebServer) -> None:
    web.script(Say(404))
    out = Out(web.url)
    with pytest.raises(Fatal) as refused:
        out.get("/" + "x" * 9000)
    assert len(str(refused.value)) < 600 and len(out.attempts[0].path) <= 300


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), -1.0, 1e300, 100_000.0])
def test_a_pause_that_nobody_stays_for_is_not_slept(web: WebServer, seconds: float) -> None:
    out = Out(web.url)
    with pytest.raises(Retriable, match="asks to come back in"):
        out.client.wait(seconds)
    out.client.wait(45)
    assert out.slept == [45]
