"""Stand-in of GUS's REGON service BIR 1.1: SOAP 1.2 with WS-Addressing, sessions, XML inside a string.

What it minds: the Action and To headers of WS-Addressing (a SOAP fault without them), and the HTTP header
`sid` that Zaloguj gave (without a living session every answer is empty and KomunikatKod says 7). Settings:
SANDBOX_REGON_SESSION_SECONDS (3600) and SANDBOX_REGON_MTOM (crlf or lf: answer so whoever accepts
multipart/related). The request header X-Sandbox-Mtom asks for one MTOM answer.
"""

import os
import re
import secrets
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.faults.fault import EXPIRED
from sandbox.regon import reports
from sandbox.regon.soap import Call, Fault, answer_envelope, fault_envelope, read_call, wsdl_for
from sandbox.stand_in import StandIn
from sandbox.wire.mtom import as_mtom
from sandbox.world import SourceRecord, World

USER_KEY = "abcde12345abcde12345"  # GUS's public key of the test service
MOST_IDENTIFIERS = 20
DAYS_BACK = 7
WARSAW = ZoneInfo("Europe/Warsaw")

_FULL_REPORTS: dict[str, tuple[str, Callable[[SourceRecord], reports.Row]]] = {
    "BIR11OsPrawna": ("6", reports.legal_person),
    "BIR11OsFizycznaDaneOgolne": ("1", reports.natural_person),
    "BIR11OsFizycznaDzialalnoscCeidg": ("1", reports.sole_trader),
    "BIR11OsPrawnaPkd": ("6", reports.activity_of_legal_person),
    "BIR11OsFizycznaPkd": ("1", reports.activity_of_natural_person),
}
_BULK_REPORTS = {
    "BIR11NowePodmiotyPrawneOrazDzialalnosciOsFizycznych": "new",
    "BIR11AktualizowanePodmiotyPrawneOrazDzialalnosciOsFizycznych": "changed",
    "BIR11SkreslonePodmiotyPrawneOrazDzialalnosciOsFizycznych": "struck_off",
}
# Each way to search: how many digits an identifier has, and the element that echoes one that is not found.
_SEARCHES = {
    "Nip": (10, "Nip"),
    "Regon": (None, "Regon"),
    "Krs": (10, "Krs"),
    "Nipy": (10, "Nip"),
    "Regony9zn": (9, "Regon"),
    "Regony14zn": (14, "Regon"),
    "Krsy": (10, "Krs"),
}
_SESSION_MESSAGES = {
    "0": "",
    "2": "Do metody DaneSzukaj przekazano zbyt wiele identyfikatorów.",
    "4": "Nie znaleziono podmiotów.",
    "5": "Nieprawidłowa lub pusta nazwa raportu.",
    "7": "Brak sesji. Sesja wygasła lub przekazano nieprawidłową wartość nagłówka sid.",
}


@dataclass(slots=True)
class Session:
    """A login: until when it lives (monotonic seconds), and the outcome of its last question."""

    ends: float
    code: str = "0"


def routes(world: World) -> list[Route]:
    """The service's address, below /regon: POST for calls, GET ?wsdl for the contract."""
    service = Service(world)
    return [Route("/wsBIR/UslugaBIRzewnPubl.svc", service.answer, methods=["GET", "POST"])]


