"""Events that only name a record: it is read from the system itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import ValidationError

from onefold.catalog.system import System
from onefold.errors import Fatal, OnefoldError
from onefold.http.failure import Refused
from tests.connectors.webhook.hook import Hook
from tests.http.web_server import Asked, Say, WebServer
from tests.receive.signers import event

FETCH: dict[str, object] = {"fill": {"id": "data.id"}, "gone": [404]}


def contacts(fetch: object = FETCH, protocol: str = "rest", **more: object) -> System:
    """A system with a REST interface; its stream is named as the test's hook."""
    stream = {
        "title": "Contacts",
        "webhook": {"signature": "stripe", "fetch": fetch},
        "request": {"path": "/contacts/{id}"},
        "answer": {"single": True},
        "primary_key": ["id"],
        "cursor": {"fields": ["changed"], "kind": "unix_seconds"},
        "fields": {"id": "text", "amount": "integer", "changed": "integer"},
        "gate": {"max_quarantined_share": 0.9},
    }
    head = {
        "system": "test_hook",
        "title": "Contacts",
        "protocol": protocol,
        "connection": "t",
        "schedule": "0 * * * *",
    }
    limits = {"rate": ["100000/s"], "attempts": 1}
    return System.model_validate({**head, "limits": limits, "streams": {"payment": stream | more}})


@dataclass
class Contacts:
    """What the system holds: by id, when it was changed and the amount."""

    held: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    status: int = 404

    def answer(self, asked: Asked) -> Say:
        name = asked.path.rpartition("/")[2]
        self.asked.append(name)
        if name not in self.held:
            return Say(self.status, b"{}")
        changed, amount = self.held[name]
        return Say(200, json.dumps({"id": name, "changed": changed, "amount": amount}).encode())


@pytest.fixture
def source(hook: Hook, web: WebServer) -> Iterator[Contacts]:
    found = Contacts()
    web.answer = found.answer
    hook.source = web.url
    return found


def named(number: int, contact: object) -> bytes:
    return event(number, data={"id": contact})


def test_each_record_that_events_name_is_read_once_from_the_system_itself(hook: Hook, source: Contacts) -> None:
    source.held |= {"a": (5, 50), "b": (6, 60)}
    assert hook.post(contacts(), named(1, "a"), named(2, "b"), named(3, "a"), event(4), named(5, "..")) == [200] * 5
    load = hook.load(contacts())
    assert hook.published() == [("a", 50), ("b", 60)]
    assert (source.asked, load.rows_quarantined) == (["a", "b"], 2)
    assert hook.load(contacts()).rows_read == 0
    hook.post(contacts(), named(6, "b"))
    source.held["b"] = (7, 70)
    hook.load(contacts())
    assert (hook.published(), source.asked) == ([("a", 50), ("b", 70)], ["a", "b", "b"])


def test_the_records_own_time_decides_and_not_that_of_the_event(hook: Hook, source: Contacts) -> None:
    source.held["a"] = (9, 90)
    hook.post(contacts(), named(1, "a"))
    hook.load(contacts())
    source.held["a"] = (5, 50)  # as a replica says that is behind
    hook.post(contacts(), named(2, "a"))
    hook.load(contacts())
    assert hook.published() == [("a", 90)]


def test_a_record_that_is_gone_is_deleted_where_the_yaml_says_which_status_means_it(
    hook: Hook, source: Contacts
) -> None:
    source.held |= {"a": (1, 10), "b": (1, 10)}
    hook.post(contacts(), named(1, "a"), named(2, "b"))
    hook.load(contacts())
    before = hook.position()
    del source.held["a"]
    hook.post(contacts(), named(3, "a"))
    with pytest.raises(Refused, match=r"webhook: \{fetch: \{gone: \[404\]\}\}"):
        hook.load(contacts({"fill": {"id": "data.id"}}))
    assert (hook.published(), hook.position()) == ([("a", 10), ("b", 10)], before)
    hook.load(contacts())
    assert hook.published() == [("b", 10)]


def test_a_system_that_is_down_moves_nothing_and_the_next_load_reads_the_same_events(
    hook: Hook, source: Contacts
) -> None:
    hook.post(contacts(), named(1, "a"))
    source.status = 503
    with pytest.raises(OnefoldError):
        hook.load(contacts())
    source.held["a"] = (1, 10)
    hook.load(contacts())
    assert hook.published() == [("a", 10)]


def test_a_wrong_path_is_not_taken_for_records_that_are_gone(hook: Hook, source: Contacts) -> None:
    hook.post(contacts(), *(named(number, f"c{number}") for number in range(10)))
    with pytest.raises(Fatal, match=r"every record that events name \(10\) was answered with a status"):
        hook.load(contacts())


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: contacts(None), "webhook.fetch: protocol rest needs it"),
    (lambda: contacts(protocol="webhook"), "webhook.fetch: protocol webhook takes records from events"),
    (lambda: contacts(primary_key=["id", "amount"]), "primary_key must be one field, and one that"),
    (lambda: contacts({"fill": {"other": "data.id"}}), "primary_key must be one field, and one that"),
    (lambda: contacts({"fill": {"id": "data.id", "more": "x"}}), "each record gets 'more', which is not under fields"),
    (lambda: contacts(request={"path": "/contacts"}), r"nothing in request has \{id\}"),
    (lambda: contacts(lookup={"attribute": "customer.krs"}), "a record that an event names has no lookup"),
]


@pytest.mark.parametrize(("make", "message"), WRONG)
def test_what_could_not_be_fetched_is_refused_in_the_yaml(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()
