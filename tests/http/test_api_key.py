"""A key in a header, with what stands before it, or in the query, where it may stand nowhere else."""

from __future__ import annotations

import logging
from urllib.parse import quote

import pytest

from onefold.errors import Fatal, Retriable
from onefold.http.attempt import Response
from onefold.http.blanking import Blank
from onefold.http.endpoint import Endpoint
from onefold.http.sign_in.fixed import with_parameter
from tests.http.calls import SECRET, Out
from tests.http.web_server import Asked, Say, WebServer

IN_QUERY = {"kind": "api_key", "query": "api_key"}


def test_a_key_stands_in_its_header_after_its_prefix(web: WebServer) -> None:
    Out(web.url, auth={"kind": "api_key", "header": "X-Auth", "prefix": "Token "}).get()
    assert web.asked[0].headers["X-Auth"] == f"Token {SECRET}"


def test_a_key_in_the_query_is_sent_with_the_others_and_never_written_down(
    web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web.script(Say(500, f"no page for ?api_key={SECRET}".encode()), Say())
    out = Out(web.url, auth=IN_QUERY)
    out.get("/items", page="2")
    assert [asked.params for asked in web.asked] == [{"page": "2", "api_key": SECRET}] * 2
    web.script(Say(500))
    with pytest.raises(Retriable) as failed:
        out.get("/items")
    assert SECRET not in f"{caplog.text} {out.attempts!r} {failed.value!r} {out.client._sign_in!r}"


def test_an_answer_with_odd_headers_makes_nobody_log_the_address(
    web: WebServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web.answer = lambda _: Say(raw=[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header at all\r\nX: 1\r\n\r\n{}"])
    Out(web.url, auth=IN_QUERY).get("/items", email="anna@example.com")
    assert SECRET not in caplog.text
    assert "anna" not in caplog.text


@pytest.mark.parametrize("key", [SECRET, "a/b+c==&d%", "demo"])
def test_a_next_address_that_repeats_the_key_is_read_without_it_and_followed_with_it(web: WebServer, key: str) -> None:
    echoed = f"{web.url}/items?page=2&api_key={quote(key, safe='')}"

    def answer(asked: Asked) -> Say:
        assert asked.params["api_key"] == key
        header = {"Link": f'<{echoed}>; rel="next"'}
        return Say(200, f'{{"next": "{echoed}", "key": "?api_key={quote(key)}"}}'.encode(), header)

    web.answer = answer
    out = Out(web.url, endpoint=Endpoint(web.url, "someone", key), auth=IN_QUERY)
    body, link = out.client.send("GET", "/items", parse=lambda found: (found.body, found.headers["link"]))
    assert quote(key, safe="").encode() not in body
    assert key.encode() not in body
    assert link == f'<{web.url}/items?page=2&api_key=***>; rel="next"'
    out.get(link[1:].partition(">")[0])
    assert web.asked[-1].params == {"page": "2", "api_key": key}


def test_a_key_in_the_query_is_sent_anew_to_where_a_redirect_leads(web: WebServer) -> None:
    web.script(Say(302, headers={"Location": "/moved"}), Say())
    Out(web.url, auth=IN_QUERY).get()
    assert [(asked.path, asked.params) for asked in web.asked] == [
        ("/items", {"api_key": SECRET}),
        ("/moved", {"api_key": SECRET}),
    ]


def test_a_secret_is_blanked_also_where_two_pieces_of_an_answer_share_it() -> None:
    blank, text = Blank(SECRET), f"before {SECRET} between {SECRET}{SECRET} after".encode()
    for at in range(len(text)):
        assert b"".join(blank.pieces(iter([text[:at], text[at:]]))) == b"before *** between ****** after"
    assert b"".join(blank.pieces(bytes([each]) for each in text)) == b"before *** between ****** after"


def test_a_key_that_is_a_word_is_blanked_as_a_parameter_only() -> None:
    assert Blank("demo").whole(b"the demo of ?k=demo&k=demolition") == b"the demo of ?k=***&k=demolition"


def test_an_answer_without_the_key_is_read_as_it_is(web: WebServer) -> None:
    content = bytes(range(256)) * 1000
    web.answer = lambda _: Say(200, content)

    def body(response: Response) -> bytes:
        return response.body

    assert Out(web.url, auth=IN_QUERY).client.send("GET", "/items", parse=body) == content


def test_a_parameter_takes_the_place_of_every_one_of_its_name() -> None:
    assert with_parameter("https://h/p?a=1&k=***&b=%2B&%6B=2", "k", "x y") == "https://h/p?a=1&b=%2B&k=x%20y"


def test_a_key_that_no_header_can_carry_is_named_before_anything_is_sent(web: WebServer) -> None:
    with pytest.raises(Fatal, match="characters that no header can carry"):
        Out(web.url, endpoint=Endpoint(web.url, None, "key\nX-Evil: 1"), auth={"kind": "api_key"}).get()
    assert web.asked == []
