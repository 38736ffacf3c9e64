"""SOAP answers read from YAML alone: pages, cut-off answers, WSDLs, memory and values."""

from __future__ import annotations

import errno
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO

import pytest

from onefold.connectors import safe_xml
from onefold.connectors.rows_on_disk import AGAIN, PAGE
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import BadBody
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.settings import ROOT
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import now_window
from tests.connectors.soap.shop import MTOM, SHOP, WSDL, Http, envelope, framed, pages, read
from tests.http.web_server import Say, serving


def test_a_stream_of_one_call_is_read_from_yaml_alone():
    accounts = "<L><Account><Id>007</Id><Name/></Account><Account><Id>8</Id><Name>Ż &amp; Co</Name></Account></L>"
    http = Http(envelope(accounts))
    records = read(http, "one.example")
    assert [record.key for record in records] == ["007", "8"]
    assert [json.loads(record.payload) for record in records] == [
        {"Id": "007", "Name": ""},
        {"Id": "8", "Name": "Ż & Co"},
    ]
    [(path, headers, body)] = http.posted
    assert path == "/base/service"  # on the connection's host, whatever host the WSDL names
    assert headers["SOAPAction"] == '"urn:shop:List"'
    assert b"<ns0:Since>20" in body


def many(rows: int) -> bytes:
    accounts = "".join(f"<Account><Id>{number}</Id><Name>Łódź {number}</Name></Account>" for number in range(rows))
    return envelope(f"<L>{accounts}</L>")


def test_a_large_answer_comes_in_pages_and_is_asked_for_again_after_a_crash():
    http = Http(many(PAGE * 2 + 1))
    first, *others = pages(http, "six.example")
    assert [len(page.records) for page in (first, *others)] == [PAGE, PAGE, 1]
    assert [page.token for page in (first, *others)] == [AGAIN, AGAIN, None]
    again = pages(http, "six.example", token=first.token)
    assert [page.records for page in again] == [page.records for page in (first, *others)]


def test_an_answer_without_records_is_one_empty_page():
    [page] = pages(Http(envelope("<L/>")), "seven.example")
    assert page.records == [] and page.token is None


ACCOUNT = "<Account><Id>7</Id><total>9</total><hasMore>true</hasMore><error>a field of its own</error></Account>"


@pytest.mark.parametrize(
    ("beside", "error", "said"),
    [
        ("<x:total xmlns:x='urn:x'> 95 </x:total>", Fatal, "its total is 95, and 1 were read.*ask for all of it"),
        ("<Paging><TotalPages>3</TotalPages></Paging>", Fatal, "its TotalPages is 3"),
        ("<hasMore>true</hasMore>", Fatal, "its hasMore says that there is a next page"),
        ("<NextToken>abc</NextToken>", Fatal, "its NextToken says"),
        ("<success>false</success>", BadBody, "an error: so says its success"),
        ("<status>ERROR</status><message>busy</message>", BadBody, "an error: so says its status"),
    ],
)
def test_an_answer_that_is_a_part_or_says_that_it_failed_gives_not_one_record(beside, error, said):
    for content in (f"<L>{ACCOUNT}</L>{beside}", f"<R>{beside}<L>{ACCOUNT}</L></R>", f"<R>{ACCOUNT}{beside}</R>"):
        with pytest.raises(error, match=said):
            pages(Http(envelope(f"<A>{content}</A>")), "part.example")


