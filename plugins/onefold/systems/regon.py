"""REGON (GUS BIR 1.1): a session id in an HTTP header, and XML within a string that says what went wrong.

Source: GUS, "BIR 1.1: instrukcja techniczna dla programistów", and what its public clients had to learn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import BinaryIO

from onefold.catalog.system import System
from onefold.connectors import safe_xml
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.json_lines import json_line
from onefold.connectors.lookup import LookupKeys, LookupResult
from onefold.connectors.lookup_pages import Found, lookup_pages
from onefold.connectors.page import Page, PageReader
from onefold.connectors.records import Head
from onefold.connectors.safe_xml import Row
from onefold.connectors.soap.connector import SoapConnector
from onefold.connectors.soap.envelope import result_text
from onefold.connectors.soap.service import SoapService
from onefold.connectors.window import Window
from onefold.errors import Fatal, Retriable
from onefold.foreign_text import described
from onefold.http.attempt import BadBody
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint

NOT_FOUND = "4"
NO_SESSION = "7"
SERVICE_UP = "1"


def regon_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client, keys: LookupKeys) -> PageReader:
    """Reads the entities with the tax ids (NIP) that other systems name; a page is one request of `lookup.batch`.

    A page's token is the last NIP asked. The user key is the connection's password.
    """
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    head = Head(named, stream)
    session = Session(system, endpoint, http)
    batch = stream.lookup.batch if stream.lookup else 1
    argument = next(iter(stream.request.params))

    def read(window: Window, token: str | None) -> Iterator[Page]:
        asked, resumed = keys(token, ()), token is not None
        return lookup_pages(asked, ask, batch=batch, per_page=batch, threads=1, named=named, resumed=resumed)

    def ask(values: Sequence[str]) -> Found:
        asked = [value for value in values if re.fullmatch(r"[0-9]{10}", value)]
        rows = session.rows(stream.request.operation or "", {argument: ",".join(asked)}) if asked else []
        found = [row for row in rows if "ErrorCode" not in row]
        held = {row.get("Nip") for row in found}
        return Found(
            [LookupResult(value, "found" if value in held else "not_found") for value in values],
            [head.record(json_line(row)) for row in found],
        )

    return read


class Session:
    """A login at the service, made when first needed and once more when the service says that it has ended."""

    def __init__(self, system: System, endpoint: Endpoint, http: Client) -> None:
        self._named = system.system
        self._connection = system.connection
        self._key = endpoint.password
        self._service = SoapService(system, endpoint, http)
        self._sid: str | None = None

    def rows(self, operation: str, parameters: Mapping[str, str]) -> list[Row]:
        """The rows of an answer; one with ErrorCode 4 stands for something that was not found.

        Raises Retriable while the service is under maintenance, Fatal for a key or a question that it refuses.
        """
        fresh = self._sid is None
        rows = self._ask(operation, parameters)
        if rows is None and not fresh and self._message_code() == NO_SESSION:
            self._sid, fresh = None, True
            rows = self._ask(operation, parameters)
        if rows is None:
            if fresh and self._message_code() == NO_SESSION:
                raise Fatal(
                    f"{self._named}: {operation} was answered with nothing (KomunikatKod 7, no session) right after a "
                    f"login. Check the user key: the password of the Airflow connection {self._connection!r}."
                )
            raise self._maintenance(operation)
        for row in rows:
            if row.get("ErrorCode", NOT_FOUND) != NOT_FOUND:
                raise Fatal(
                    f"{self._named}: {operation} was refused with {_error_of(row)}. "
                    "Compare the stream's YAML with the description of BIR 1.1."
                )
        return rows

    def _ask(self, operation: str, parameters: Mapping[str, str]) -> list[Row] | None:
        """The rows, or None when the service answered with nothing at all."""
        return self._service.call(operation, _arguments(operation, parameters), _inner_rows, {"sid": self._login()})

    def _login(self) -> str:
        if self._sid is None:
            if not self._key:
                raise Fatal(
                    f"{self._named}: the Airflow connection {self._connection!r} has no password. Set it to the user "
                    "key that GUS gave you."
                )
            self._sid = self._service.call("Zaloguj", {"pKluczUzytkownika": self._key}, _text) or None
        if self._sid is None:
            if self._value("StatusUslugi") != SERVICE_UP:
                raise self._maintenance("Zaloguj")
            raise Fatal(
                f"{self._named}: the service did not accept the user key. Check the password of the Airflow "
                f"connection {self._connection!r}."
            )
        return self._sid

    def _message_code(self) -> str:
        return self._value("KomunikatKod")

    def _value(self, name: str) -> str:
        return self._service.call("GetValue", {"pNazwaParametru": name}, _text, {"sid": self._sid or ""}).strip()

    def _maintenance(self, operation: str) -> Retriable:
        return Retriable(
            f"{self._named}: {operation} was answered with nothing, as while the service is under maintenance. Run it "
            "later; nothing was changed here."
        )


REPORTS = {"P": ("BIR11OsPrawna", "BIR11OsPrawnaPkd"), "F": ("BIR11OsFizycznaDaneOgolne", "BIR11OsFizycznaPkd")}
"""By the entity's type: its report, and that of its activities (PKD)."""


def find_entities(session: Session, name: str, value: str) -> list[Row]:
    """The entities with this number: Nipy, Krsy, Regony9zn or Regony14zn; none when the register says that there are
    none."""
    return [row for row in session.rows("DaneSzukajPodmioty", {name: value}) if "ErrorCode" not in row]


def full_reports(session: Session, entity: Row) -> tuple[Row, list[Row]]:
    """The report of an entity that was found, and its activities; empty where the register has none of its type."""
    regon, kind = str(entity.get("Regon")), str(entity.get("Typ"))
    if kind not in REPORTS:
        return {}, []
    report, activities = (
        session.rows("DanePobierzPelnyRaport", {"pRegon": regon, "pNazwaRaportu": name}) for name in REPORTS[kind]
    )
    sound = [row for row in report if "ErrorCode" not in row]
    return (sound[0] if sound else {}), [row for row in activities if "ErrorCode" not in row]


def _arguments(operation: str, parameters: Mapping[str, str]) -> dict[str, object]:
    """The search takes its parameters in one object, the reports take theirs side by side."""
    return {"pParametryWyszukiwania": dict(parameters)} if operation == "DaneSzukajPodmioty" else dict(parameters)


def _error_of(row: Row) -> str:
    """ErrorCode is a number; what stands beside it is a text of theirs."""
    code, text = str(row["ErrorCode"]), described(str(row.get("ErrorMessageEn") or "")) or "no text"
    return (
        f"ErrorCode {code} ({text})"
        if re.fullmatch(r"[0-9]{1,3}", code)
        else f"an ErrorCode that is no number ({text})"
    )


def _text(envelope: BinaryIO) -> str:
    return result_text(envelope).strip()


def _inner_rows(envelope: BinaryIO) -> list[Row] | None:
    """The <dane> elements of the XML within the result's string; None when the string is empty."""
    text = _text(envelope)
    if not text:
        return None
    if not text.startswith("<"):
        raise BadBody("a result that is no XML, as under maintenance")
    return list(safe_xml.rows(BytesIO(text.encode()), "dane"))


class RegonConnector(SoapConnector):
    """Asks the register about a few companies at a time, within a session."""

    capabilities = Capabilities(lookups=True)

    def page_reader(self) -> PageReader:
        source = self.source
        return regon_reader(source.system, source.stream_name, source.endpoint, self.transport, source.keys)


CONNECTOR = RegonConnector
