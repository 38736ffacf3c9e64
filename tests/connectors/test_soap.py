"""SOAP answers are judged by us: status, fault, frame and XML, whatever their size; nothing outside is ever read."""

from __future__ import annotations

import base64
import errno
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

import pytest

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.soap.envelope import SOAP_11, SOAP_12, envelope_of, result_text
from onefold.connectors.soap.mtom import unwrapped
from onefold.connectors.soap.reader import AGAIN, PAGE
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.settings import ROOT
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import now_window
from tests.http.web_server import Say, serving

WSDL = """\
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:shop" targetNamespace="urn:shop" name="Shop">
  <types><xs:schema targetNamespace="urn:shop" elementFormDefault="qualified">
    <xs:element name="List"><xs:complexType><xs:sequence>
      <xs:element name="Since" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
    <xs:element name="ListResponse"><xs:complexType><xs:sequence>
      <xs:any processContents="lax" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
  </xs:schema></types>
  <message name="In"><part name="parameters" element="t:List"/></message>
  <message name="Out"><part name="parameters" element="t:ListResponse"/></message>
  <portType name="Port"><operation name="List">
    <input message="t:In"/><output message="t:Out"/></operation></portType>
  <binding name="Binding" type="t:Port"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="List"><soap:operation soapAction="urn:shop:List"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation></binding>
  <service name="Shop"><port name="Port" binding="t:Binding">
    <soap:address location="http://inner.example/service"/></port></service>
</definitions>"""
SHOP = System.model_validate(
    {
        "system": "shop",
        "title": "Shop",
        "protocol": "soap",
        "connection": "shop",
        "schedule": "0 0 * * *",
        "wsdl": "/service?wsdl",
        "errors": {"retry": ["MS_UNAVAILABLE"]},
        "streams": {
            "account": {
                "title": "Accounts",
                "request": {"operation": "List", "params": {"Since": "{start}"}},
                "records": "Account",
                "primary_key": ["Id"],
                "fields": {"Id": "text", "Name": "text"},
            }
        },
    }
)


class Http:
    """Answers like a server: the WSDL to GET, the given envelope to POST."""

    def __init__(self, answer: bytes, wsdl: str = WSDL) -> None:
        self.answer, self.wsdl = answer, wsdl
        self.posted: list[tuple[str, dict[str, str], bytes]] = []
        self.loaded: list[str] = []

    def send(self, method, path, *, parse, params=None, headers=None, body=None, accept=frozenset()):
        if method == "GET":
            if not path.startswith("https://"):
                raise Fatal("another host than that of the connection")  # as Client.send does
            self.loaded.append(path)
            return parse(Response(200, {}, self.wsdl.encode()))
        self.posted.append((path, dict(headers), body))
        return parse(Response(200, {"Content-Type": "text/xml"}, self.answer))


def read(http: Http, host: str, operation: str = "List") -> list[Record]:
    return [record for page in pages(http, host, operation) for record in page.records]


def pages(http: Http, host: str, operation: str = "List", token: str | None = None) -> list[Page]:
    stream = SHOP.streams["account"]
    request = stream.request.model_copy(update={"operation": operation})
    system = SHOP.model_copy(update={"streams": {"account": stream.model_copy(update={"request": request})}})
    reader = reader_of(system, "account", Endpoint(f"https://{host}/base"), http, lambda after, changed: iter(()))
    return list(reader(now_window(), token))


def envelope(content: str, namespace: str = SOAP_11, head: str = "") -> bytes:
    return f'{head}<e:Envelope xmlns:e="{namespace}"><e:Body>{content}</e:Body></e:Envelope>'.encode()


def fault_11(code: str, reason: str = "No") -> bytes:
    return envelope(f"<e:Fault><faultcode>{code}</faultcode><faultstring>{reason}</faultstring></e:Fault>")


def fault_12(code: str, reason: str = "No") -> bytes:
    return envelope(
        f"<e:Fault><e:Code><e:Value>{code}</e:Value></e:Code><e:Reason><e:Text>{reason}</e:Text></e:Reason></e:Fault>",
        SOAP_12,
    )


def judged(body: bytes, status: int = 200, content_type: str = "text/xml") -> BinaryIO:
    return envelope_of(Response(status, {"Content-Type": content_type}, body), SHOP)


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


@pytest.mark.parametrize(
    "wsdl",
    ["<html><body>Sign in</body></html>", "<a/>", '<!DOCTYPE a [<!ENTITY x "y">]><definitions/>', WSDL[:400], ""],
)
def test_what_is_no_wsdl_is_asked_for_again(wsdl):
    with pytest.raises(BadBody):
        read(Http(envelope("<L/>"), wsdl), "three.example")


