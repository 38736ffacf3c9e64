"""The one way out: what it bears, what it refuses, and what it says when it gives up."""

from __future__ import annotations

import base64
import gzip
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec
import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import QuotaExhausted
from onefold.http.limit import MemoryLimiter
from tests.http.web_server import Asked, Say, WebServer, serving

SYSTEM = {
    "system": "shop",
    "title": "A shop",
    "protocol": "rest",
    "connection": "shop_api",
    "schedule": "0 * * * *",
    "usage_header": "Sforce-Limit-Info",
    "errors": {"retry": ["REQUEST_LIMIT_EXCEEDED"]},
    "limits": {"rate": ["100000/s"], "timeout": "PT30S", "attempts": 4},
    "streams": {"item": {"title": "Items", "primary_key": ["id"], "fields": {"id": "text"}}},
}
TOKENS = {"kind": "oauth2_client_credentials", "token_path": "/token"}
SECRET = "s3cr3t-of-the-test"


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


class Out:
    """A client of the test's server, with what it recorded and how long it would have slept."""

    def __init__(self, url: str, threshold: int = 100, **changes: object) -> None:
        self.attempts: list[Attempt] = []
        self.slept: list[float] = []
        system = System.model_validate(SYSTEM | changes)
        endpoint = Endpoint(url, "someone", SECRET)
        breakers = SyncCircuitBreakerFactory(default_threshold=threshold, default_ttl=3600)
        self.client = Client(
            system,
            endpoint,
            self.attempts.append,
            limiter=MemoryLimiter(),
            stream="item",
            breakers=breakers,
            sleep=self.slept.append,
        )

    def get(self, path: str = "/items", **params: str) -> object:
        return self.client.send("GET", path, params=params, parse=as_json)

    def waits(self) -> list[float]:
        return [seconds for seconds in self.slept if seconds > 0.001]


def as_json(response: Response) -> object:
    try:
        return msgspec.json.decode(response.body)
    except msgspec.DecodeError as error:
        raise BadBody("no JSON") from error


@pytest.mark.parametrize(
    "bad",
    [
        Say(500),
        Say(503, b"down"),
        Say(429),
        Say(408),
        Say(200, b"<html>maintenance</html>"),
        Say(200, b'{"whole": ', announced=500),
        Say(hang_up=True),
        Say(403, b'[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]'),
    ],
    ids=["500", "503", "429", "408", "html with 200", "cut body", "hang up", "later in a 403"],
)
def test_a_passing_failure_is_tried_again_and_every_attempt_is_recorded(web: WebServer, bad: Say) -> None:
    web.script(bad, bad, Say(200, b'{"ok": true}'))
    out = Out(web.url)
    assert out.get() == {"ok": True}
    assert len(out.attempts) == 3
    assert [attempt.error is None for attempt in out.attempts] == [False, False, True]
    assert out.attempts[-1].status == 200
    assert out.attempts[-1].bytes == len(b'{"ok": true}')
    assert (out.attempts[0].system, out.attempts[0].stream) == ("shop", "item")


def test_waits_grow_exponentially_with_full_jitter(web: WebServer) -> None:
    web.script(Say(503))
    firsts = set()
    for _ in range(3):
        out = Out(web.url)
        with pytest.raises(Retriable):
            out.get()
        assert all(0 <= wait <= bound for wait, bound in zip(out.slept, [1, 2, 4], strict=False))
        firsts.add(out.slept[0])
    assert len(firsts) == 3, "the waits must differ, or all tasks come back at once"


def test_retry_after_in_seconds_is_honoured(web: WebServer) -> None:
    web.script(Say(429, headers={"Retry-After": "17"}), Say())
    out = Out(web.url)
    out.get()
    assert out.waits() == [17.0]


def test_retry_after_as_a_date_is_honoured(web: WebServer) -> None:
    until = datetime.now(UTC) + timedelta(seconds=40)
    web.script(Say(503, headers={"Retry-After": format_datetime(until, usegmt=True)}), Say())
    out = Out(web.url)
    out.get()
    assert len(out.waits()) == 1
    assert 35 < out.waits()[0] <= 40


def test_a_retry_after_beyond_the_decided_total_fails_now_and_says_when_to_come_back(web: WebServer) -> None:
    web.script(Say(429, headers={"Retry-After": "86400"}))
    out = Out(web.url)
    with pytest.raises(Retriable, match="come back in 86400 s"):
        out.get()
    assert len(web.asked) == 1
    assert out.waits() == []


def test_a_system_that_stays_down_ends_retriable_and_the_message_says_all(web: WebServer) -> None:
    web.script(Say(503, b"out of order until noon"))
    out = Out(web.url)
    with pytest.raises(Retriable) as error:
        out.get("/items", customer="Jan Kowalski")
    text = str(error.value)
    for part in ("shop.item", "GET /items", "4 times", "status 503", "out of order until noon", "shop_api"):
        assert part in text
    assert "Kowalski" not in text
    assert len(out.attempts) == 4


def test_a_refused_request_is_fatal_at_once(web: WebServer) -> None:
    web.script(Say(400, b'[{"errorCode":"MALFORMED_QUERY","message":"unexpected token"}]'))
    out = Out(web.url)
    with pytest.raises(Fatal, match="MALFORMED_QUERY"):
        out.get()
    assert len(web.asked) == 1


