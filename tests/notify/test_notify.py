"""Alerts: told once when something is wrong, once when it has healed, and never at the cost of what noticed it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
from tenacity import wait_none

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.notify import alert
from onefold.notify.notification import Notice
from onefold.notify.receiver import receivers
from tests.http.web_server import Say, WebServer, serving
from tests.notify.smtp_server import MailServer, receiving_mail

ACTOR = "os:tester"
ABOUT = ("drift", "shop.customer")
WHAT = "3 records differ from the source, the oldest since 2026-03-01T08:00Z."
SECRET = "/services/T000/B000/sEcReT"


@dataclass
class Ear:
    """A receiver that keeps what it hears; `deaf` makes it fail."""

    name: str = "ear"
    deaf: bool = False
    heard: list[Notice] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        if self.deaf:
            raise Retriable(f"{self.name} does not hear.")
        self.heard.append(notice)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between two attempts."""
    monkeypatch.setattr(alert._tell.retry, "wait", wait_none())


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


@pytest.fixture
def post() -> Iterator[MailServer]:
    with receiving_mail() as server:
        yield server


def test_an_alert_is_told_once_when_it_opens_and_once_when_it_has_healed(loader: psycopg.Connection) -> None:
    ear = Ear()
    told = []
    for _ in range(3):
        alert.wrong(loader, ACTOR, *ABOUT, WHAT)
        told.append(alert.deliver(loader, [ear]))
    for _ in range(2):
        alert.healed(loader, ACTOR, *ABOUT)
        told.append(alert.deliver(loader, [ear]))
    assert told == [1, 0, 0, 1, 0]
    assert [(notice.subject, notice.healed is not None) for notice in ear.heard] == [
        ("shop.customer", False),
        ("shop.customer", True),
    ]
    assert loader.execute("select kind, subject, times, healed_at > first_seen from ops.alert").fetchall() == [
        (*ABOUT, 3, True)
    ]
    assert loader.execute("select action, payload ->> 'about' from audit.event order by seq").fetchall() == [
        ("alert.open", "shop.customer"),
        ("alert.heal", "shop.customer"),
    ]


def test_what_is_wrong_again_after_it_has_healed_is_told_again(loader: psycopg.Connection) -> None:
    ear = Ear()
    for _ in range(2):
        alert.wrong(loader, ACTOR, *ABOUT, WHAT)
        alert.deliver(loader, [ear])
        alert.healed(loader, ACTOR, *ABOUT)
        alert.deliver(loader, [ear])
    assert [notice.healed is not None for notice in ear.heard] == [False, True, False, True]


