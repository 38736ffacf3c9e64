"""Alerts: notified once when opened, once when resolved, and never at the cost of the task that opened them."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import pytest
from tenacity import wait_none

from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.notify import alert
from onefold.notify.notification import Notification
from onefold.notify.receiver import read_receivers
from tests.http.web_server import Say, WebServer, serving
from tests.notify.smtp_server import MailServer, receiving_mail

ACTOR = "os:tester"
ABOUT = ("drift", "shop.customer")
WHAT = "3 records differ from the source, the oldest since 2026-03-01T08:00Z."
SECRET = "/services/T000/B000/sEcReT"


@dataclass
class Recorder:
    """A receiver that records what it is sent; `fails` makes it fail."""

    name: str = "recorder"
    fails: bool = False
    received: list[Notification] = field(default_factory=list)

    def send(self, notification: Notification) -> None:
        if self.fails:
            raise Retriable(f"{self.name} does not answer.")
        self.received.append(notification)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two attempts."""
    monkeypatch.setattr(alert.send.retry, "wait", wait_none())


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


@pytest.fixture
def post() -> Iterator[MailServer]:
    with receiving_mail() as server:
        yield server


def test_a_receiver_is_notified_once_when_an_alert_opens_and_once_when_it_is_resolved(
    loader: psycopg.Connection,
) -> None:
    recorder = Recorder()
    sent = []
    for _ in range(3):
        alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
        sent.append(alert.deliver_notifications(loader, [recorder]))
    for _ in range(2):
        alert.resolve_alert(loader, ACTOR, *ABOUT)
        sent.append(alert.deliver_notifications(loader, [recorder]))
    assert sent == [1, 0, 0, 1, 0]
    assert [(each.subject, each.resolved_at is not None) for each in recorder.received] == [
        ("shop.customer", False),
        ("shop.customer", True),
    ]
    assert loader.execute("select kind, subject, occurrences, resolved_at > first_seen from ops.alert").fetchall() == [
        (*ABOUT, 3, True)
    ]
    assert loader.execute("select action, payload ->> 'about' from audit.event order by seq").fetchall() == [
        ("alert.open", "shop.customer"),
        ("alert.resolve", "shop.customer"),
    ]


def test_an_alert_that_opens_again_is_notified_again(loader: psycopg.Connection) -> None:
    recorder = Recorder()
    for _ in range(2):
        alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
        alert.deliver_notifications(loader, [recorder])
        alert.resolve_alert(loader, ACTOR, *ABOUT)
        alert.deliver_notifications(loader, [recorder])
    assert [each.resolved_at is not None for each in recorder.received] == [False, True, False, True]


