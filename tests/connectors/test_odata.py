"""OData versions 2 and 4: what is asked for, and how their literal answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from onefold.catalog.system import System
from onefold.connectors.odata.reader import query
from onefold.connectors.page import PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.reading import reader
from tests.http.web_server import Say, WebServer, serving

WINDOW = Window(datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 2, 12, 30, 0, 1500, tzinfo=UTC))


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server


def erp(version: int, **stream: object) -> System:
    partner = {
        "title": "Partners",
        "request": {"path": "/odata/Partners", "params": {"sap-client": "100"}, "expand": ["to_Tax", "to_Tax/x"]},
        "primary_key": ["Id"],
        "cursor": {"fields": ["Day", "Time"], "kind": "date_and_time"},
        "fields": {"Id": "text", "Day": "timestamp", "Time": "text"},
    }
    return System.model_validate(
        {
            "system": "erp",
            "title": "An ERP",
            "protocol": "odata",
            "odata_version": version,
            "connection": "erp_api",
            "schedule": "0 * * * *",
            "limits": {"rate": ["100000/s"], "attempts": 2},
            "streams": {"partner": partner | stream},
        }
    )


def connected(web: WebServer, system: System) -> PageReader:
    endpoint = Endpoint(web.url)
    client = Client(system, endpoint, lambda _: None, limiter=MemoryLimiter(), sleep=lambda _: None)
    return reader(system, "partner", endpoint, client, lambda after, changed: iter(()))


def test_version_2_asks_by_whole_days_in_the_cursors_order() -> None:
    assert query(erp(2).streams["partner"], WINDOW, 2) == {
        "$format": "json",
        "$expand": "to_Tax,to_Tax/x",
        "$filter": "Day ge datetime'2026-01-01T00:00:00' and Day le datetime'2026-01-02T00:00:00'",
        "$orderby": "Day asc,Time asc,Id asc",
    }


def test_version_4_asks_with_plain_dates() -> None:
    assert query(erp(4).streams["partner"], WINDOW, 4)["$filter"] == "Day ge 2026-01-01 and Day le 2026-01-02"


def test_a_single_timestamp_is_asked_for_exactly_and_its_end_rounded_up() -> None:
    stream = erp(4, cursor={"fields": ["Day"]}).streams["partner"]
    assert query(stream, WINDOW, 4)["$filter"] == "Day ge 2026-01-01T10:00:00Z and Day lt 2026-01-02T12:30:00.002Z"
    assert query(stream, WINDOW, 2)["$filter"] == (
        "Day ge datetime'2026-01-01T10:00:00' and Day lt datetime'2026-01-02T12:30:00.002'"
    )


def test_the_first_window_begins_in_1970() -> None:
    options = query(erp(2).streams["partner"], Window(BEGINNING, WINDOW.end), 2)
    assert options["$filter"].startswith("Day ge datetime'1970-01-01T00:00:00'")


def test_version_2_pages_go_on_by_next_and_records_after_the_window_are_left(web: WebServer) -> None:
    day = "\\/Date(1767312000000)\\/"  # 2026-01-02; a slash may be escaped in JSON
    onward = f"{web.url}/odata/Partners?$skiptoken=2&sap-client=100"
    first = f'{{"d":{{"results":[{{"Id":"0000000001","Day":"{day}","Time":"PT12H29M59S"}}],"__next":"{onward}"}}}}'
    second = (
        f'{{"d":{{"__count":"3","results":[{{"Id":"0000000002","Day":"{day}","Time":"PT12H30M00S"}},'
        f'{{"Id":"0000000003","Day":"{day}","Time":"PT12H30M01S"}},{{"Id":"0000000004","Day":"","Time":""}}]}}}}'
    )
    web.script(Say(200, first.encode()), Say(200, second.encode()))
    pages = list(connected(web, erp(2))(WINDOW, None))
    assert [[record.key for record in page.records] for page in pages] == [
        ["0000000001"],
        ["0000000002", "0000000004"],
    ]
    assert pages[0].records[0].cursor == "2026-01-02T12:29:59.000000Z"
    assert web.asked[0].params["sap-client"] == "100"
    assert web.asked[1].params == {"$skiptoken": "2", "sap-client": "100"}


def test_version_4_pages_go_on_by_next_link(web: WebServer) -> None:
    first = b'{"value":[{"Id":1,"Day":"2026-01-01","Time":"11:00:00"}],"@odata.nextLink":"Partners?$skiptoken=2"}'
    second = b'{"@odata.context":"$metadata#P","value":[{"Id":2,"Day":"2026-01-01","Time":"12:00:00.5"}]}'
    web.script(Say(200, first.replace(b"Partners?", b"/odata/Partners?")), Say(200, second))
    pages = list(connected(web, erp(4))(WINDOW, None))
    assert [record.key for page in pages for record in page.records] == ["1", "2"]
    assert web.asked[1].params == {"$skiptoken": "2"}


def test_a_changed_shape_is_fatal_and_says_where_the_list_was(web: WebServer) -> None:
    web.script(Say(200, b'{"d":{"items":[]}}'))
    with pytest.raises(Fatal, match=r"erp\.partner.*d\.results"):
        list(connected(web, erp(2))(WINDOW, None))


def test_a_relative_next_link_is_meant_from_the_service(web: WebServer) -> None:
    first = b'{"value":[{"Id":1,"Day":"2026-01-01","Time":"11:00:00"}],"@odata.nextLink":"Partners?$skiptoken=2"}'
    web.script(Say(200, first), Say(200, b'{"value":[]}'))
    list(connected(web, erp(4))(WINDOW, None))
    assert (web.asked[1].path, web.asked[1].params) == ("/odata/Partners", {"$skiptoken": "2"})


@pytest.mark.parametrize(
    ("following", "path"),
    [
        ({"keep": "path"}, "/inner/odata/Partners"),
        ({"keep": "query"}, "/odata/Partners"),
        ({"hosts": ["localhost:{port}"]}, "/inner/odata/Partners"),
    ],
    ids=["path", "query", "hosts"],
)
@pytest.mark.parametrize("version", [2, 4])
def test_a_service_that_calls_itself_by_another_name_is_read_as_next_says(
    web: WebServer, version: int, following: dict[str, str | list[str]], path: str
) -> None:
    port = web.url.rpartition(":")[2]
    onward = f"http://localhost:{port}/inner/odata/Partners?$skiptoken="
    listed = '{{"d":{{"results":[{{"Id":"{0}"}}]{1}}}}}' if version == 2 else '{{"value":[{{"Id":"{0}"}}]{1}}}'
    link = "__next" if version == 2 else "@odata.nextLink"
    texts = [listed.format(n, f',"{link}":"{onward}{n + 1}"' if n < 3 else "").encode() for n in (1, 2, 3)]
    if hosts := following.get("hosts"):
        following = {"hosts": [host.format(port=port) for host in hosts]}
    web.script(*(Say(200, text) for text in texts))
    pages = list(connected(web, erp(version, next=following))(WINDOW, None))
    assert [record.key for page in pages for record in page.records] == ["1", "2", "3"]
    assert [(asked.path, asked.params) for asked in web.asked[1:]] == [
        (path, {"$skiptoken": "2"}),
        (path, {"$skiptoken": "3"}),
    ]


def test_a_service_under_another_name_gets_no_credentials_before_the_yaml_says_so(web: WebServer) -> None:
    web.script(Say(200, b'{"value":[{"Id":1}],"@odata.nextLink":"http://localhost:1/odata/Partners?$skiptoken=2"}'))
    with pytest.raises(Fatal, match=r"another host.*next\.hosts.*keep: path"):
        list(connected(web, erp(4))(WINDOW, None))
    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("version", "answer", "error", "said"),
    [
        (2, b'{"d":{"__count":"95","results":[{"Id":"1"}]}}', Fatal, r"its d\.__count is 95, and 1 were read"),
        (4, b'{"@odata.count":95,"value":[{"Id":1}]}', Fatal, r"its @odata\.count is 95, and 1 were read"),
        (4, b'{"value":[],"error":{"code":"500"}}', Retriable, "status 200 with an error"),
    ],
)
def test_a_part_of_a_service_or_an_error_with_status_200_is_never_a_success(
    web: WebServer, version: int, answer: bytes, error: type[Exception], said: str
) -> None:
    web.script(Say(200, answer))
    with pytest.raises(error, match=said):
        list(connected(web, erp(version))(WINDOW, None))


NESTED = {
    "request": {"path": "/odata/Orders", "expand": ["to_Item"]},
    "nested": {"path": "to_Item.results", "carry": ["Changed", "Note"]},
    "primary_key": ["Id", "Item"],
    "deletes": {"complete_group": True},
    "cursor": {"fields": ["Changed"]},
    "fields": {"Id": "text", "Item": "text", "Changed": "timestamp"},
}


def test_nested_records_are_taken_out_of_their_parent_with_what_they_need_of_it(web: WebServer) -> None:
    web.script(
        Say(
            200,
            b'{"d":{"results":[{"Id":"1","Changed":"/Date(1767312000000+0000)/","Note":"parent","to_Item":{"results":['
            b'{"Id":"1","Item":"10","Price":1.10},{"Id":"1","Item":"20","Note":"own"}]}},'
            b'{"Id":"2","Changed":"/Date(1767312000000+0000)/","to_Item":{"results":[]}},'
            b'{"Id":"3","Changed":"/Date(1767312000000+0000)/"},'
            b'{"Id":"4","Changed":"/Date(1767312000000+0000)/","to_Item":"none"}]}}',
        )
    )
    (page,) = connected(web, erp(2, **NESTED))(WINDOW, None)
    assert [record.key for record in page.records] == ['["1","10"]', '["1","20"]', None]
    assert page.records[0].cursor == "2026-01-02T00:00:00.000000Z"
    assert b'"Price":1.10' in page.records[0].payload, "as it came, to the last digit"
    assert b'"Note":"own"' in page.records[1].payload and b"parent" not in page.records[1].payload
    assert b'"Id":"4"' in page.records[2].payload, "what cannot be taken apart goes to quarantine"
