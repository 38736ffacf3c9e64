"""ePUAP, the inbox for official letters: a queue that keeps a document until it hears that it was received.

Source: the service's WSDL "pull" (1.2) and its public clients: status 1 is good, 0 means that nothing waits, and a
document is confirmed by the digest of its content. Whether the next call gives the next document or, until it is
confirmed, the same one, they do not tell; both are read here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.json_lines import json_line
from onefold.connectors.page import Page, PageReader
from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.connectors.safe_xml import Row
from onefold.connectors.soap.connector import SoapConnector
from onefold.connectors.soap.service import SoapService
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.http.attempt import BadBody
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint

PER_PAGE = 10
GOOD, EMPTY = "1", "0"
DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}


def epuap_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client) -> PageReader:
    """Reads the documents that wait when it begins; a page's token is how many those were and which are taken.

    Nothing is acknowledged here: a page that was given is not yet stored (connectors/page.py).
    """
    inbox = Inbox(system, endpoint, http)
    head = Head(f"{system.system}.{stream_name}", system.streams[stream_name])

    def read(window: Window, token: str | None) -> Iterator[Page]:
        waiting, taken = (int(token.split()[0]), token.split()[1:]) if token else (inbox.waiting(), [])
        seen, page = set(taken), list[Record]()
        for document in _each_once(inbox, waiting, seen):
            if len(page) == PER_PAGE:
                yield Page(page, datetime.now(UTC), f"{waiting} {' '.join(sorted(taken))}")
                page = []
            page.append(head.record(json_line(document)))
            taken.append(str(document["skrot"]))
        yield Page(page, datetime.now(UTC), None)

    return read


class Inbox:
    """The inbox that the connection's extra names: podmiot, nazwa_skrytki, adres_skrytki."""

    def __init__(self, system: System, endpoint: Endpoint, http: Client) -> None:
        extra = endpoint.extra or {}
        if missing := [name for name in ("podmiot", "nazwa_skrytki", "adres_skrytki") if not extra.get(name)]:
            raise Fatal(
                f"{system.system}: the extra of the Airflow connection {system.connection!r} lacks "
                f"{', '.join(missing)}: set it to what the service knows your inbox by."
            )
        if (digest := extra.get("skrot", "sha1")) not in DIGESTS:
            raise Fatal(
                f"{system.system}: skrot in the extra of the Airflow connection {system.connection!r} is none of "
                f"{', '.join(DIGESTS)}."
            )
        self._digest = DIGESTS[digest]
        self._service = SoapService(system, endpoint, http)
        self._address = {
            "podmiot": extra["podmiot"],
            "nazwaSkrytki": extra["nazwa_skrytki"],
            "adresSkrytki": extra["adres_skrytki"],
        }

    def waiting(self) -> int:
        """How many documents wait."""
        answer = self._service.call("oczekujaceDokumenty", self._address, lambda e: _answer(e, "Oczekujace"))
        try:
            return int(str(answer.get("oczekujace")))
        except ValueError:
            raise Fatal("epuap: oczekujaceDokumenty told no number. Compare the service with its WSDL.") from None

    def next(self) -> Row | None:
        """A document that waits, with its digest and its size in bytes; None when there is none."""
        return self._service.call("pobierzNastepny", self._address, self._document)

    def acknowledge(self, digest: str) -> None:
        """Let the service forget the document."""
        self._service.call("potwierdzOdebranie", {**self._address, "skrot": digest}, lambda e: _answer(e, "Potwierdz"))

    def _document(self, envelope: BinaryIO) -> Row | None:
        answer = _answer(envelope, "Pobierz")
        if not answer:
            return None
        file = answer.get("dokument")
        text = file.get("zawartosc") if isinstance(file, dict) else None
        try:
            content = base64.b64decode("".join(str(text or "").split()), validate=True)
        except binascii.Error as error:
            raise BadBody("a document that is not whole base64") from error
        digest = base64.b64encode(self._digest(content, usedforsecurity=False).digest()).decode()
        return {"skrot": digest, "rozmiar": str(len(content)), **answer}


def _each_once(inbox: Inbox, waiting: int, seen: set[str]) -> Iterator[Row]:
    """Every document that waits, once. Ends before all were seen when the queue gives the same one twice in a row (it
    gives no other until that is confirmed) or when a whole round brought nothing new."""
    last, vain = None, 0
    while len(seen) < waiting and vain <= len(seen):
        document = inbox.next()
        if document is None or (digest := str(document["skrot"])) == last:
            return
        last = digest
        if digest in seen:
            vain += 1
        else:
            seen.add(digest)
            vain = 0
            yield document


def _answer(envelope: BinaryIO, name: str) -> Row:
    """The answer without its status; empty when nothing waits. Raises BadBody when the status is not good."""
    answers = list(safe_xml.rows(envelope, f"OdpowiedzPull{name}"))
    answer = dict(answers[0]) if answers else {}
    status = answer.pop("status", None)
    code = status.get("kod") if isinstance(status, dict) else None
    if code not in (GOOD, EMPTY):
        raise BadBody(f"an answer with status {code}" if str(code).isdigit() else "an answer without a status")
    return answer if code == GOOD else {}


class EpuapConnector(SoapConnector):
    """Reads the inbox, and tells it which documents it may forget."""

    capabilities = Capabilities(acknowledges=True)

    def page_reader(self) -> PageReader:
        source = self.source
        return epuap_reader(source.system, source.stream_name, source.endpoint, self.transport)

    def acknowledge(self, keys: Sequence[str]) -> None:
        """Tell the service that the documents with these digests are stored, so that it lets go of them.

        One that it has let go of already is no error.
        """
        inbox = Inbox(self.source.system, self.source.endpoint, self.transport)
        for key in keys:
            inbox.acknowledge(key)


CONNECTOR = EpuapConnector