def test_no_message_and_no_record_holds_a_secret_or_a_personal_value(
    web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    leak = f"login someone {SECRET} jan.kowalski@example.com 525-22-48-481 Bearer abc.def 00D5g0000000001!AQcAQH0dM"
    web.script(Say(500, leak.encode() * 5))
    caplog.set_level(logging.DEBUG)
    logging.getLogger().setLevel(logging.DEBUG)
    out = Out(web.url, auth={"kind": "basic"})
    with pytest.raises(Retriable) as error:
        out.get("/items", email="anna@example.com")
    everything = f"{error.value!r} {out.attempts!r} {caplog.text} {out.client._credentials!r}"
    basic = base64.b64encode(f"someone:{SECRET}".encode()).decode()
    for hidden in (SECRET, "kowalski", "anna", "525-22", "48-481", "abc.def", "AQcAQH0dM", basic):
        assert hidden not in everything
    assert "status 500" in caplog.text


def test_an_excerpt_is_at_most_200_characters(web: WebServer) -> None:
    web.script(Say(400, b"word " * 4000))
    with pytest.raises(Fatal) as error:
        Out(web.url).get()
    assert str(error.value).count("word") <= 40


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


def test_connections_are_reused(web: WebServer) -> None:
    out = Out(web.url)
    for _ in range(5):
        out.get()
    assert web.connections == 1


def test_an_answer_that_does_not_come_in_time_is_a_timeout(web: WebServer) -> None:
    gate = threading.Event()
    web.script(Say(until=gate))
    out = Out(web.url, limits={"rate": ["1000/s"], "timeout": "PT0.2S", "attempts": 2})
    with pytest.raises(Retriable, match="no whole answer"):
        out.get()
    gate.set()
    assert out.attempts[0].status is None


def test_an_answer_that_drips_does_not_outlast_the_timeout(web: WebServer) -> None:
    web.script(Say(200, b" " * 400 + b"{}", drip=0.01))
    out = Out(web.url, limits={"rate": ["1000/s"], "timeout": "PT0.3S", "attempts": 1})
    with pytest.raises(Retriable, match="no whole answer"):
        out.get()
    assert out.attempts[0].milliseconds < 1500


def test_compressed_and_chunked_answers_are_read_whole(web: WebServer) -> None:
    chunked = {"Transfer-Encoding": "chunked"}
    web.script(
        Say(200, gzip.compress(b'{"a": 1}'), {"Content-Encoding": "gzip"}),
        Say(200, b'4\r\n{"b"\r\n4\r\n: 2}\r\n0\r\n\r\n', chunked),
        Say(200, gzip.compress(b'{"c": 3}' * 500)[:30], {"Content-Encoding": "gzip"}),
        Say(200, b'{"d": 4}'),
    )
    out = Out(web.url)
    assert [out.get() for _ in range(3)] == [{"a": 1}, {"b": 2}, {"d": 4}]


def test_a_chunked_answer_without_its_last_chunk_is_cut_off(web: WebServer) -> None:
    cut = Say(200, b"2\r\n{}\r\n", {"Transfer-Encoding": "chunked", "Connection": "close"}, announced=1)
    web.script(cut, Say(200, b'{"whole": 1}'))
    assert Out(web.url).get() == {"whole": 1}


def test_a_system_that_keeps_failing_is_left_alone(web: WebServer) -> None:
    web.script(Say(500))
    out = Out(web.url, threshold=6)
    with pytest.raises(Retriable, match="4 times"):
        out.get()
    with pytest.raises(Retriable, match="circuit breaker is open"):
        out.get()
    before = len(web.asked)
    assert before == 6
    with pytest.raises(Retriable, match="circuit breaker is open"):
        out.get()
    assert len(web.asked) == before


def test_refusals_and_rate_limits_do_not_open_the_circuit_breaker(web: WebServer) -> None:
    out = Out(web.url, threshold=2)
    web.script(Say(404))
    for _ in range(3):
        with pytest.raises(Fatal):
            out.get()
    web.script(Say(429), Say(429), Say(429), Say())
    assert out.get() == {}


def test_the_quota_that_an_answer_tells_is_recorded(web: WebServer) -> None:
    web.script(Say(headers={"Sforce-Limit-Info": "api-usage=25/5000 (per-app-api-usage=17/250)"}))
    out = Out(web.url)
    out.get()
    assert (out.attempts[0].used, out.attempts[0].limit) == (25, 5000)


def test_the_record_has_the_path_without_its_query(web: WebServer) -> None:
    out = Out(web.url)
    out.get("/items?email=anna@example.com", name="Anna")
    assert out.attempts[0].path == "/items"
    assert web.asked[0].params == {"email": "anna@example.com", "name": "Anna"}


def test_statuses_that_mean_something_reach_the_reader(web: WebServer) -> None:
    web.script(Say(204), Say(404, b"gone"))
    client = Out(web.url).client
    accept = frozenset({404})
    statuses = [client.send("GET", "/x", parse=lambda response: response.status, accept=accept) for _ in range(2)]
    assert statuses == [204, 404]


def test_a_connection_without_a_password_says_where_to_set_it(web: WebServer) -> None:
    system = System.model_validate(SYSTEM | {"auth": {"kind": "basic"}})
    client = Client(system, Endpoint(web.url), lambda _: None)
    with pytest.raises(Fatal, match="'shop_api' has no login"):
        client.send("GET", "/items", parse=as_json)


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
    client = Client(system, Endpoint(web.url, extra={"rate": own}), lambda _: None, limiter, sleep=slept.append)
    for _ in range(go):
        client.send("GET", "/items", parse=as_json)
    with pytest.raises(QuotaExhausted, match=rf"{go}/day@Europe/Warsaw.*is used up"):
        client.send("GET", "/items", parse=as_json)
    assert sum(slept) < 0.1