def test_a_failing_receiver_fails_nobody_is_logged_and_hears_it_later(
    loader: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    deaf, ear = Ear("deaf", deaf=True), Ear("ear")
    alert.wrong(loader, ACTOR, *ABOUT, WHAT)
    with caplog.at_level(logging.WARNING):
        assert alert.deliver(loader, [deaf, ear]) == 1
    assert "deaf does not hear" in caplog.text
    deaf.deaf = False
    assert alert.deliver(loader, [deaf, ear]) == 1
    assert len(deaf.heard) == len(ear.heard) == 1


def test_what_has_healed_before_a_receiver_heard_of_it_is_not_told_to_it(loader: psycopg.Connection) -> None:
    ear = Ear()
    alert.wrong(loader, ACTOR, *ABOUT, WHAT)
    alert.healed(loader, ACTOR, *ABOUT)
    assert alert.deliver(loader, [ear]) == 0


def test_the_setting_names_the_log_mail_slack_and_teams(
    loader: psycopg.Connection, web: WebServer, post: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """One alert through all of them: what each server really got."""
    mail = {"from": "onefold@example.com", "to": "team@example.com, boss@example.com", "tls": "none"}
    endpoints = {
        "mail": Endpoint(f"https://127.0.0.1:{post.port}", None, None, mail),
        "channel": Endpoint(web.url, None, SECRET, {}),
    }
    everybody = receivers("log, email:mail,slack:channel,teams:channel", endpoints.__getitem__)
    alert.wrong(loader, ACTOR, *ABOUT, WHAT)
    with caplog.at_level(logging.INFO):
        assert alert.deliver(loader, everybody) == 4
    title = "Onefold: drift of shop.customer"
    (taken,) = post.taken
    assert (taken["Subject"], taken["From"], taken["To"]) == (title, mail["from"], mail["to"])
    assert taken.get_content().startswith(WHAT)
    slack, teams = (json.loads(asked.body) for asked in web.asked)
    assert [asked.path for asked in web.asked] == [SECRET, SECRET]
    assert slack["text"].startswith(f"{title}\n{WHAT}")
    (attachment,) = teams["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["body"][0]["text"] == title
    assert f"{title}: {WHAT}" in caplog.text
    assert "sEcReT" not in caplog.text
    (row,) = loader.execute("select told_wrong, told_healed from ops.alert").fetchall()
    assert row == (["log", "email:mail", "slack:channel", "teams:channel"], [])


@pytest.mark.parametrize(("status", "kind", "asked"), [(503, Retriable, 3), (404, Fatal, 1)])
def test_a_webhook_that_fails_is_tried_again_where_that_may_help_and_its_address_stays_secret(
    loader: psycopg.Connection,
    web: WebServer,
    caplog: pytest.LogCaptureFixture,
    status: int,
    kind: type[Exception],
    asked: int,
) -> None:
    web.script(Say(status=status, body=SECRET.encode()))
    (slack,) = receivers("slack:channel", lambda _: Endpoint(web.url, None, SECRET, {}))
    alert.wrong(loader, ACTOR, *ABOUT, WHAT)
    assert alert.deliver(loader, [slack]) == 0
    assert len(web.asked) == asked
    assert f"the webhook answered {status}" in caplog.text
    assert "sEcReT" not in caplog.text
    with pytest.raises(kind):
        slack.tell(Notice(*ABOUT, WHAT, loader.execute("select now()").fetchone()[0]))


def test_a_receiver_whose_connection_is_missing_keeps_nobody_else_from_hearing(
    loader: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(name: str) -> Endpoint:
        raise Fatal(f"There is no Airflow connection {name!r}.")

    ear = Ear()
    alert.wrong(loader, ACTOR, *ABOUT, WHAT)
    assert alert.deliver(loader, [*receivers("slack:lost,email:gone", missing), ear]) == 1
    assert "There is no Airflow connection 'lost'" in caplog.text and "'gone'" in caplog.text


def test_mail_that_is_refused_stays_to_be_told(loader: psycopg.Connection, post: MailServer) -> None:
    extra = {"from": "onefold@example.com", "to": "team@example.com", "tls": "none"}
    (mail,) = receivers("email:mail", lambda _: Endpoint(f"https://127.0.0.1:{post.port}", None, None, extra))
    post.verdict = "452 no room"
    alert.wrong(loader, ACTOR, *ABOUT, WHAT)
    assert alert.deliver(loader, [mail]) == 0
    post.verdict = "250 taken"
    assert alert.deliver(loader, [mail]) == 1


def test_a_password_is_never_sent_in_the_clear(post: MailServer) -> None:
    extra = {"from": "onefold@example.com", "to": "team@example.com", "tls": "none"}
    (mail,) = receivers("email:mail", lambda _: Endpoint(f"https://127.0.0.1:{post.port}", "me", "hidden", extra))
    with pytest.raises(Fatal, match="not sent in the clear"):
        mail.tell(Notice(*ABOUT, WHAT, None))
    assert post.taken == []


@pytest.mark.parametrize("wrong", ["pager:x", "email", "slack:"])
def test_a_setting_that_names_no_receiver_says_how_to_write_it(wrong: str) -> None:
    with pytest.raises(Fatal, match="as in: log,email:alerts_mail"):
        receivers(wrong, lambda _: Endpoint("https://example.com"))
