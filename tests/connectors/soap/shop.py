"""A made-up SOAP service: its WSDL, its system, its envelopes, and how they are read."""

from __future__ import annotations

from typing import BinaryIO

from onefold.catalog.system import System
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.connectors.soap.envelope import SOAP_11, envelope_of
from onefold.errors import Fatal
from onefold.http.attempt import Response
from onefold.http.endpoint import Endpoint
from tests.connectors.reading import reader as reader_of
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


def judged(body: bytes, status: int = 200, content_type: str = "text/xml") -> BinaryIO:
    return envelope_of(Response(status, {"Content-Type": content_type}, body), SHOP)


def framed(newline: str, root: str, *others: tuple[str, str]) -> bytes:
    lines = ["preamble"]
    for content_id, content in [("root@x", root), *others]:
        lines += ["--b+1", f"Content-ID: <{content_id}>", "Content-Type: application/xop+xml", "", content]
    return newline.join([*lines, "--b+1--", ""]).encode()


MTOM = 'Multipart/Related; type="application/xop+xml"; start="<root@x>"; boundary="b+1"'
