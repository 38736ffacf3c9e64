"""Requests that may change something: never sent again once they may have been carried out, and what is known then."""

from __future__ import annotations

import pytest

from onefold.errors import Retriable
from onefold.http.attempt import BadBody, Response
from onefold.http.failure import NotSent, Refused, Unanswered
from onefold.platform.postgres import free_port
from tests.http.calls import SECRET, Out, as_json
from tests.http.web_server import Asked, Say, WebServer

WORDS = "pesel 44051401359"
UNANSWERED = {
    "500": Say(500, WORDS.encode()),
    "502": Say(502),
    "503 without Retry-After": Say(503),
    "500 with Retry-After": Say(500, headers={"Retry-After": "1"}),
    "a web page": Say(200, b"<html>maintenance</html>"),
    "a cut body": Say(200, b'{"whole": ', announced=500),
    "no answer": Say(hang_up=True),
    "no answer in time": Say(drip=0.2, body=b'{"whole": true}'),
    "an answer without end": Say(200, b"x" * (2 << 20)),
}
NOT_SENT = {
    "429": Say(429),
    "429 with Retry-After": Say(429, headers={"Retry-After": "1"}),
    "503 with Retry-After": Say(503, headers={"Retry-After": "1"}),
    "403 that says later": Say(403, b'[{"errorCode":"REQUEST_LIMIT_EXCEEDED"}]'),
    "401": Say(401, WORDS.encode()),
}
REFUSED = {"400": Say(400, WORDS.encode()), "403": Say(403), "404": Say(404), "409": Say(409), "412": Say(412)}


def out(web: WebServer, **changes: object) -> Out:
    limits = {"rate": ["100000/s"], "timeout": "PT1S", "attempts": 4, "answer_mib": 1}
    return Out(web.url, limits=limits, **changes)


def write(out: Out) -> object:
    return out.client.send_once("POST", "/items", parse=as_json, body=b"{}")


@pytest.mark.parametrize("case", UNANSWERED)
def test_a_write_without_a_sound_answer_is_sent_once_and_nobody_knows(web: WebServer, case: str) -> None:
    web.script(UNANSWERED[case])
    once = out(web)
    with pytest.raises(Unanswered, match="Nobody knows") as raised:
        write(once)
    assert len(web.asked) == 1 == len(once.attempts)
    assert WORDS not in str(raised.value) and SECRET not in str(raised.value)


@pytest.mark.parametrize("case", NOT_SENT)
def test_a_write_that_the_system_did_not_begin_may_be_tried_again(web: WebServer, case: str) -> None:
    web.script(NOT_SENT[case])
    with pytest.raises(NotSent) as raised:
        write(out(web))
    assert len(web.asked) == 1
    assert WORDS not in str(raised.value) and SECRET not in str(raised.value)


@pytest.mark.parametrize("case", REFUSED)
def test_a_write_that_is_refused_says_by_which_status(web: WebServer, case: str) -> None:
    web.script(REFUSED[case])
    with pytest.raises(Refused) as raised:
        write(out(web))
    assert raised.value.status == int(case) and len(web.asked) == 1
    assert WORDS not in str(raised.value)


def test_nothing_is_sent_where_nobody_answers_or_the_circuit_is_open() -> None:
    once = Out(f"http://127.0.0.1:{free_port()}", threshold=1)
    for reason in ("the connection failed", "circuit breaker is open"):
        with pytest.raises(NotSent, match=reason):
            write(once)
    assert len(once.attempts) == 1


def test_nothing_is_sent_where_the_rate_is_used_up(web: WebServer) -> None:
    once = Out(web.url, limits={"rate": ["1/day"], "timeout": "PT1S", "attempts": 2})
    write(once)
    with pytest.raises(NotSent, match="was not sent: the rate limit"):
        write(once)
    assert len(web.asked) == 1


def test_a_token_that_has_ended_is_renewed_and_the_write_sent_once_more(web: WebServer) -> None:
    tokens = iter(["first", "second", "third"])

    def answer(asked: Asked) -> Say:
        if asked.path == "/token":
            return Say(200, b'{"access_token": "%s"}' % next(tokens).encode())
        return Say(201) if asked.headers["Authorization"] == "Bearer second" else Say(401)

    web.answer = answer
    once = out(web, auth={"kind": "oauth2_client_credentials", "token_path": "/token"})
    assert write(once) == {}
    assert [asked.path for asked in web.asked] == ["/token", "/items", "/token", "/items"]


def test_without_a_token_nothing_is_sent(web: WebServer) -> None:
    web.script(Say(500))
    once = out(web, auth={"kind": "oauth2_client_credentials", "token_path": "/token"})
    with pytest.raises(NotSent):
        write(once)
    assert {asked.path for asked in web.asked} == {"/token"}


def test_what_the_reader_of_an_answer_says_of_it_is_kept(web: WebServer) -> None:
    def refuse(response: Response) -> object:
        raise Retriable("the answer says so")

    with pytest.raises(Retriable, match="the answer says so"):
        out(web).client.send_once("POST", "/items", parse=refuse, body=b"{}")

    def unsound(response: Response) -> object:
        raise BadBody("no key")

    with pytest.raises(Unanswered, match="no key"):
        out(web).client.send_once("POST", "/items", parse=unsound, body=b"{}")
