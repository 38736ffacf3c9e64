"""Targets that quote what they were sent, in every place of an answer: no personal value and no secret stands in what
is told of it: messages, outcomes, records of attempts, logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

import pytest
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.connectors.outbound.applied import FAILURES
from onefold.connectors.outbound.contract import Change, Kind, Outbound, Place
from onefold.connectors.outbound.registry import PROTOCOLS, open_outbound
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter
from tests.connectors.outbound.register import ENVELOPE, WSDL
from tests.connectors.outbound.test_rest import SETTINGS as REST
from tests.connectors.outbound.test_soap import SETTINGS as SOAP
from tests.http.web_server import Asked, Say, serving

PERSON, NUMBER, PASSWORD, TOKEN = "Kanarkiewicz", "44051401359", "tajne-kanarka", "token-kanarka"
CANARIES = (PERSON, NUMBER, PASSWORD, TOKEN)
KINDS: dict[str, Kind] = {"name": "text", "credit": "number", "born": "date", "blocked": "boolean"}
FIELDS: dict[str, object] = {"name": PERSON, "city": NUMBER}
JSON = {"Content-Type": "application/json"}
XML = {"Content-Type": "text/xml"}


def _all_of(asked: Asked) -> str:
    """All that the request had, in words, and the canaries once more."""
    body = asked.body.decode(errors="replace")
    return " ".join([body, unquote_plus(asked.path), str(asked.params), str(dict(asked.headers)), *CANARIES])


def _json(status: int, document: object, **headers: str) -> Say:
    return Say(status, json.dumps(document).encode(), {**JSON, **headers})


def _error(status: int) -> Callable[[str], Say]:
    """An error as each of the protocols writes it, all in one."""

    def say(quoted: str) -> Say:
        one = {"message": quoted, "errorCode": PERSON, "statusCode": PERSON, "fields": [PERSON, NUMBER]}
        error = {"code": PERSON, "message": {"lang": PERSON, "value": quoted}, "target": PERSON, "details": [one]}
        return _json(status, {"error": error, "errors": [one], PERSON: quoted}, **_headers())

    return say


def _headers() -> dict[str, str]:
    return {
        "X-Error": PERSON, "ETag": f'"{PERSON}"', "sap-message": json.dumps({"message": PERSON}),
        "WWW-Authenticate": f'Bearer error="{PERSON}", error_description="{PASSWORD}"',
    }  # fmt: skip


def _fault(code: str) -> Callable[[str], Say]:
    def say(quoted: str) -> Say:
        content = f"<e:Fault><faultcode>{code}</faultcode><faultstring>{escape(quoted)}</faultstring>"
        content += f"<faultactor>{PERSON}</faultactor><detail><{PERSON}>{escape(quoted)}</{PERSON}></detail></e:Fault>"
        return Say(500, f'<e:Envelope xmlns:e="{ENVELOPE}"><e:Body>{content}</e:Body></e:Envelope>'.encode(), XML)

    return say


def _record(quoted: str) -> Say:
    """A record as each protocol lists them, whose values are of other kinds than was said."""
    row = {"id": NUMBER, "number": NUMBER, "ref": PERSON, "reference": PERSON, "Id": PERSON, "SystemModstamp": PERSON}
    row |= dict.fromkeys(KINDS, PERSON)
    listed = {"results": [row], "__next": f"http://elsewhere.example/{PERSON}?{NUMBER}"}
    document = {"d": listed, "value": [row], "records": [row], "data": [row], "done": False, **row}
    return _json(
        200, document | {"nextRecordsUrl": f"/{PERSON}", "@odata.nextLink": f"http://elsewhere.example/{PERSON}"}
    )


def _items(quoted: str) -> Say:
    error = {"statusCode": PERSON, "message": quoted, "fields": [PERSON, "Name"]}
    return _json(200, [{"id": None, "success": False, "errors": [error]}])


ANSWERS: dict[str, Callable[[str], Say]] = {
    **{f"an error with {status}": _error(status) for status in (400, 403, 404, 409, 412, 422, 429, 500, 503)},
    "200 with items that failed": _items,
    "200 with an error": _error(200),
    "a record of other kinds": _record,
    "a record in a list": lambda quoted: _json(200, [json.loads(_record(quoted).body)]),
    "a token is wanted": lambda quoted: _json(403, {"error": quoted}, **{"X-CSRF-Token": "Required"}),
    "no JSON": lambda quoted: Say(200, quoted.encode(), JSON),
    "a page": lambda quoted: Say(200, f"<!DOCTYPE html><html>{quoted}".encode(), {"Content-Type": "text/html"}),
    "an error's page": lambda quoted: Say(502, f"<html>{quoted}".encode(), {"Content-Type": "text/html"}),
    "elsewhere": lambda quoted: Say(302, b"", {"Location": f"http://elsewhere.example/{NUMBER}?token={TOKEN}"}),
    "when": lambda quoted: Say(503, quoted.encode(), {"Retry-After": PERSON}),
    "the sign-in is refused": lambda quoted: _json(401, {"error": PERSON, "error_description": quoted}, **_headers()),
    "the sender's fault": _fault("e:Client"),
    "a fault of its own name": _fault(PERSON),
    "XML of something else": lambda quoted: Say(200, f"<{PERSON}>{escape(quoted)}</{PERSON}>".encode(), XML),
    "XML that is none": lambda quoted: Say(200, f"<a>{quoted}".encode(), XML),
}  # fmt: skip


@dataclass
class Quoting:
    """A target that answers everything in one way."""

    url: str = ""
    say: Callable[[str], Say] = _items

    def answer(self, asked: Asked) -> Say:
        if asked.path == "/wsdl":
            return Say(200, WSDL.replace("ADDRESS", self.url).encode(), XML)
        if asked.path == "/token" and self.say is not ANSWERS["the sign-in is refused"]:
            return _json(200, {"access_token": TOKEN, "token_type": "Bearer"})
        return self.say(_all_of(asked))


@pytest.fixture(scope="module")
def quoting() -> Iterator[Quoting]:
    with serving() as web:
        made = Quoting(web.url)
        web.answer = made.answer
        yield made


def _system(protocol: str) -> System:
    auth: dict[str, object] = {"kind": "basic"}
    if protocol == "salesforce":
        auth = {"kind": "oauth2_client_credentials", "token_path": "/token"}
    return System.model_validate(
        {
            "system": "target", "title": "T", "protocol": "soap" if protocol == "soap" else "rest",
            "connection": "target", "schedule": "0 * * * *", "auth": auth,
            **({"wsdl": "/wsdl"} if protocol == "soap" else {}),
            "limits": {"attempts": 1, "timeout": "PT5S"},
            "streams": {"s": {"title": "s", "request": {"operation": "FindByName"} if protocol == "soap"
                              else {"path": "/s"}, "records": "data", "primary_key": ["id"],
                              "fields": {"id": "text"}}},
        }
    )  # fmt: skip


def _open(quoting: Quoting, protocol: str, attempts: list[Attempt]) -> Outbound:
    key, reference = ("number", "reference") if protocol == "soap" else ("id", "ref")
    settings: dict[str, object] = {"rest": REST, "soap": SOAP}.get(protocol, {})
    named = {"soap": "customer", "rest": "customer"}.get(protocol, "/odata/Customers")
    named = "Account" if protocol == "salesforce" else named
    place = Place("target", _system(protocol), named, key, reference, KINDS, timedelta(seconds=1), settings=settings)
    extra = {"rate": "100000/s", "token_path": "/token"}
    return open_outbound(
        protocol, place, Endpoint(quoting.url, "onefold", PASSWORD, extra), attempts.append,
        limiter=MemoryLimiter(), breakers=SyncCircuitBreakerFactory(default_threshold=10_000), sleep=lambda _: None,
    )  # fmt: skip


def _told(outbound: Outbound) -> Iterator[str]:
    """All that is said of writes and questions, by outcomes and by errors."""
    create = Change("intent 1", "create", "REFERENCE", None, FIELDS)
    for change in (
        create,
        replace(create, kind="update", key=NUMBER, version='"1"'),
        replace(create, kind="update", key=NUMBER, version="a hash"),
        replace(create, kind="delete", key=NUMBER, version='"1"'),
    ):
        for outcome in outbound.apply([change]):
            yield f"{outcome.result} {outcome.reason}"
    for ask in (
        lambda: outbound.find(["REFERENCE"]),
        lambda: outbound.read([NUMBER]),
        lambda: outbound.match("name", PERSON),
    ):
        try:
            ask()
        except FAILURES as error:
            yield f"{type(error).__name__} {error} {error.__cause__ or ''}"


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS.keys() - {"sql"}))
def test_a_target_that_quotes_what_it_was_sent_puts_no_value_and_no_secret_into_what_is_told(
    quoting: Quoting, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="onefold")
    leaks = []
    for name, say in ANSWERS.items():
        quoting.say = say
        attempts: list[Attempt] = []
        caplog.clear()
        with _open(quoting, protocol, attempts) as outbound:
            told = [*_told(outbound), *map(str, attempts), *map(repr, attempts)]
        told += [record.getMessage() for record in caplog.records if _is_kept(record)]
        assert attempts, f"{name}: nothing was asked"
        leaks += [f"{name}: {text}" for text in told for canary in CANARIES if canary.lower() in text.lower()]
    assert not leaks, "\n".join(leaks)


def _is_kept(record: logging.LogRecord) -> bool:
    return record.name.startswith("onefold") or record.levelno >= logging.INFO
