"""SOAP answers are judged by us: status, fault, frame and XML, whatever their size; nothing outside is ever read."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys

import pytest

from onefold import connectors
from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.mtom import unwrapped
from onefold.connectors.page import Endpoint
from onefold.connectors.soap import SOAP_11, SOAP_12, envelope_of, result_text
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response
from onefold.settings import ROOT
from tests.connectors.registers import now_window

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


def read(http: Http, host: str, operation: str = "List"):
    stream = SHOP.streams["account"]
    request = stream.request.model_copy(update={"operation": operation})
    system = SHOP.model_copy(update={"streams": {"account": stream.model_copy(update={"request": request})}})
    reader = connectors.reader(
        system, "account", Endpoint(f"https://{host}/base"), http, lambda after, changed: iter(())
    )
    return [record for page in reader(now_window(), None) for record in page.records]


def envelope(content: str, namespace: str = SOAP_11, head: str = "") -> bytes:
    return f'{head}<e:Envelope xmlns:e="{namespace}"><e:Body>{content}</e:Body></e:Envelope>'.encode()


def fault_11(code: str, reason: str = "No") -> bytes:
    return envelope(f"<e:Fault><faultcode>{code}</faultcode><faultstring>{reason}</faultstring></e:Fault>")


def fault_12(code: str, reason: str = "No") -> bytes:
    return envelope(
        f"<e:Fault><e:Code><e:Value>{code}</e:Value></e:Code><e:Reason><e:Text>{reason}</e:Text></e:Reason></e:Fault>",
        SOAP_12,
    )


def judged(body: bytes, status: int = 200, content_type: str = "text/xml") -> bytes:
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
        envelope("<L><Account/>")[:120],
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
        safe_xml.tree(body)
    with pytest.raises(BadBody, match="a DTD, which is never read"):
        list(safe_xml.rows(body, "L"))


def test_a_declared_encoding_is_followed_and_cannot_hide_a_dtd():
    polish = '<?xml version="1.0" encoding="iso-8859-2"?><a>Łódź</a>'.encode("iso-8859-2")
    assert safe_xml.tree(polish).text == "Łódź"
    hidden = b'<?xml version="1.0" encoding="utf-7"?>' + '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-7")
    with pytest.raises(BadBody, match="a DTD"):
        safe_xml.tree(hidden)


def test_a_long_run_of_spaces_is_read_in_no_time():
    assert safe_xml.tree(b" " * 200_000 + b"<a/>").tag == "a"


def test_a_text_of_twelve_megabytes_is_read():
    text = "x" * 12_000_000
    body = judged(envelope(f"<R><Result>{text}</Result></R>"))
    assert len(result_text(body)) == 12_000_000
    assert [len(row["Result"]) for row in safe_xml.rows(body, "R")] == [12_000_000]


GROWTH = """
import psutil
from onefold.connectors import safe_xml

def held():
    return psutil.Process().memory_info().rss / 1e6

row = b"<Row><Id>1</Id><Text>some text of a row</Text></Row>"
body = b"<L>" + row * 60_000 + b"</L>"
before = held()
for number, _ in enumerate(safe_xml.rows(body, "Row"), 1):
    if number == 60_000:
        print(held() - before)
"""


def test_rows_are_read_one_at_a_time():
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins")}
    ran = subprocess.run([sys.executable, "-c", GROWTH], env=environment, capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 15  # MB; the tree of all rows takes more than 50


def test_an_element_becomes_a_value_that_keeps_null_missing_and_empty_apart():
    xml = (
        '<R xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Empty/><Nil i:nil="true"/><!-- no --><Text> a </Text>'
        "<Many>1</Many><Many>2</Many><Deep><Er>x<!-- y -->z</Er></Deep></R>"
    )
    assert list(safe_xml.rows(xml.encode(), "R")) == [
        {"Empty": "", "Nil": None, "Text": " a ", "Many": ["1", "2"], "Deep": {"Er": "xz"}}
    ]


def test_a_row_within_a_row_is_a_part_of_it():
    assert list(safe_xml.rows(b"<L><R><a>1</a><R><a>2</a></R></R></L>", "R")) == [{"a": "1", "R": {"a": "2"}}]


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
    assert unwrapped(MTOM, framed(newline, root)) == root.encode()
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
        unwrapped(MTOM, framed("\r\n", envelope("<R/>").decode())[:cut])
    with pytest.raises(BadBody, match="without a boundary"):
        unwrapped("multipart/related", b"x")
