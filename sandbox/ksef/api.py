"""KSeF 2.0: sign-in with an encrypted token, the metadata query, and exports as encrypted packages.

Wire: the OpenAPI description 2.6 (api.ksef.mf.gov.pl/docs/v2) and the guides in github.com/CIRFMF/ksef-docs. An export
is a snapshot of the moment when it was ordered; it is packed at the second question about it. KSeF's limits are kept
when SANDBOX_KSEF_LIMITS is "1".
"""

from __future__ import annotations

import os
import secrets
import time
from base64 import b64decode
from bisect import bisect_left
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.ksef.books import INVOICES, LINES, PURCHASE_LINES, PURCHASES
from sandbox.ksef.documents import Document, sha256
from sandbox.ksef.sign_in import TOKEN, Invalid, SignIn, reference, refused, unauthorized
from sandbox.ksef.vault import Part, packed, parts
from sandbox.stand_in import StandIn
from sandbox.world import Entry, World, business

LIMITS = {"export": ((1, 8), (60, 16), (3600, 20)), "status": ((1, 10), (60, 60), (3600, 600))}
LIMITS["metadata"] = LIMITS["export"]
MOST, PART = 10_000, 50_000_000
LONGEST = timedelta(days=92)
KEPT = 8
WARSAW = ZoneInfo("Europe/Warsaw")
BOOKS = {"Subject1": INVOICES, "Subject2": PURCHASES}
"""By the part that we have in an invoice: its seller, its buyer."""


