"""Answers that are no JSON document: lines of JSON, CSV, XML and workbooks, packed or not, read as files are."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pytest

from onefold.catalog.ignored_settings import ignored_settings
from onefold.catalog.system import System
from onefold.connectors import rows_on_disk
from onefold.connectors.page import Page
from onefold.errors import Fatal, Retriable
from tests.connectors.rest_shop import WINDOW, by_page, keys, shop
from tests.connectors.tracker import TICKET, Tracker, tracker
from tests.http.web_server import Say, WebServer

FIELDS = {"fields": {"id": "text", "net": {"type": "numeric", "required": False}}, "records": ""}
NDJSON: dict[str, object] = {"format": {"kind": "ndjson"}, **FIELDS}
CSV: dict[str, object] = {"format": {"kind": "csv"}, **FIELDS, "fields": {"id": "text", "net": "numeric"}}
XML: dict[str, object] = {"format": {"kind": "xml", "record": "item"}, **FIELDS}
LINES = b'{"id":"1","net":1234567890123456.780}\n\n{"id":"2","net":2}\n'


def says(web: WebServer, body: bytes, **headers: str) -> None:
    web.answer = lambda _: Say(200, body, {name.replace("_", "-"): value for name, value in headers.items()})


def read(web: WebServer, **stream: object) -> list[Page]:
    return list(shop(web, **stream)(WINDOW, None))


def payloads(pages: list[Page]) -> list[bytes]:
    return [record.payload for page in pages for record in page.records]


@pytest.mark.parametrize(
    ("stream", "body", "headers", "expected"),
    [
        (NDJSON, LINES, {}, LINES.split()),
        (NDJSON, LINES.rstrip(), {}, LINES.split()),
        (NDJSON, gzip.compress(LINES, mtime=0), {"Content_Encoding": "gzip"}, LINES.split()),
        (NDJSON, gzip.compress(LINES, mtime=0), {"Content_Type": "application/gzip"}, LINES.split()),
        (NDJSON, '{"id":"Łódź"}'.encode("cp1250"), {"Content_Type": "a/b; charset=cp1250"}, ['{"id":"Łódź"}'.encode()]),
        (CSV, b"id,net\r\n1,1.10\r\n", {}, [b'{"id":"1","net":"1.10"}']),
        (CSV, gzip.compress(b"id,net\n1,1.10\n", mtime=0), {}, [b'{"id":"1","net":"1.10"}']),
        (CSV, "id,net\nŁódź,1\n".encode("iso-8859-2"), {"Content_Type": "text/csv; charset=iso-8859-2"},
         ['{"id":"Łódź","net":"1"}'.encode()]),
        (CSV, b"id,net\n1,much\n", {}, [b'{"id":"1","net":"much","_file":{"unread":{"net":"no number"}}}']),
        (XML, b"<a><item><id>1</id></item><item><id>2</id></item></a>", {}, [b'{"id":"1"}', b'{"id":"2"}']),
    ],
)  # fmt: skip
def test_records_are_read_as_the_format_says(
    web: WebServer, stream: dict[str, object], body: bytes, headers: dict[str, str], expected: list[bytes]
) -> None:
    says(web, body, **headers)
    found = payloads(read(web, **stream))
    assert [json.loads(each) for each in found][:1] and len(found) == len(expected)
    if b"unread" not in expected[0]:
        assert found == expected
    else:
        assert json.loads(found[0])["_file"]["unread"].keys() == {"net"}


def test_what_is_asked_for_as_the_type_is_the_format(web: WebServer) -> None:
    says(web, LINES)
    read(web, **NDJSON)
    assert web.asked[0].headers["Accept"] == "application/x-ndjson, */*;q=0.5"


@pytest.mark.parametrize(
    ("stream", "body", "expected"),
    [
        (NDJSON, b'{"id":"1"}\n{"id": "2", "na\n{"id":"3"}\n', ["1", None, "3"]),
        (NDJSON, b'{"id":\n{"id":"2","net":NaN}\n{"id":"3"}\n', [None, "2", "3"]),
        (NDJSON, b'{"id":"1"}\n[1]\n\xff\n{"id":"3"}\n', ["1", None, None, "3"]),
        (CSV, b'id,net\n1,2\n2\n3,4,5\n"4"x,5\n5,6\n', ["1", None, None, None, "5"]),
    ],
)
def test_a_broken_line_stops_only_itself(
    web: WebServer, stream: dict[str, object], body: bytes, expected: list[str | None]
) -> None:
    says(web, body)
    assert keys(read(web, **stream)) == expected


@pytest.mark.parametrize(
    ("stream", "body"),
    [
        (NDJSON, b'{"id":"1"}\n{"id":"2","n'),
        (NDJSON, gzip.compress(LINES, mtime=0)[:-9]),
        (NDJSON, b"<html>Sign in</html>"),
        (CSV, b"id,net\n1,2\n2"),
        (CSV, b'id,net\n1,2\n"2'),
        (CSV, b"\n <!doctype html><p>Sign in"),
        (XML, b"<a><item><id>1</id></item><item>"),
        (XML, b"<html><body>Sign in</body></html>"),
        (XML, b"<a><item><id>1</id></item><error>broken</error></a>"),
    ],
)
def test_a_cut_or_spoiled_body_is_an_error_and_gives_no_record(
    web: WebServer, stream: dict[str, object], body: bytes
) -> None:
    says(web, body)
    pages = shop(web, **stream)(WINDOW, None)
    with pytest.raises(Retriable, match="unsound body"):
        next(pages)
    assert len(web.asked) == 3


@pytest.mark.parametrize(
    ("stream", "body", "said"),
    [
        (NDJSON, b'[{"id":"1"},\n{"id":"2"}]', "none of its lines is a JSON object"),
        (NDJSON, b"", "it is empty (if there may be none, say"),
        (CSV, b"id;net\n1;2\n", "is the delimiter another one"),
        (CSV, b"id,net,vat\n1,2,3\n", "columns that the catalogue does not know"),
        (CSV, "id,net\nŁ,1\n".encode("cp1250"), "not in the encoding utf-8"),
        (XML, b"<a><other/></a>", "it holds no element item"),
    ],
)
def test_what_is_not_as_the_format_says_fails_with_what_is_wrong(
    web: WebServer, stream: dict[str, object], body: bytes, said: str
) -> None:
    says(web, body)
    with pytest.raises(Fatal, match="is not as `format` in the YAML says") as failed:
        read(web, **stream)
    assert said in str(failed.value)


@pytest.mark.parametrize(("stream", "body"), [(NDJSON, b"\n"), (CSV, b""), (CSV, b"id,net\n"), (XML, b"<a/>")])
def test_an_answer_without_records_is_one_where_the_yaml_says_so(
    web: WebServer, stream: dict[str, object], body: bytes
) -> None:
    says(web, body)
    assert keys(read(web, **stream, answer={"optional": True})) == []


def test_signs_of_more_are_seen_in_headers_and_beside_the_records(web: WebServer) -> None:
    says(web, LINES, X_Total_Count="9")
    with pytest.raises(Fatal, match="its X-Total-Count is 9, and 2 were read"):
        read(web, **NDJSON)
    says(web, b"<a><hasMore>true</hasMore><item><id>1</id></item></a>")
    with pytest.raises(Fatal, match="its hasMore says that there is a next page"):
        read(web, **XML)


def test_pages_go_on_by_headers_and_by_number(web: WebServer) -> None:
    one, two = Say(200, b'{"id":"1"}\n', {"Link": '</items?page=2>; rel="next"'}), Say(200, b'{"id":"2"}\n')
    web.answer = by_page({"": one, "2": two})
    assert keys(read(web, **NDJSON, next={"kind": "link"})) == ["1", "2"]
    web.answer = by_page({"1": Say(200, b"id,net\n1,2\n"), "2": Say(200, b"id,net\n2,3\n"), "3": Say(200, b"id,net\n")})
    assert keys(read(web, **CSV, next={"kind": "number", "parameter": "page"})) == ["1", "2"]


def test_a_long_answer_is_given_in_pages_and_costs_no_memory_of_its_length(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_on_disk, "PAGE", 200)
    line = b'{"id":"%d","text":"' + b"x" * 4000 + b'"}\n'
    says(web, gzip.compress(b"".join(line % each for each in range(4000))), Content_Encoding="gzip")
    pages = shop(web, **NDJSON)(WINDOW, None)
    tracemalloc.start()
    first = next(pages)
    counted = len(first.records) + sum(len(page.records) for page in pages)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (counted, len(first.records), first.token is None) == (4000, 200, False)
    assert most < 12 << 20, f"{most >> 20} MiB for an answer of 16 MiB"
    assert sum(len(page.records) for page in shop(web, **NDJSON)(WINDOW, first.token)) == 4000, "it is read again"


def test_a_packed_json_document_is_unpacked(web: WebServer) -> None:
    says(web, gzip.compress(b'{"items": [{"id": "1"}]}'), Content_Type="application/gzip")
    assert keys(read(web)) == ["1"]
    says(web, gzip.compress(b'{"items": [{"id": "1"}]}')[:-3])
    with pytest.raises(Retriable, match="cut off or damaged"):
        read(web)


def test_each_parents_records_may_come_in_a_format_too(web: WebServer) -> None:
    source = Tracker(web, {"A": 1, "B": 2})
    source.answers = {f"/projects/{name}/tickets": Say(body=b'{"id":"1"}\n{"id":"2"}\n') for name in "AB"}
    system = tracker(**{**TICKET, "format": {"kind": "ndjson"}, "records": "", "next": {}})
    found = list(source.reader(system)(WINDOW, None))
    assert keys(found) == ['["A","1"]', '["A","2"]', '["B","1"]', '["B","2"]']


def test_settings_of_json_documents_are_refused_beside_a_format() -> None:
    stream = {
        "title": "Items", "primary_key": ["id"], "fields": {"id": "text"}, "records": "data", "nested": {"path": "x"},
        "format": {"kind": "ndjson"}, "answer": {"single": True}, "next": {"kind": "url", "path": "next"},
        "request": {"path": "/items"},
    }  # fmt: skip
    system = System.model_validate(
        {"system": "a", "title": "A", "protocol": "rest", "connection": "a", "schedule": "0 * * * *"}
        | {"streams": {"item": stream}}
    )
    refused = {name for name, _ in ignored_settings("rest", system.streams["item"])}
    assert refused == {"records", "nested", "answer.single", "next.path"}