@pytest.mark.parametrize(
    "body",
    [
        fault_12("e:Receiver"),
        fault_12("\n  e:Receiver\n  "),
        fault_11("e:Server"),
        fault_11("e:Server.Busy"),
        fault_11("e:Client", "MS_UNAVAILABLE"),
        fault_12("e:Sender", "MS_UNAVAILABLE"),
        fault_11(""),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_a_fault_of_the_other_side_is_tried_again(body, status):
    with pytest.raises(BadBody, match="a SOAP fault of the other side"):
        judged(body, status)


@pytest.mark.parametrize(
    "body", [fault_12("e:Sender"), fault_12("\ne:Sender\n"), fault_11("e:Client"), fault_11("Client.Authentication")]
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_of_ours_is_fatal(body, status):
    with pytest.raises(
        Fatal, match=r'shop: the service refused the call with a SOAP fault (Sender|Client), saying "No"'
    ):
        judged(body, status)


def test_a_faults_reason_shows_no_personal_number():
    with pytest.raises(Fatal) as caught:
        judged(fault_12("e:Sender", "PESEL 85010112345 of jan@example.com is wrong"))
    assert "85010112345" not in str(caught.value) and "jan@" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"<html><body>Sign in</body></html>",
        b"<!DOCTYPE html><html></html>",
        b"<a/>",
        f'<e:Envelope xmlns:e="{SOAP_12}"/>'.encode(),
        b'<Envelope xmlns="urn:other"><Body><a/></Body></Envelope>',
    ],
)
def test_what_is_no_envelope_is_tried_again(body):
    with pytest.raises(BadBody):
        judged(body)


def test_an_error_status_without_a_fault_is_tried_again():
    with pytest.raises(BadBody, match="an error status without a SOAP fault"):
        judged(envelope("<L/>"), status=500)


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("head", [BOMB, OUTSIDE, f"<!-- x -->{OUTSIDE}", f'<?xml version="1.0"?>\n<?pi?> {BOMB}'])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_dtd_is_refused_before_it_is_read(head, encoding):
    body = envelope("<L>&x;&c;</L>", head=head).decode().encode(encoding)
    with pytest.raises(BadBody, match="a DTD, which is never read"):
        judged(body)
    with pytest.raises(BadBody, match="a DTD, which is never read"):
        safe_xml.tree(BytesIO(body))
    with pytest.raises(BadBody, match="a DTD, which is never read"):
        list(safe_xml.rows(BytesIO(body), "L"))


def test_an_answer_in_a_declared_encoding_is_read_in_it():
    for encoding in ("iso-8859-2", "windows-1250", "utf-16"):
        answer = envelope(
            "<L><Account><Id>Łódź</Id></Account></L>", head=f'<?xml version="1.0" encoding="{encoding}"?>'
        )
        [record] = read(Http(answer.decode().encode(encoding)), "ten.example")
        assert record.key == "Łódź"


def test_a_dtd_behind_more_than_can_be_looked_at_is_not_read_either():
    with pytest.raises(BadBody, match="does not begin within 64 KiB"):
        safe_xml.tree(BytesIO(f"<!--{'x' * 70_000}-->{BOMB}<a>&c;</a>".encode()))


def test_a_declared_encoding_is_followed_and_cannot_hide_a_dtd():
    polish = '<?xml version="1.0" encoding="iso-8859-2"?><a>Łódź</a>'.encode("iso-8859-2")
    assert safe_xml.tree(BytesIO(polish)).text == "Łódź"
    hidden = b'<?xml version="1.0" encoding="utf-7"?>' + '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-7")
    with pytest.raises(BadBody, match="a DTD"):
        safe_xml.tree(BytesIO(hidden))


def test_a_long_run_of_spaces_is_read_in_no_time():
    assert safe_xml.tree(BytesIO(b" " * 200_000 + b"<a/>")).tag == "a"


def test_a_text_of_twelve_megabytes_is_read():
    text = "x" * 12_000_000
    body = judged(envelope(f"<R><Result>{text}</Result></R>"))
    assert len(result_text(body)) == 12_000_000
    assert [len(row["Result"]) for row in safe_xml.rows(body, "R")] == [12_000_000]


PEAK = """
import os, resource, sys
from tests.connectors.reading import reader as reader_of
from onefold.http.endpoint import Endpoint
from onefold.http.client import Client
from tests.connectors.registers import now_window
from tests.connectors.test_soap import SHOP

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


@pytest.mark.parametrize("framing", ["as it is", "in its MTOM frame"])
def test_the_memory_that_an_answer_takes_does_not_grow_with_it(framing):
    def frame(body: bytes) -> Say:
        if framing == "as it is":
            return Say(200, body, {"Content-Type": "text/xml"})
        return Say(200, framed("\r\n", body.decode()), {"Content-Type": MTOM})

    small, large = peak_megabytes(50_000, frame), peak_megabytes(500_000, frame)
    assert large - small < 12  # MB; the larger answer has 30, its tree would take 400


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


def framed(newline: str, root: str, *others: tuple[str, str]) -> bytes:
    lines = ["preamble"]
    for content_id, content in [("root@x", root), *others]:
        lines += ["--b+1", f"Content-ID: <{content_id}>", "Content-Type: application/xop+xml", "", content]
    return newline.join([*lines, "--b+1--", ""]).encode()


MTOM = 'Multipart/Related; type="application/xop+xml"; start="<root@x>"; boundary="b+1"'


@pytest.mark.parametrize("newline", ["\r\n", "\n"], ids=["crlf", "lf"])
def test_mtom_is_unwrapped_whatever_ends_its_lines(newline):
    content = f"<R><Result>a{newline}b</Result></R>"
    root = envelope(content).decode()
    assert unwrapped(MTOM, BytesIO(framed(newline, root))).read() == root.encode()
    assert result_text(judged(framed(newline, root), content_type=MTOM)) == "a\nb"


@pytest.mark.parametrize("newline", ["\r\n", "\n"], ids=["crlf", "lf"])
def test_an_included_part_is_put_in_its_place(newline):
    include = '<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="cid:file%401"/>'
    root = envelope(f"<R><Result>{include}</Result></R>").decode()
    body = judged(framed(newline, root, ("file@1", "the file")), content_type=MTOM)
    assert base64.b64decode(result_text(body)) == b"the file"
    with pytest.raises(BadBody, match="without a part that its envelope includes"):
        judged(framed(newline, root), content_type=MTOM)


@pytest.mark.parametrize("cut", [20, 60, 150, -8])
def test_a_frame_that_is_cut_off_is_tried_again(cut):
    with pytest.raises(BadBody):
        unwrapped(MTOM, BytesIO(framed("\r\n", envelope("<R/>").decode())[:cut]))
    with pytest.raises(BadBody, match="without a boundary"):
        unwrapped("multipart/related", BytesIO(b"x"))
