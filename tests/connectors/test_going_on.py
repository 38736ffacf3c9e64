"""How pages go on where they are not linked: by token, after the last record, and by offsets that drift."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from onefold.catalog.paging import NextPage
from onefold.catalog.system import System
from onefold.connectors.cursor import canonical
from onefold.connectors.page import PageReader
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.reading import reader
from tests.http.web_server import Asked, Say, WebServer, serving

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 0, 0, 0, 1000, tzinfo=UTC))
SIZE = 6


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


def read(web: WebServer, following: dict[str, object], **stream: object) -> PageReader:
    system = System.model_validate(
        {
            "system": "shop",
            "title": "A shop",
            "protocol": "rest",
            "connection": "shop_api",
            "schedule": "0 * * * *",
            "auth": stream.pop("auth", {"kind": "none"}),
            "limits": {"rate": ["100000/s"], "attempts": 2},
            "streams": {
                "item": {
                    "title": "Items",
                    "records": "items",
                    "next": following,
                    "primary_key": ["id"],
                    "fields": {"id": "text"},
                    "request": {"path": "/items"},
                }
                | stream
            },
        }
    )
    endpoint = Endpoint(web.url, password="the-key-of-the-shop")
    client = Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), stream="item", sleep=lambda _: None)
    return reader(system, "item", endpoint, client, lambda after, changed: iter(()))


def body(*ids: object, **more: object) -> Say:
    return Say(200, json.dumps({"items": [{"id": str(each)} for each in ids], **more}).encode())


def test_a_page_token_is_sent_back_with_the_same_question(web: WebServer) -> None:
    web.script(body(1, following="p2"), body(2, following=None))
    following = {"kind": "token", "path": "following", "parameter": "page"}
    request = {"path": "/items?group=a&group=b", "params": {"from": "{start_unix}", "to": "{end_unix}"}}
    pages = list(read(web, following, request=request)(WINDOW, None))
    assert [record.key for page in pages for record in page.records] == ["1", "2"]
    assert [asked.params.get("page") for asked in web.asked] == [None, "p2"]
    assert [asked.params["from"] for asked in web.asked] == ["1767225600", "1767225600"]
    assert [asked.params["to"] for asked in web.asked] == ["1767312001", "1767312001"]  # rounded up: none is left out
    assert pages[0].token == "p2"


AFTER = {"kind": "after", "parameter": "starting_after", "field": "id", "more": "has_more"}


def test_the_next_page_begins_after_the_last_record_while_there_is_more(web: WebServer) -> None:
    web.script(body(5, 4, has_more=True), body(3, has_more=False))
    pages = list(read(web, AFTER)(WINDOW, None))
    assert [record.key for page in pages for record in page.records] == ["5", "4", "3"]
    assert [asked.params.get("starting_after") for asked in web.asked] == [None, "4"]


def test_a_source_that_no_longer_says_whether_there_is_more_is_no_end_of_the_list(web: WebServer) -> None:
    web.script(body(5, 4))
    with pytest.raises(Fatal, match=r"shop\.item.*has_more"):
        list(read(web, AFTER)(WINDOW, None))


def test_a_last_record_without_the_field_to_go_on_from_is_told(web: WebServer) -> None:
    web.script(Say(200, b'{"items": [{"Id": "5"}], "has_more": true}'))
    with pytest.raises(Fatal, match=r"shop\.item.*no id to go on from"):
        list(read(web, AFTER)(WINDOW, None))


class Drifting:
    """A list in the order of its keys, of which something is taken or added before every page."""

    def __init__(self, seed: int, rows: int, *, taken: int = 2, added: int = 1) -> None:
        self.rng = random.Random(seed)
        self.rows = [f"{number:04d}" for number in range(0, 2 * rows, 2)]
        self.stayed = set(self.rows)
        self.taken, self.added = taken, added
        self.asked = 0

    def __call__(self, asked: Asked) -> Say:
        self.asked += 1
        for _ in range(self.rng.randrange(self.taken + 1)):
            if len(self.rows) > 5:
                gone = self.rng.choice(self.rows)
                self.rows.remove(gone)
                self.stayed.discard(gone)
        for _ in range(self.rng.randrange(self.added + 1)):
            self.rows = sorted({*self.rows, f"{2 * self.rng.randrange(200) + 1:04d}"})
        first = int(asked.params["first"])
        return body(*self.rows[first : first + SIZE])


def found(web: WebServer, overlap: int) -> set[str | None]:
    following = {"kind": "offset", "parameter": "first", "overlap": overlap}
    return {record.key for page in read(web, following)(WINDOW, None) for record in page.records}


@pytest.mark.parametrize("seed", range(12))
def test_no_row_that_stays_is_missed_however_the_list_drifts(web: WebServer, seed: int) -> None:
    drifting = web.answer = Drifting(seed, 60)
    assert drifting.stayed - found(web, 3) == set()
    assert drifting.asked < 120


def test_without_the_overlap_rows_are_missed(web: WebServer) -> None:
    missed = 0
    for seed in range(12):
        drifting = web.answer = Drifting(seed, 60)
        missed += len(drifting.stayed - found(web, 0))
    assert missed > 10


def test_where_more_was_deleted_than_the_overlap_holds_it_goes_back_to_what_it_knows(web: WebServer) -> None:
    drifting = web.answer = Drifting(1, 40, taken=9, added=0)
    assert drifting.stayed - found(web, 2) == set()


def test_an_undisturbed_list_is_read_once_and_any_page_can_be_gone_on_from(web: WebServer) -> None:
    web.answer = Drifting(1, 20, taken=0, added=0)
    following = {"kind": "offset", "parameter": "first", "overlap": 2}
    pages = list(read(web, following)(WINDOW, None))
    keys = [[record.key for record in page.records] for page in pages]
    assert [key for page in keys for key in page] == [f"{number:04d}" for number in range(0, 40, 2)]
    for place, page in enumerate(pages[:-1]):
        rest = [record.key for more in read(web, following)(WINDOW, page.token) for record in more.records]
        assert rest == [key for page in keys[place + 1 :] for key in page]


def feed(**more: object) -> dict[str, object]:
    return {"request": {"path": "/gone"}, "key": "path", "match": "items/([^/]+)", "records": "log", **more}


@pytest.mark.parametrize("as_object", [False, True], ids=["list", "object"])
def test_deletions_that_are_listed_apart_come_after_the_records(web: WebServer, as_object: bool) -> None:
    entries = [{"path": "items/2"}, {"path": "items/1/pictures/7"}, {"path": "items/9"}]
    log = {str(place): entry for place, entry in enumerate(entries)} if as_object else entries
    gone = Say(200, json.dumps({"log": log}).encode())
    web.answer = lambda asked: gone if asked.path == "/gone" else body(1, 2)
    pages = list(read(web, {"kind": "none"}, deletes={"tombstones": feed()})(WINDOW, None))
    shown = [[(record.key, record.deleted, record.payload) for record in page.records] for page in pages]
    assert shown[1] == [("2", True, b'{"id":"2"}'), ("9", True, b'{"id":"9"}')]
    web.asked.clear()
    resumed = list(read(web, {"kind": "none"}, deletes={"tombstones": feed()})(WINDOW, pages[0].token))
    assert [asked.path for asked in web.asked] == ["/gone"]
    assert [record.key for record in resumed[0].records] == ["2", "9"]


def test_a_feed_of_deletions_that_is_not_there_is_not_an_empty_one(web: WebServer) -> None:
    web.answer = lambda asked: Say(200, b'{"entries": []}') if asked.path == "/gone" else body(1, 2)
    with pytest.raises(Exception, match="no list of deletions"):
        list(read(web, {"kind": "none"}, deletes={"tombstones": feed()})(WINDOW, None))


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "bearer"}, "Authorization", "Bearer the-key-of-the-shop"),
        ({"kind": "api_key", "header": "x-api-key"}, "x-api-key", "the-key-of-the-shop"),
    ],
    ids=["bearer", "api_key"],
)
def test_the_connections_password_is_the_key(web: WebServer, auth: dict[str, str], header: str, value: str) -> None:
    web.script(body(1))
    list(read(web, {"kind": "none"}, auth=auth)(WINDOW, None))
    assert web.asked[0].headers[header] == value
    web.script(Say(401, b'{"error": "bad key the-key-of-the-shop"}'))
    with pytest.raises(Fatal, match="shop_api") as raised:
        list(read(web, {"kind": "none"}, auth=auth)(WINDOW, None))
    assert "the-key-of-the-shop" not in str(raised.value)


def test_counts_since_1970_are_cursors_like_timestamps() -> None:
    moment = canonical("timestamp", ["2026-01-01T00:00:00.250Z"])
    assert canonical("unix_milliseconds", [1767225600250]) == moment
    assert canonical("unix_seconds", ["1767225600"]) == "2026-01-01T00:00:00.000000Z"
    for unreadable in (None, -1, 1.5, True, "soon", 10**19):
        assert canonical("unix_seconds", [unreadable]) is None


def test_a_field_of_several_in_the_key_may_be_null_where_it_is_not_required(web: WebServer) -> None:
    web.script(Say(200, b'{"items": [{"id": "1", "place": null}, {"id": null, "place": "a"}, {"id": "2"}]}'))
    fields = {"id": "text", "place": {"required": False}}
    (page,) = read(web, {"kind": "none"}, primary_key=["id", "place"], fields=fields)(WINDOW, None)
    assert [record.key for record in page.records] == ['["1",null]', None, '["2",null]']


@pytest.mark.parametrize("next_page", [{"kind": "token"}, {"kind": "after"}, {"kind": "url", "overlap": 3}])
def test_a_half_described_way_to_go_on_is_refused(next_page: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"needs|overlap is for"):
        NextPage.model_validate(next_page)
