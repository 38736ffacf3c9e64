"""The one way out: what it bears, what it refuses, and what it says when it gives up."""

from __future__ import annotations

import base64
import gzip
import hashlib
import logging
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from onefold.errors import Fatal, Retriable
from tests.http.calls import SECRET, Out
from tests.http.web_server import Say, WebServer


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
    for part in ("shop.item", "GET /items", "4 times", "status 503", "23 bytes, hash ", "shop_api"):
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
    everything = f"{error.value!r} {out.attempts!r} {caplog.text} {out.client._sign_in!r}"
    basic = base64.b64encode(f"someone:{SECRET}".encode()).decode()
    for hidden in (SECRET, "kowalski", "anna", "525-22", "48-481", "abc.def", "AQcAQH0dM", basic):
        assert hidden not in everything
    assert "status 500" in caplog.text


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_of_an_error_answer_its_codes_its_size_and_its_hash_are_shown_and_nothing_else(
    web: WebServer, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    told = '[{"errorCode": "INVALID_FIELD", "message": "Jan Kowalski, ul. Długa 7, KOWALSKI_JAN is not valid"}]'
    web.script(Say(status, told.encode(), {"X-Why": "Kowalski"}))
    caplog.set_level(logging.DEBUG)
    out = Out(web.url)
    with pytest.raises((Fatal, Retriable)) as error:
        out.get()
    text = str(error.value)
    assert f"INVALID_FIELD; {len(told.encode())} bytes, hash " in text
    everything = f"{text} {error.value.__cause__!r} {out.attempts!r} {caplog.text}"
    for hidden in ("Kowalski", "KOWALSKI", "Długa", "errorCode"):
        assert hidden not in everything


def test_the_hash_of_an_answer_is_keyed(web: WebServer) -> None:
    """The plain hash of an answer that is a PESEL and nothing else is found by trying them all."""
    web.script(Say(400, b"44051401359"))
    with pytest.raises(Fatal) as error:
        Out(web.url).get()
    assert hashlib.sha256(b"44051401359").hexdigest()[:12] not in str(error.value)
    assert "11 bytes, hash " in str(error.value)


def test_an_address_that_names_a_person_is_not_written_down(web: WebServer) -> None:
    web.script(Say(404, b"{}"))
    out = Out(web.url)
    with pytest.raises(Fatal) as error:
        out.get("/people/jan.kowalski%40example.com/44051401359/items")
    for hidden in ("kowalski", "44051401359"):
        assert hidden not in f"{error.value} {out.attempts!r}"
    assert "/people/~" in str(error.value)


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