class Service:
    """The service and its sessions."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}
        self._questions: dict[str, Callable[[Call], list[reports.Row]]] = {
            "DaneSzukajPodmioty": self._search,
            "DanePobierzPelnyRaport": self._full_report,
            "DanePobierzRaportZbiorczy": self._bulk_report,
        }

    async def answer(self, request: Request) -> Response:
        """One call: HTTP 200 with the answer, 400 or 500 with a SOAP fault."""
        if request.method == "GET":
            return self._contract(request)
        body = await request.body()
        try:
            call = read_call(body, request.url.path)
            result = self._result(call, request)
        except Fault as fault:
            return _framed(request, fault_envelope(fault), fault.status)
        envelope = answer_envelope(call, result, as_cdata=zlib.crc32(call.key) % 2 == 1)
        return _framed(request, envelope, 200)

    def _contract(self, request: Request) -> Response:
        if not {name.lower() for name in request.query_params} & {"wsdl", "singlewsdl"}:
            return Response("UslugaBIRzewnPubl: the contract is at ?wsdl", 400, media_type="text/plain")
        address = str(request.url.replace(query=""))
        return Response(wsdl_for(address), media_type="text/xml; charset=utf-8")

    def _result(self, call: Call, request: Request) -> str:
        # A session that the fault "expired_token" hit is over for good, not only for this request.
        self._sessions.pop(request.scope.get(EXPIRED, ""), None)
        session = self._living(request.headers.get("sid", ""))
        match call.operation:
            case "Zaloguj":
                return self._log_in(call.arguments.get("pKluczUzytkownika", ""))
            case "Wyloguj":
                ended = self._sessions.pop(call.arguments.get("pIdentyfikatorSesji", ""), None)
                return "true" if ended else "false"
            case "GetValue":
                return self._value(call.arguments.get("pNazwaParametru", ""), session)
        if session is None:
            return ""
        rows = self._questions[call.operation](call)
        codes = [row["ErrorCode"] for row in rows if "ErrorCode" in row]
        session.code = codes[0] if codes and len(codes) == len(rows) else "0"
        return reports.inner_xml(rows)

    def _log_in(self, key: str) -> str:
        if key != USER_KEY:
            return ""
        seconds = float(os.environ.get("SANDBOX_REGON_SESSION_SECONDS", "3600"))
        sid = secrets.token_hex(10)
        self._sessions[sid] = Session(time.monotonic() + seconds)
        return sid

    def _living(self, sid: str) -> Session | None:
        session = self._sessions.get(sid)
        if session and session.ends <= time.monotonic():
            del self._sessions[sid]
            return None
        return session

    def _value(self, name: str, session: Session | None) -> str:
        code = session.code if session else "7"
        match name:
            case "KomunikatKod":
                return code
            case "KomunikatTresc":
                return _SESSION_MESSAGES.get(code, "")
            case "StatusSesji":
                return "1" if session else "0"
            case "StatusUslugi":
                return "1"
            case "StanDanych":
                return f"{self._today() - timedelta(days=1):%d-%m-%Y}"
        return ""

    def _search(self, call: Call) -> list[reports.Row]:
        asked = {name: call.arguments[name] for name in _SEARCHES if call.arguments.get(name)}
        if not asked:
            return [reports.error("4")]
        (way, text), *others = asked.items()
        identifiers = list(dict.fromkeys(re.findall(r"[^\s,;]+", text)))
        if others or len(identifiers) > (MOST_IDENTIFIERS if way.endswith(("y", "zn")) else 1):
            return [reports.error("2")]
        return [row for identifier in identifiers for row in self._found(way, identifier)]

    def _found(self, way: str, identifier: str) -> list[reports.Row]:
        """One row, or those of all businesses that a tax number has and had."""
        digits, echo = _SEARCHES[way]
        record = self._record(echo, identifier) if digits in (None, len(identifier)) else None
        if record is None:
            return [reports.error("4", **{echo: identifier})]
        records = sorted(self._records_of(record.company_id), key=lambda each: each.key) if echo == "Nip" else [record]
        return [reports.search_row(each) for each in records]

    def _record(self, kind: str, identifier: str) -> SourceRecord | None:
        """The entity with this Nip, Krs or Regon; a Regon also as a record broken on purpose shows it."""
        world = self._world
        if kind == "Regon":
            if len(identifier) == 14 and not identifier.endswith("00000"):
                return None  # a local unit: the world has none
            number = identifier[:9] if len(identifier) == 14 else identifier
            shown = world.record("regon", f"{number}|6") or world.record("regon", f"{number}|1")
            if shown:
                return shown
            company = world.by_regon.get(number)
        else:
            company = (world.by_nip if kind == "Nip" else world.by_krs).get(identifier)
        return next(self._records_of(company.id), None) if company else None

    def _records_of(self, company_id: int) -> Iterator[SourceRecord]:
        return (record for record in self._world.records_of(company_id) if record.system == "regon")

    def _full_report(self, call: Call) -> list[reports.Row]:
        regon, name = call.arguments.get("pRegon", ""), call.arguments.get("pNazwaRaportu", "")
        record = self._record("Regon", regon)
        kind = "" if record is None else ("F" if record.company.form == "jdg" else "P")
        asked = {"pRegon": regon, "Typ_podmiotu": kind, "Raport": name}
        if name not in _FULL_REPORTS:
            return [reports.error("5", **asked)]
        silos, report = _FULL_REPORTS[name]
        if record is None or record.company.silos != silos:
            return [reports.error("4", **asked)]
        return [report(record)]

    def _bulk_report(self, call: Call) -> list[reports.Row]:
        name = call.arguments.get("pNazwaRaportu", "")
        if name not in _BULK_REPORTS:
            return [reports.error("105")]
        try:
            day = datetime.strptime(call.arguments.get("pDataRaportu", ""), "%Y-%m-%d").date()
        except ValueError:
            return [reports.error("101")]
        if day > self._today():
            return [reports.error("103")]
        if day < self._today() - timedelta(days=DAYS_BACK):
            return [reports.error("102")]
        return [{"regon": regon} for regon in self._world.regon_changes(_BULK_REPORTS[name], day)]

    def _today(self) -> date:
        return self._world.now().astimezone(WARSAW).date()


def _framed(request: Request, envelope: bytes, status: int) -> Response:
    framing = request.headers.get("x-sandbox-mtom")
    if framing is None and "multipart/related" in request.headers.get("accept", ""):
        framing = os.environ.get("SANDBOX_REGON_MTOM")
    if framing not in ("crlf", "lf"):
        return Response(envelope, status, media_type="application/soap+xml; charset=utf-8")
    body, content_type = as_mtom(envelope, framing)
    return Response(body, status, headers={"content-type": content_type})


STAND_IN = StandIn("regon", routes, sign_in=(None, "abcde12345abcde12345"))