def test_a_failing_receiver_is_logged_fails_nobody_else_and_is_notified_later(
    loader: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    down, up = Recorder("down", fails=True), Recorder("up")
    alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
    with caplog.at_level(logging.WARNING):
        assert alert.deliver_notifications(loader, [down, up]) == 1
    assert "down does not answer" in caplog.text
    down.fails = False
    assert alert.deliver_notifications(loader, [down, up]) == 1
    assert len(down.received) == len(up.received) == 1


def test_a_receiver_is_not_notified_of_an_alert_that_was_resolved_before(loader: psycopg.Connection) -> None:
    recorder = Recorder()
    alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
    alert.resolve_alert(loader, ACTOR, *ABOUT)
    assert alert.deliver_notifications(loader, [recorder]) == 0


def test_the_setting_names_the_log_mail_slack_and_teams(
    loader: psycopg.Connection, web: WebServer, post: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """One alert through all of them: what each server really got."""
    mail = {"from": "onefold@example.com", "to": "team@example.com, boss@example.com", "tls": "none"}
    endpoints = {
        "mail": Endpoint(f"https://127.0.0.1:{post.port}", None, None, mail),
        "channel": Endpoint(web.url, None, SECRET, {}),
    }
    all_kinds = read_receivers("log, email:mail,slack:channel,teams:channel", endpoints.__getitem__)
    alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
    with caplog.at_level(logging.INFO):
        assert alert.deliver_notifications(loader, all_kinds) == 4
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
    (row,) = loader.execute("select notified_open, notified_resolved from ops.alert").fetchall()
    assert row == (["log", "email:mail", "slack:channel", "teams:channel"], [])


@pytest.mark.parametrize(("status", "kind", "asked"), [(503, Retriable, 3), (404, Fatal, 1)])
def test_a_failing_webhook_is_retried_where_that_may_help_and_its_address_stays_secret(
    loader: psycopg.Connection,
    web: WebServer,
    caplog: pytest.LogCaptureFixture,
    status: int,
    kind: type[Exception],
    asked: int,
) -> None:
    web.script(Say(status=status, body=SECRET.encode()))
    (slack,) = read_receivers("slack:channel", lambda _: Endpoint(web.url, None, SECRET, {}))
    alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
    assert alert.deliver_notifications(loader, [slack]) == 0
    assert len(web.asked) == asked
    assert f"the webhook answered {status}" in caplog.text
    assert "sEcReT" not in caplog.text
    with pytest.raises(kind):
        slack.send(Notification(*ABOUT, WHAT, loader.execute("select now()").fetchone()[0]))


def test_a_missing_connection_of_one_receiver_does_not_stop_the_others(
    loader: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(name: str) -> Endpoint:
        raise Fatal(f"There is no Airflow connection {name!r}.")

    recorder = Recorder()
    alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
    assert alert.deliver_notifications(loader, [*read_receivers("slack:lost,email:gone", missing), recorder]) == 1
    assert "There is no Airflow connection 'lost'" in caplog.text and "'gone'" in caplog.text


def test_a_refused_mail_is_sent_again_with_the_next_delivery(loader: psycopg.Connection, post: MailServer) -> None:
    extra = {"from": "onefold@example.com", "to": "team@example.com", "tls": "none"}
    (mail,) = read_receivers("email:mail", lambda _: Endpoint(f"https://127.0.0.1:{post.port}", None, None, extra))
    post.verdict = "452 no room"
    alert.open_alert(loader, ACTOR, *ABOUT, WHAT)
    assert alert.deliver_notifications(loader, [mail]) == 0
    post.verdict = "250 taken"
    assert alert.deliver_notifications(loader, [mail]) == 1


def test_a_mail_server_that_speaks_a_byte_at_a_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onefold.notify.mail.ALL_SECONDS", 0.3, raising=False)
    extra = {"from": "onefold@example.com", "to": "team@example.com", "tls": "none"}
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            client, _ = listening.accept()
            with client, contextlib.suppress(OSError):
                for _ in range(100):
                    client.sendall(b"2")
                    time.sleep(0.05)

        threading.Thread(target=greet, daemon=True).start()
        at = Endpoint(f"https://127.0.0.1:{listening.getsockname()[1]}", None, None, extra)
        (mail,) = read_receivers("email:mail", lambda _: at)
        began = time.monotonic()
        with pytest.raises(Retriable, match="TimeoutError"):
            mail.send(Notification(*ABOUT, WHAT, datetime.now(UTC)))
    assert time.monotonic() - began < 3


def test_a_password_is_never_sent_without_encryption(post: MailServer) -> None:
    extra = {"from": "onefold@example.com", "to": "team@example.com", "tls": "none"}
    (mail,) = read_receivers("email:mail", lambda _: Endpoint(f"https://127.0.0.1:{post.port}", "me", "hidden", extra))
    with pytest.raises(Fatal, match="never sent without encryption"):
        mail.send(Notification(*ABOUT, WHAT, None))
    assert post.taken == []


@pytest.mark.parametrize("wrong", ["pager:x", "email", "slack:"])
def test_a_setting_that_names_no_receiver_says_how_to_write_it(wrong: str) -> None:
    with pytest.raises(Fatal, match="as in: log,email:alerts_mail"):
        read_receivers(wrong, lambda _: Endpoint("https://example.com"))