def test_an_answer_that_says_that_it_is_whole_is_whole():
    beside = (
        "<total>1</total><hasMore>false</hasMore><success>true</success><error/><nextToken/><note>a <b>b</b></note>"
    )
    for content in (f"<L>{ACCOUNT}</L>{beside}", f"{beside}<L>{ACCOUNT}</L>"):
        assert [record.key for record in read(Http(envelope(f"<A>{content}</A>")), "whole.example")] == ["7"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_an_answer_that_is_cut_off_or_malformed_gives_not_one_record(share):
    whole = many(PAGE * 2)
    at = int(len(whole) * share)
    for broken in (whole[:at], whole[:at] + b"<&>" + whole[at:]):
        given = []
        with pytest.raises(BadBody, match="cut off or malformed"):
            given.extend(pages(Http(broken), "eight.example"))
        assert given == []


def test_a_cut_off_answer_leads_to_another_call_and_each_record_once():
    whole = many(PAGE + 1)
    with serving() as web:
        web.script(
            Say(200, WSDL.encode()),
            Say(200, whole[:-50]),
            Say(200, whole[:-50], announced=len(whole)),
            Say(200, gzip.compress(whole), {"Content-Encoding": "gzip", "Content-Type": "text/xml"}),
        )
        attempts, endpoint = [], Endpoint(web.url, extra={"rate": "100000/s"})
        with Client(SHOP, endpoint, attempts.append, stream="account", sleep=lambda seconds: None) as http:
            read = reader_of(SHOP, "account", endpoint, http, lambda after, changed: iter(()))
            keys = [record.key for page in read(now_window(), None) for record in page.records]
    assert keys == [str(number) for number in range(PAGE + 1)]
    assert [attempt.error is None for attempt in attempts] == [True, False, False, True]
    assert attempts[-1].bytes == len(whole)


def test_a_full_disk_is_said_with_what_to_do(monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", full)
    with pytest.raises(Retriable, match=r"could not be kept in the temporary folder .*No space left.*set TMPDIR"):
        pages(Http(many(1)), "nine.example")


def test_an_operation_that_the_wsdl_does_not_have_is_fatal():
    with pytest.raises(Fatal, match="the WSDL has no operation Lits"):
        read(Http(envelope("<L/>")), "two.example", operation="Lits")


def importing(location: str) -> str:
    return WSDL.replace("<types>", f'<import namespace="urn:x" location="{location}"/><types>', 1)


def test_an_import_of_the_wsdl_is_loaded_through_the_client_or_not_at_all():
    http = Http(envelope("<L/>"), importing("file:///etc/passwd"))
    with pytest.raises(Fatal, match="another host than that of the connection"):
        read(http, "four.example")
    assert http.loaded == ["https://four.example/base/service?wsdl"]


def test_a_wsdl_that_imports_without_end_is_fatal():
    class Endless(Http):
        def send(self, method, path, **more):
            self.wsdl = importing(f"https://five.example/base/{len(self.loaded)}")
            return super().send(method, path, **more)

    with pytest.raises(Fatal, match="the WSDL at /base/service cannot be used"):
        read(Endless(envelope("<L/>")), "five.example")


PEAK = """
import os, resource, sys
from tests.connectors.reading import reader as reader_of
from onefold.http.endpoint import Endpoint
from onefold.http.client import Client
from tests.connectors.registers import now_window
from tests.connectors.soap.shop import SHOP

if os.fork():  # Linux counts in a program's peak what the process held before it became this program; not after a fork
    os.wait()
    sys.exit()
endpoint = Endpoint(sys.argv[1], extra={"rate": "100000/s"})
with Client(SHOP, endpoint, lambda attempt: None, stream="account") as http:
    read = reader_of(SHOP, "account", endpoint, http, lambda after, changed: iter(()))
    rows = sum(len(page.records) for page in read(now_window(), None))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10))
"""


def peak_megabytes(rows: int, frame: Callable[[bytes], Say]) -> float:
    """The most memory that a process of its own held while it read an answer of so many rows."""
    with serving() as web:
        web.script(Say(200, WSDL.encode()), frame(many(rows)))
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}"}
        command = [sys.executable, "-c", PEAK, web.url]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    read, peak = ran.stdout.split()
    assert int(read) == rows
    return float(peak)


@pytest.mark.parametrize("framing", ["as it is", pytest.param("in its MTOM frame", marks=pytest.mark.full_matrix)])
def test_the_memory_that_an_answer_takes_does_not_grow_with_it(framing):
    def frame(body: bytes) -> Say:
        if framing == "as it is":
            return Say(200, body, {"Content-Type": "text/xml"})
        return Say(200, framed("\r\n", body.decode()), {"Content-Type": MTOM})

    small, large = peak_megabytes(10_000, frame), peak_megabytes(100_000, frame)
    assert large - small < 5  # MB; the larger answer has 6, its tree would take 80


def test_an_element_becomes_a_value_that_keeps_null_missing_and_empty_apart():
    xml = (
        '<R xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Empty/><Nil i:nil="true"/><!-- no --><Text> a </Text>'
        "<Many>1</Many><Many>2</Many><Deep><Er>x<!-- y -->z</Er></Deep></R>"
    )
    assert list(safe_xml.rows(BytesIO(xml.encode()), "R")) == [
        {"Empty": "", "Nil": None, "Text": " a ", "Many": ["1", "2"], "Deep": {"Er": "xz"}}
    ]


def test_a_row_within_a_row_is_a_part_of_it():
    assert list(safe_xml.rows(BytesIO(b"<L><R><a>1</a><R><a>2</a></R></R></L>"), "R")) == [{"a": "1", "R": {"a": "2"}}]