@dataclass
class Export:
    """An export that was ordered: of what, in which state of the world, and for whose key."""

    filters: Filters
    sequence: int
    mark: datetime
    key: bytes
    vector: bytes
    asked: int = 0
    parts: list[Part] = field(default_factory=list)
    count: int = 0
    is_truncated: bool = False
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What may be filtered by; the span is of permanent storage."""

    subject: str
    since: datetime
    until: datetime
    to_the_mark: bool


class Ksef:
    """The service: which exports are ready, and what has been asked lately."""

    def __init__(self, world: World, sign_in: SignIn) -> None:
        self._world = world
        self._sign_in = sign_in
        self._most = int(os.environ.get("SANDBOX_KSEF_PAGE", str(MOST)))
        self._part = int(os.environ.get("SANDBOX_KSEF_PART", str(PART)))
        self._lag = timedelta(seconds=float(os.environ.get("SANDBOX_KSEF_HWM_LAG", "0")))
        self._limited = os.environ.get("SANDBOX_KSEF_LIMITS") == "1"
        self._lately: defaultdict[str, deque[float]] = defaultdict(deque)
        self._exports: OrderedDict[str, Export] = OrderedDict()

    async def order(self, request: Request) -> Response:
        if refusal := self._not_admitted(request, "export"):
            return refusal
        body = await request.json()
        try:
            encryption = body["encryption"]
            key = self._sign_in.keys["SymmetricKeyEncryption"].opened(encryption["encryptedSymmetricKey"])
            vector = b64decode(encryption["initializationVector"], validate=True)
            if len(key) != 32 or len(vector) != 16:
                raise ValueError("AES-256 needs a key of 32 bytes and a vector of 16")
            filters = _filters(body["filters"])
        except (Invalid, KeyError, TypeError, ValueError) as error:
            return refused(error if isinstance(error, Invalid) else Invalid(21405, f"Błąd walidacji: {error}"))
        number = reference("EH")
        mark = self._world.now() - self._lag
        self._exports[number] = Export(filters, self._world.sequence, mark, key, vector)
        while len(self._exports) > KEPT:
            self._exports.popitem(last=False)
        return JSONResponse({"referenceNumber": number}, 201)

    def state(self, request: Request) -> Response:
        if refusal := self._not_admitted(request, "status"):
            return refusal
        number = request.path_params["number"]
        export = self._exports.get(number)
        if export is None:
            return refused(Invalid(21175, "Wynik zapytania o podanym identyfikatorze nie istnieje."))
        export.asked += 1
        if export.asked == 1:
            return JSONResponse({"status": {"code": 100, "description": "Eksport faktur w toku"}})
        if export.filters.to_the_mark and export.filters.since > export.mark:
            text = "Zakres filtrowania wykracza poza dostępny zakres danych"
            return JSONResponse({"status": {"code": 420, "description": text}})
        if not export.parts:
            self._pack(export)
        return JSONResponse(
            {
                "status": {"code": 200, "description": "Eksport faktur zakończony sukcesem"},
                "completedDate": datetime.now(UTC).isoformat(),
                "package": self._described(request, number, export),
            }
        )

    def part(self, request: Request) -> Response:
        """A piece of a package: whoever has the link may fetch it, without a token."""
        export = self._exports.get(request.path_params["number"].upper())
        ordinal = int(request.path_params["ordinal"])
        if export is None or not 0 < ordinal <= len(export.parts):
            return Response("<Error><Code>AuthenticationFailed</Code></Error>", 403, media_type="application/xml")
        part = export.parts[ordinal - 1]
        headers = {"x-ms-meta-hash": sha256(part.encrypted)}
        return Response(part.encrypted, headers=headers, media_type="application/octet-stream")

    async def metadata(self, request: Request) -> Response:
        if refusal := self._not_admitted(request, "metadata"):
            return refusal
        try:
            filters = _filters(await request.json())
            page, size = (
                int(request.query_params.get("pageOffset", "0")),
                int(request.query_params.get("pageSize", "10")),
            )
            if page < 0 or not 10 <= size <= 250:
                raise Invalid(21405, "Błąd walidacji danych wejściowych: pageSize 10-250")
        except (Invalid, KeyError, TypeError, ValueError) as error:
            return refused(error if isinstance(error, Invalid) else Invalid(21405, f"Błąd walidacji: {error}"))
        mark = self._world.now() - self._lag
        found = self._found(filters, self._world.sequence, mark)
        shown = found[:MOST][page * size : (page + 1) * size]
        more = (page + 1) * size < min(len(found), MOST)
        return JSONResponse(
            {
                "hasMore": more or len(found) > MOST,
                "isTruncated": not more and len(found) > MOST,
                "permanentStorageHwmDate": min(mark, filters.until).isoformat(),
                "invoices": [d.metadata(d.xml()) for d in (self._document(filters.subject, each) for each in shown)],
            }
        )

    def invoice(self, request: Request) -> Response:
        if refusal := self._not_admitted(request, "export"):
            return refusal
        number = request.path_params["number"]
        for subject, book in BOOKS.items():
            if entry := self._world.shelf(book.name).by_key.get(number):
                xml = self._document(subject, entry).xml()
                return Response(xml, headers={"x-ms-meta-hash": sha256(xml)}, media_type="application/xml")
        return refused(Invalid(21164, "Faktura o podanym identyfikatorze nie istnieje."))

    def _pack(self, export: Export) -> None:
        found = self._found(export.filters, export.sequence, export.mark)
        taken = found[: self._most]
        export.parts = parts(
            packed(self._document(export.filters.subject, each) for each in taken),
            self._part,
            export.key,
            export.vector,
        )
        export.count, export.is_truncated = len(taken), len(found) > len(taken)
        export.last = taken[-1].modified if export.is_truncated else None

    def _described(self, request: Request, number: str, export: Export) -> dict[str, object]:
        where = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/storage/01"
        expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        return {
            "invoiceCount": export.count,
            "size": sum(part.size for part in export.parts),
            "parts": [
                {
                    "ordinalNumber": ordinal,
                    "partName": f"{number}-{ordinal:03d}.zip.aes",
                    "method": "GET",
                    "url": f"{where}/{number.lower()}/invoice-part/{ordinal}?sp=r&sig={secrets.token_urlsafe(24)}",
                    "partSize": part.size,
                    "partHash": part.hash,
                    "encryptedPartSize": len(part.encrypted),
                    "encryptedPartHash": sha256(part.encrypted),
                    "expirationDate": expires,
                }
                for ordinal, part in enumerate(export.parts, start=1)
            ],
            "isTruncated": export.is_truncated,
            "lastPermanentStorageDate": f"{export.last:%Y-%m-%dT%H:%M:%S}.0000007+00:00" if export.last else None,
            "permanentStorageHwmDate": min(export.mark, export.filters.until).isoformat(),
        }

    def _found(self, filters: Filters, sequence: int, mark: datetime) -> list[Entry]:
        """In the order of permanent storage, both ends included."""
        if filters.subject not in BOOKS:
            return []
        until = min(filters.until, mark) if filters.to_the_mark else filters.until
        held = [entry for entry in self._world.shelf(BOOKS[filters.subject].name).entries if entry.born <= sequence]
        held.sort(key=lambda entry: (entry.modified, entry.key))
        first = bisect_left(held, filters.since.replace(microsecond=0), key=lambda entry: entry.modified)
        return [entry for entry in held[first:] if entry.modified <= until]

    def _document(self, subject: str, entry: Entry) -> Document:
        return Document(self._world.seed, self._world.base_size, entry, bought=BOOKS[subject] is PURCHASES)

    def _not_admitted(self, request: Request, group: str) -> Response | None:
        """The refusal of a request that shows no good token, or comes too soon."""
        if not self._sign_in.holds(request):
            return unauthorized()
        now, asked = time.monotonic(), self._lately[group]
        for seconds, count in LIMITS[group] if self._limited else ():
            if len(asked) >= count and asked[-count] > now - seconds:
                wait = int(asked[-count] + seconds - now) + 1
                text = f"Przekroczono limit {count} żądań na {seconds} s. Spróbuj ponownie po {wait} sekundach."
                body = {"status": {"code": 429, "description": "Too Many Requests", "details": [text]}}
                return JSONResponse(body, 429, {"Retry-After": str(wait)})
        asked.append(now)
        while len(asked) > 600:
            asked.popleft()
        return None


def _filters(given: dict[str, object]) -> Filters:
    span = given["dateRange"]
    if not isinstance(span, dict) or span.get("dateType") != "PermanentStorage":
        raise Invalid(21405, "Błąd walidacji danych wejściowych: the sandbox knows dateType PermanentStorage only")
    since = _moment(span["from"])
    until = _moment(span["to"]) if span.get("to") else datetime.now(UTC)
    if since > until or until - since > LONGEST:
        raise Invalid(21405, "Błąd walidacji danych wejściowych: zakres dat może mieć najwyżej 3 miesiące")
    return Filters(str(given["subjectType"]), since, until, bool(span.get("restrictToPermanentStorageHwmDate")))


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=WARSAW)


def routes(world: World) -> list[Route]:
    """The routes below /ksef. What takes long is not async, so that it runs beside the others."""
    sign_in = SignIn()
    ksef = Ksef(world, sign_in)
    return [
        Route("/v2/security/public-key-certificates", sign_in.certificates),
        Route("/v2/auth/challenge", sign_in.challenge, methods=["POST"]),
        Route("/v2/auth/ksef-token", sign_in.sign_in, methods=["POST"]),
        Route("/v2/auth/token/redeem", sign_in.redeem, methods=["POST"]),
        Route("/v2/auth/token/refresh", sign_in.refresh, methods=["POST"]),
        Route("/v2/auth/{number}", sign_in.progress),
        Route("/v2/invoices/query/metadata", ksef.metadata, methods=["POST"]),
        Route("/v2/invoices/exports", ksef.order, methods=["POST"]),
        Route("/v2/invoices/exports/{number}", ksef.state),
        Route("/v2/invoices/ksef/{number}", ksef.invoice),
        Route("/storage/01/{number}/invoice-part/{ordinal:int}", ksef.part),
    ]


STAND_IN = StandIn(
    "ksef", routes, sign_in=(business.OUR_NIP, TOKEN), books=(INVOICES, LINES, PURCHASES, PURCHASE_LINES)
)
