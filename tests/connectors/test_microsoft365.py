"""Microsoft 365: delta links, batches of users, and what both do when the source falters."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.connectors.delta import Question
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from onefold.http.wire import Request, Wire
from tests.connectors.reading import reader
from tests.connectors.running_sandbox import Connected, Sandbox, running
from tests.http.web_server import Asked, Say, WebServer, serving

BY_USER = ("calendar_event", "message", "document")
SYSTEM = read_systems()["microsoft365"]
MAILBOX = "/v1.0/users/u1/mailFolders/inbox/messages/delta"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_MICROSOFT365_PAGE": "20", "SANDBOX_MICROSOFT365_BUSY": "30"}
    with running(tmp_path_factory.mktemp("sandbox"), 240, environment) as sandbox:
        yield sandbox


@pytest.fixture
def connected(sandbox: Sandbox) -> Iterator[Callable[[str], Connected]]:
    sandbox.clear()
    yield lambda stream: Connected(sandbox, "microsoft365", stream, "onefold", f"{sandbox.url}/microsoft365")
    reset(sandbox)


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


def reset(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.url}/control/reset", timeout=10).raise_for_status()


def window(states: Mapping[str, str] | None = None) -> Window:
    return Window(BEGINNING, datetime.now(UTC), states or {})


def states(pages: list[Page]) -> dict[str, str]:
    return {part.name: part.checkpoint for page in pages for part in page.ended if part.checkpoint}


def keys(pages: list[Page], *, deleted: bool = False) -> set[str | None]:
    return {record.key for page in pages for record in page.records if record.deleted is deleted}


def whole(pages: list[Page]) -> list[bool]:
    return [part.snapshot_since is not None for page in pages for part in page.ended]


@pytest.mark.parametrize("stream", ["user", *BY_USER])
def test_the_next_round_goes_on_from_the_links_and_tells_what_is_gone(
    connected: Callable[[str], Connected], stream: str
) -> None:
    source = connected(stream)
    first = source.pages(window())
    source.sandbox.advance(changes=5, deletions=4, new=3)
    second = source.pages(window(states(first)))
    assert all(whole(first))
    assert sum(whole(second)) == (0 if stream == "user" else 3)  # the mailboxes of the three who are new
    assert len(keys(first)) > 30
    assert len(keys(second, deleted=True)) == 4
    assert keys(second, deleted=True) < keys(first)
    assert len(keys(second)) == 8
    assert len(keys(second) - keys(first)) == 3


@pytest.mark.parametrize("stream", ["user", *BY_USER])
def test_any_page_can_be_gone_on_from_and_the_listing_stays_whole(
    connected: Callable[[str], Connected], stream: str
) -> None:
    source = connected(stream)
    pages = source.pages(window())
    for place, page in enumerate(pages[:-1]):
        rest = source.pages(window(), page.token)
        assert keys(rest) == keys(pages[place + 1 :])
        assert states(rest).keys() == states(pages[place + 1 :]).keys()
        assert all(whole(rest))


@pytest.mark.parametrize("stream", ["user", *BY_USER])
def test_a_link_that_is_too_old_lists_everything_anew(connected: Callable[[str], Connected], stream: str) -> None:
    source = connected(stream)
    source.sandbox.advance(new=2)
    links = states(source.pages(window()))
    reset(source.sandbox)  # the links now speak of a time that the source knows nothing of: 410
    listed = source.pages(window())
    again = source.pages(window(links))
    assert keys(again) == keys(listed)
    assert all(whole(again))


def test_users_that_are_told_to_wait_are_asked_again_and_nobody_is_missed(
    connected: Callable[[str], Connected],
) -> None:
    source = connected("message")
    reset(source.sandbox)  # whoever was told to wait once is told again in a new world
    assert len(keys(source.pages(window()))) == 360
    assert set(source.slept) <= {1.0, 2.0}
    assert source.slept


def test_a_state_is_only_for_the_question_that_it_answers() -> None:
    stream = SYSTEM.streams["message"]
    asked = Question.of(stream, window())
    state = asked.state("https://graph.example/v1.0/link")
    assert asked.link(state) == "https://graph.example/v1.0/link"
    more = replace(asked, params={"$select": "id,subject"})
    assert more.link(state) is None  # the YAML asks for other fields now: the old link would never give them
    assert asked.link(None) is None


def graph(web: WebServer, item: Callable[[int], dict[str, object]]) -> tuple[PageReader, list[float]]:
    """A source with two users; `item` makes what each item of the n-th batch is answered."""
    batches: list[int] = []

    def answer(asked: Asked) -> Say:
        if asked.path.endswith("/token"):
            return Say(200, b'{"access_token": "of-the-tests", "expires_in": 3599}')
        if asked.path == "/v1.0/users":
            return Say(200, b'{"value": [{"id": "u1"}, {"id": "u2"}]}')
        batches.append(len(batches))
        requests = json.loads(asked.body)["requests"]
        return Say(200, json.dumps({"responses": [{"id": r["id"], **item(batches[-1])} for r in requests]}).encode())

    web.answer = answer
    slept: list[float] = []
    endpoint = Endpoint(web.url, "onefold", "secret-of-the-tests", {"rate": "100000/s"})
    return reader(SYSTEM, "message", endpoint, client(SYSTEM, endpoint, slept), lambda after, changed: iter(())), slept


def client(system: System, endpoint: Endpoint, slept: list[float]) -> Client:
    breakers = SyncCircuitBreakerFactory(default_threshold=100)
    return Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), breakers=breakers, sleep=slept.append)


def page(**body: object) -> dict[str, object]:
    return {"status": 200, "body": {"value": [{"id": "m1"}], **body}}


def test_an_item_told_to_wait_waits_as_long_as_it_was_told_and_longer_each_time_where_it_was_not(
    web: WebServer,
) -> None:
    busy = {"status": 429, "headers": {"retry-after": "7"}, "body": {}}
    script = [busy, {"status": 429, "body": {}}, {"status": 503, "body": {}}, page(**{"@odata.deltaLink": MAILBOX})]
    read, slept = graph(web, lambda batch: script[batch])
    pages = list(read(window(), None))
    assert slept == [7.0, 2.0, 4.0]
    assert keys(pages) == {'["u1","m1"]', '["u2","m1"]'}


def test_an_item_that_is_told_to_wait_for_ever_ends_the_load_as_retriable(web: WebServer) -> None:
    read, _ = graph(web, lambda batch: {"status": 429, "body": {}})
    with pytest.raises(Retriable, match=r"microsoft365\.message.*status 429"):
        list(read(window(), None))


def test_who_has_no_mailbox_is_passed_and_leaves_no_link(web: WebServer) -> None:
    read, _ = graph(web, lambda batch: {"status": 404, "body": {"error": {"code": "MailboxNotEnabledForRESTAPI"}}})
    (only,) = list(read(window({"u1": "mark /v1.0/old"}), None))
    assert (only.records, only.token) == ([], None)
    assert {part.name: part.checkpoint for part in only.ended} == {"u1": None, "u2": None}
    assert not any(whole([only]))  # what was read of them before stays


def test_a_missing_right_is_fatal(web: WebServer) -> None:
    read, _ = graph(web, lambda batch: {"status": 403, "body": {"error": {"code": "ErrorAccessDenied"}}})
    with pytest.raises(Fatal, match=r"status 403.*admin consent"):
        list(read(window(), None))


def test_a_page_that_repeats_under_ever_new_addresses_ends_with_a_clear_error(web: WebServer) -> None:
    read, _ = graph(web, lambda batch: page(**{"@odata.nextLink": f"https://any.example{MAILBOX}?$skiptoken={batch}"}))
    with pytest.raises(Fatal, match=r"microsoft365\.message.*circle"):
        list(read(window(), None))
    assert {asked.headers["Host"] for asked in web.asked} == {web.url.removeprefix("http://")}  # nobody else is asked


def test_half_a_surrogate_pair_in_a_subject_costs_only_that_message(web: WebServer) -> None:
    found = [{"id": "m1", "subject": "\ud83d"}, {"id": "m2", "subject": "whole"}]
    read, _ = graph(web, lambda batch: {"status": 200, "body": {"value": found, "@odata.deltaLink": MAILBOX}})
    pages = list(read(window(), None))
    assert {'["u1","m1"]', '["u1","m2"]'} <= keys(pages)
    assert all(record.payload.isascii() for page in pages for record in page.records)


def test_a_token_is_asked_for_with_the_scope(sandbox: Sandbox) -> None:
    without = SYSTEM.model_copy(update={"auth": SYSTEM.auth.model_copy(update={"scope": None})})
    endpoint = Endpoint(f"{sandbox.url}/microsoft365", "onefold", "sandbox-secret", {"rate": "100000/s"})
    read = reader(without, "user", endpoint, client(without, endpoint, []), lambda after, changed: iter(()))
    with pytest.raises(Fatal, match=r"v2\.0/token.*invalid_scope"):
        list(read(window(), None))


def test_a_token_is_asked_for_at_the_connections_own_address_on_another_host(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def exchange(wire: Wire, request: Request, *_: object) -> None:
        asked.append(request.url)
        raise Fatal("far enough")

    monkeypatch.setattr(Wire, "exchange", exchange)
    token_url = "https://login.microsoftonline.example/a-tenant/oauth2/v2.0/token"
    endpoint = Endpoint("https://graph.example", "onefold", "secret", {"token_url": token_url})
    read = reader(SYSTEM, "user", endpoint, client(SYSTEM, endpoint, []), lambda after, changed: iter(()))
    with pytest.raises(Fatal, match="far enough"):
        list(read(window(), None))
    assert asked == [token_url]
