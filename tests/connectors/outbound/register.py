"""A small register of customers on a real socket, by REST and by SOAP, whose answers go wrong as a test tells it to."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import escape

from lxml import etree

from tests.http.web_server import Asked, Say, serving

NAMESPACE = "urn:register"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
Record = dict[str, object]
WSDL = Path(__file__).with_name("register.wsdl").read_text(encoding="utf-8")


class Fault(Exception):
    """The sender's mistake."""


@dataclass
class Register:
    """The customers by number, and what goes wrong with the next write. It forgets no idempotency key."""

    url: str
    rows: dict[str, Record] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    wrong: dict[str, object] | None = None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def fault(self, **fault: object) -> None:
        self.wrong = fault

    def clear(self) -> None:
        self.wrong = None

    def count(self, reference: str) -> int:
        return sum(row["reference"] == reference for row in self.rows.values())

    def answer(self, asked: Asked) -> Say:
        self.asked.append(asked)
        soap = asked.path == "/soap"
        writes = b"Find" not in asked.body if soap else asked.method != "GET"
        do = (lambda: self.soap(asked)) if soap else (lambda: self.rest(asked))
        if asked.path == "/wsdl":
            return Say(200, WSDL.replace("ADDRESS", self.url).encode(), {"Content-Type": "text/xml"})
        if not writes or self.wrong is None:
            return do()
        wrong = self.wrong
        if wrong.get("times") != -1:
            self.wrong = None
        return _gone_wrong(wrong, do)

    def rest(self, asked: Asked) -> Say:
        number = unquote(asked.path.removeprefix("/customers").strip("/"))
        if asked.method == "GET" and not number:
            found = [row for row in self.rows.values() if all(_text(row, n) == v for n, v in asked.params.items())]
            return _json({"data": [*map(_rest, found)]})
        if asked.method == "GET":
            row = self.rows.get(number)
            return _json(_rest(row), {"ETag": f'"{row["version"]}"'}) if row else Say(404)
        given = json.loads(asked.body)["customer"] if asked.body else {}
        flat = {name: given[name] for name in ("name", "credit") if name in given}
        if "address" in given:
            flat["city"] = given["address"].get("city")
        if asked.method == "POST":
            return self._posted(asked, given, flat)
        row = self.rows.get(number)
        if row is None:
            return Say(404)
        if asked.headers.get("If-Match") != f'"{row["version"]}"':
            return Say(412)
        if asked.method == "DELETE":
            del self.rows[number]
            return Say(204, b"")
        row.update(flat, reference=given["ref"], version=row["version"] + 1)
        return _json(_rest(row), {"ETag": f'"{row["version"]}"'})

    def _posted(self, asked: Asked, given: dict, flat: Record) -> Say:
        key = asked.headers.get("Idempotency-Key", "")
        if key in self.answers:
            return _json(_rest(self.rows[self.answers[key]]))
        if given.get("name") == "busy":
            return Say(423)
        if any(row["name"] == given.get("name") for row in self.rows.values()):
            return Say(409, b'{"error": "exists"}')
        number = self.add(flat, given["ref"])
        self.answers[key] = number
        return Say(201, json.dumps(_rest(self.rows[number])).encode(), {"ETag": '"1"'})

    def add(self, flat: Record, reference: object) -> str:
        number = f"{next(self.numbers):05}"
        empty = dict.fromkeys(("name", "city", "credit"))
        self.rows[number] = {**empty, **flat, "number": number, "reference": reference, "version": 1}
        return number

    def soap(self, asked: Asked) -> Say:
        (call,) = etree.fromstring(asked.body).find(f"{{{ENVELOPE}}}Body")
        name = etree.QName(call).localname
        leaves = {etree.QName(leaf).localname: leaf.text for leaf in call.iter() if not len(leaf)}
        try:
            found = self._called(name, leaves)
        except Fault as fault:
            content = f"<e:Fault><faultcode>e:Client</faultcode><faultstring>{fault}</faultstring></e:Fault>"
            return Say(500, _envelope(content), {"Content-Type": "text/xml"})
        customers = "".join(f"<customer>{_elements(row)}</customer>" for row in found)
        content = f'<{name}Response xmlns="{NAMESPACE}">{customers}</{name}Response>'
        return Say(200, _envelope(content), {"Content-Type": "text/xml"})

    def _called(self, name: str, leaves: dict[str, str | None]) -> list[Record]:
        own = {each: leaves[each] for each in ("name", "city", "credit") if each in leaves}
        if name == "Add":
            if len(own.get("name") or "") > 100:
                raise Fault("the name is too long")
            return [self.rows[self.add(own, leaves["reference"])]]
        if name == "Change":
            row = self.rows[str(leaves["number"])]
            row.update(own, reference=leaves["reference"], version=row["version"] + 1)
            return [row]
        by = {"FindByReference": "reference", "FindByNumber": "number", "FindByName": "name"}[name]
        return [row for row in self.rows.values() if row[by] == leaves["value"]]


def _gone_wrong(wrong: dict[str, object], do: Callable[[], Say]) -> Say:
    kind = wrong["kind"]
    body = str(wrong.get("body", "")).encode()
    if kind == "status":
        return Say(int(str(wrong["code"])), body)
    if kind == "html":
        return Say(200, b"<!DOCTYPE html><html></html>", {"Content-Type": "text/html"})
    if kind == "rate_limit":
        return Say(429, headers={"Retry-After": str(wrong["retry_after"])})
    if kind == "late_commit":
        threading.Timer(float(str(wrong["seconds"])), do).start()
        return Say(hang_up=True)
    said = do()
    if kind == "lost_answer":
        return Say(hang_up=True)
    if kind == "error_after_commit":
        return Say(int(str(wrong["code"])), body)
    return Say(said.status, said.body[:-5], said.headers, announced=len(said.body))


def _elements(row: Record) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in row.items() if value is not None)


def _rest(row: Record) -> Record:
    address = {"city": row["city"]}
    own = {name: row[name] for name in ("name", "credit")}
    return {"id": row["number"], "ref": row["reference"], "address": address, **own}


def _text(row: Record, name: str) -> str:
    return str(row[{"ref": "reference", "address.city": "city"}.get(name, name)])


def _json(document: object, headers: dict[str, str] | None = None) -> Say:
    return Say(200, json.dumps(document, ensure_ascii=False).encode(), headers or {})


def _envelope(content: str) -> bytes:
    return f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body>{content}</e:Body></e:Envelope>'.encode()


@contextmanager
def registering() -> Iterator[Register]:
    """The register, on a port of its own."""
    with serving() as web:
        register = Register(web.url)
        web.answer = register.answer
        yield register
