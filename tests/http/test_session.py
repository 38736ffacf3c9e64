"""A login call whose answer has a session's token, which every request carries until the session ends."""

from __future__ import annotations

import json
import time
from itertools import count
from urllib.parse import parse_qs

import pytest

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from tests.http.calls import SECRET, Out
from tests.http.web_server import Asked, Say, WebServer

LOGIN = {"path": "/login", "body": {"user": "{login}", "secret": ["{password}"], "tenant": "{tenant}", "keep": True}}
JSON = {"kind": "session", "login": LOGIN, "token": {"path": "data.token"}}
EXTRA = {"tenant": 'the "first"'}


class Door:
    """Opens sessions s1, s2, … for the right password, and lets in who shows the last one."""

    def __init__(self, over: Say | None = None) -> None:
        self.sessions = count(1)
        self.open: str | None = None
        self.over = over or Say(401)

    def __call__(self, asked: Asked) -> Say:
        if asked.path == "/login":
            if SECRET not in asked.body.decode():
                return Say(401, b'{"message": "anna is not known"}')
            self.open = f"s{next(self.sessions)}"
            headers = {"X-Session": self.open, "Set-Cookie": f"sid={self.open}; Path=/; HttpOnly"}
            return Say(200, json.dumps({"data": {"token": self.open}}).encode(), headers)
        cookies = dict(each.split("=") for each in asked.headers.get("Cookie", "").split("; ") if each)
        shown = {asked.headers.get("Authorization"), asked.headers.get("X-Session"), asked.params.get("sid")}
        return Say() if self.open and {self.open, f"Bearer {self.open}"} & {*shown, cookies.get("sid")} else self.over


def out(web: WebServer, password: str = SECRET, **auth: object) -> Out:
    return Out(web.url, endpoint=Endpoint(web.url, "anna", password, EXTRA), auth=JSON | auth)


@pytest.mark.parametrize(
    ("token", "send", "carried"),
    [
        ({"path": "data.token"}, None, ("Authorization", "Bearer s1")),
        ({"header": "X-Session"}, {"header": "X-Session"}, ("X-Session", "s1")),
        ({"cookie": "sid"}, None, ("Cookie", "sid=s1")),
        ({"path": "data.token"}, {"cookie": "sid"}, ("Cookie", "sid=s1")),
    ],
    ids=["body to bearer", "header to header", "cookie", "body to cookie"],
)
def test_a_session_is_opened_once_and_its_token_sent_where_it_goes(
    web: WebServer, token: dict[str, str], send: dict[str, str] | None, carried: tuple[str, str]
) -> None:
    web.answer = Door()
    made = out(web, token=token, **({"send": send} if send else {}))
    made.get()
    made.get()
    assert [asked.path for asked in web.asked] == ["/login", "/items", "/items"]
    assert json.loads(web.asked[0].body) == {
        "user": "anna",
        "secret": [SECRET],
        "tenant": 'the "first"',
        "keep": True,
    }
    assert web.asked[1].headers[carried[0]] == carried[1]


def test_a_token_in_the_query_is_blanked_like_a_key(web: WebServer) -> None:
    web.answer = lambda asked: (
        Say(200, b'"a-long-session-id"')
        if asked.path == "/login"
        else Say(200, b'{"next": "/items?sid=a-long-session-id"}')
    )
    made = out(web, token={"path": ""}, send={"query": "sid"})
    assert made.get() == {"next": "/items?sid=***"}
    assert web.asked[1].params == {"sid": "a-long-session-id"}


def test_a_form_and_a_basic_login(web: WebServer) -> None:
    web.answer = Door()
    out(web, login={"path": "/login", "form": {"user": "{login}", "pw": "{password}"}}).get()
    assert parse_qs(web.asked[0].body.decode()) == {"user": ["anna"], "pw": [SECRET]}
    web.answer = lambda asked: Say(200, b'{"data": {"token": 7}}') if asked.path == "/login" else Say()
    web.asked.clear()
    out(web, login={"path": "/login", "basic": True, "headers": {"X-Tenant": "{tenant}"}}).get()
    assert web.asked[0].headers["Authorization"].startswith("Basic ")
    assert web.asked[0].headers["X-Tenant"] == EXTRA["tenant"]
    assert web.asked[1].headers["Authorization"] == "Bearer 7"


@pytest.mark.parametrize(
    ("over", "ended"),
    [
        (Say(401), None),
        (Say(403, b'{"code": "SESSION_OVER"}'), {"text": "SESSION_OVER"}),
        (Say(200, b'{"error": "SESSION_OVER"}'), {"status": 200, "text": "SESSION_OVER"}),
    ],
    ids=["401", "403 with a text", "200 with a text"],
)
@pytest.mark.parametrize("token", [{"path": "data.token"}, {"cookie": "sid"}], ids=["body", "cookie"])
def test_a_session_that_ends_between_two_pages_is_opened_anew_once(
    web: WebServer, over: Say, ended: dict[str, object] | None, token: dict[str, str]
) -> None:
    door = web.answer = Door(over)
    made = out(web, token=token, **({"ended": ended} if ended else {}))
    made.get()
    door.open = None
    assert made.get() == {}
    assert [asked.path for asked in web.asked] == ["/login", "/items", "/items", "/login", "/items"]


def test_a_session_that_is_refused_after_a_fresh_login_does_not_loop(web: WebServer) -> None:
    web.answer = lambda asked: Say(200, b'{"data": {"token": "s"}}') if asked.path == "/login" else Say(401)
    with pytest.raises(Fatal, match="refused with status 401"):
        out(web).get()
    assert [asked.path for asked in web.asked] == ["/login", "/items", "/login", "/items"]


def test_a_session_as_old_as_its_lifetime_is_opened_anew(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    web.answer = Door()
    made = out(web, lifetime="PT20M")
    made.get()
    later = time.monotonic() + 1201
    monkeypatch.setattr("onefold.http.sign_in.session.time.monotonic", lambda: later)
    made.get()
    assert [asked.path for asked in web.asked] == ["/login", "/items", "/login", "/items"]


def test_a_wrong_password_is_tried_once_and_named(web: WebServer) -> None:
    web.answer = Door()
    with pytest.raises(Fatal, match=r"POST /login opened no session.*status 401.*'shop_api'") as failed:
        out(web, password="wrong").get()
    assert "anna" not in str(failed.value)
    web.answer = lambda _: Say(200, b'{"data": null, "message": "wrong password"}')
    with pytest.raises(Fatal, match=r"no token at data\.token"):
        out(web).get()
    assert len(web.asked) == 2


def test_a_login_that_is_down_is_retriable(web: WebServer) -> None:
    web.answer = lambda _: Say(200, b"<html>maintenance</html>", {"Content-Type": "text/html"})
    with pytest.raises(Retriable):
        out(web, token={"header": "X-Session"}).get()
    assert len(web.asked) == 4


def test_a_field_that_the_login_names_and_the_connection_lacks_is_named(web: WebServer) -> None:
    with pytest.raises(Fatal, match='has no password and no "tenant" in its extra'):
        Out(web.url, endpoint=Endpoint(web.url, "anna"), auth=JSON).get()
    assert web.asked == []
