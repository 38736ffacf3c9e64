"""A large SOAP answer: through Onefold's connector into landing rows, and through zeep's own deserialisation into the
same landing rows. Each in a process of its own, so that its time and its memory are its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec

from benchmarks.companies import FIELDS as OF_COMPANIES
from benchmarks.companies import record
from benchmarks.measure import Warehouse, medians
from benchmarks.table import Row

ROOT = Path(__file__).parents[1]
SHARE = 20
"""One record in the answer for so many rows of the other benchmarks: 50,000 records, 50 MB, of a million rows."""

MORE = {
    "LegalForm": "spółka z ograniczoną odpowiedzialnością",
    "Court": "Sąd Rejonowy dla Wrocławia-Fabrycznej we Wrocławiu",
    "Voivodeship": "dolnośląskie",
    "Activity": "47.11.Z",
}
FIELDS = OF_COMPANIES | dict.fromkeys(MORE, "text")
_XSD = {"text": "string", "numeric": "decimal", "timestamp": "dateTime", "boolean": "boolean"}
WSDL = f"""\
<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
  xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:bench" targetNamespace="urn:bench" name="Bench">
  <types><xs:schema targetNamespace="urn:bench" elementFormDefault="qualified">
    <xs:complexType name="Company"><xs:sequence>
      {"".join(f'<xs:element name="{name}" type="xs:{_XSD[kind]}" minOccurs="0"/>' for name, kind in FIELDS.items())}
    </xs:sequence></xs:complexType>
    <xs:element name="List"><xs:complexType><xs:sequence>
      <xs:element name="Since" type="xs:dateTime"/></xs:sequence></xs:complexType></xs:element>
    <xs:element name="ListResponse"><xs:complexType><xs:sequence>
      <xs:element name="Company" type="t:Company" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>
  </xs:schema></types>
  <message name="In"><part name="parameters" element="t:List"/></message>
  <message name="Out"><part name="parameters" element="t:ListResponse"/></message>
  <portType name="Port"><operation name="List">
    <input message="t:In"/><output message="t:Out"/></operation></portType>
  <binding name="Binding" type="t:Port"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <operation name="List"><soap:operation soapAction="urn:bench:List"/>
      <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation></binding>
  <service name="Bench"><port name="Port" binding="t:Binding">
    <soap:address location="ADDRESS/service"/></port></service>
</definitions>"""


def measure(warehouse: Warehouse, rows: int, rounds: int) -> Iterator[Row]:
    """How many times as fast as zeep, and the memory of both beyond what they take once everything is imported."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as answer:
        megabytes = _write_answer(Path(answer.name), rows // SHARE) / 1e6
        with _serving(Path(answer.name)) as url:
            figures = medians(_round(warehouse, url, rows // SHARE) for _ in range(rounds))
    took = f"{figures['ours seconds']:.2f} s against {figures['theirs seconds']:.2f} s for {megabytes:.0f} MB"
    yield Row("SOAP answer → landing rows / zeep", figures["theirs seconds"] / figures["ours seconds"], 6.0, took)
    memory = f"{figures['ours megabytes']:.0f} MB against {figures['theirs megabytes']:.0f} MB"
    ratio = figures["ours megabytes"] / figures["theirs megabytes"]
    yield Row("SOAP answer, memory / zeep", ratio, 0.1, memory, smaller=True)


def _round(warehouse: Warehouse, url: str, records: int) -> dict[str, float]:
    figures = {}
    for whose in ("ours", "theirs"):
        with warehouse.fresh() as warehouse_url:
            command = [sys.executable, "-m", "benchmarks.soap_process", whose, url, warehouse_url]
            environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}"}
            ran = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
        result = json.loads(ran.stdout)
        assert result["rows"] == records
        figures |= {f"{whose} {name}": value for name, value in result.items()}
    return figures


def _write_answer(path: Path, records: int) -> int:
    """Write a SOAP answer with the first `records` companies; returns its size in bytes."""
    with path.open("w", encoding="utf-8") as file:
        file.write(
            '<?xml version="1.0" encoding="utf-8"?>'
            '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
            '<t:ListResponse xmlns:t="urn:bench">'
        )
        for number in range(records):
            content = msgspec.json.decode(record(number)) | MORE | {"IsDeleted": "false"}
            fields = "".join(f"<t:{name}>{escape(str(content[name]))}</t:{name}>" for name in FIELDS)
            file.write(f"<t:Company>{fields}</t:Company>")
        file.write("</t:ListResponse></soap:Body></soap:Envelope>")
    return path.stat().st_size


@contextmanager
def _serving(answer: Path) -> Iterator[str]:
    """A server that gives the WSDL to GET and the answer to POST; this process does nothing else meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            contract = WSDL.replace("ADDRESS", url).encode()
            self._head(len(contract))
            self.wfile.write(contract)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._head(answer.stat().st_size)
            with answer.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)

        def _head(self, length: int) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
