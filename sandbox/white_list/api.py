"""Stand-in of the Ministry of Finance's list of VAT payers (API Rejestr WL 1.6.0): search by NIP, check of accounts.

Wire: wl-test.mf.gov.pl. Who is not in the register is an entry without subjects (searched alone: subject null, with
200); errors are {code, message}. SANDBOX_WHITE_LIST_CALLS is how many searches a day (Warsaw) are allowed; without it,
any.
"""

import os
import random
import re
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.world import Book, Company, Entry, World, identifiers, words

WARSAW = ZoneInfo("Europe/Warsaw")
MOST = 30
_BANKS = ("10201026", "11402004", "10501025", "12401037", "16001462", "24900005")
_MESSAGES = {
    "WL-101": "Pole 'data' nie może być puste.",
    "WL-102": "Pole 'data' ma niepoprawny format.",
    "WL-103": "Data nie może być z przyszłości.",
    "WL-113": "Pole 'NIP' ma nieprawidłową długość. Wymagane 10 znaków.",
    "WL-115": "Nieprawidłowy NIP.",
    "WL-130": f"Przekroczono maksymalną liczbę argumentów żądania ({MOST}).",
    "WL-191": "Przekroczono dzienny limit zapytań.",
}

# One company in twenty has never been a VAT payer: it is not in the register.
BOOK = Book(
    "white_list",
    "subject",
    size=lambda companies: companies - companies // 20,
    number=lambda place: place + place // 19,
    key=identifiers.nip,
    company=lambda number: number,
    broken=("name_missing", "status_unknown", "account_missing"),
)


class Refusal(Exception):
    """An error of the register, by its code."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status

    @property
    def body(self) -> dict[str, str]:
        return {"code": self.code, "message": _MESSAGES[self.code]}


def bank_account(seed: int, company: int, place: int) -> str:
    """Account number `place` of a company: 26 digits, the first two of which check the others (ISO 13616)."""
    rng = random.Random(f"{seed}:account:{company}:{place}")
    rest = f"{rng.choice(_BANKS)}{rng.randrange(10**16):016d}"
    return f"{98 - int(f'{rest}252100') % 97:02d}{rest}"


def subject(world: World, company: Company, entry: Entry) -> dict[str, object]:
    """What the register shows of a company today."""
    rng = random.Random(f"{world.seed}:vat payer:{company.id}")
    removed = entry.modified.date() if entry.deleted else company.struck_off
    if company.status == "liquidated":  # its tax number was withdrawn
        removed = removed or company.changed.astimezone(WARSAW).date()
    status = "Niezarejestrowany" if removed else "Zwolniony" if rng.random() < 0.08 else "Czynny"
    accounts = [
        bank_account(world.seed, company.id, place) for place in range(rng.randrange(1, 4) + entry.revision - 1)
    ]
    flat = f" / {company.flat_no}" if company.flat_no else ""
    address = f"{company.street} {company.house_no}{flat}, {company.postal_code} {company.city}".upper()
    alone = company.form == "jdg"
    partners = [_person(rng) for _ in range(2)] if company.form == "spj" else []
    return {
        "name": "" if entry.broken == "name_missing" else company.name.upper(),
        "nip": company.nip,
        "statusVat": "Aktywny" if entry.broken == "status_unknown" else status,
        "regon": company.regon,
        "pesel": None,
        "krs": company.krs,
        "residenceAddress": None if alone else address,
        "workingAddress": address if alone else None,
        "representatives": [],
        "authorizedClerks": [],
        "partners": partners,
        "registrationLegalDate": f"{company.created:%F}",
        "registrationDenialBasis": None,
        "registrationDenialDate": None,
        "restorationBasis": None,
        "restorationDate": None,
        "removalBasis": "Ustawa o podatku od towarów i usług Art. 96" if removed else None,
        "removalDate": f"{removed:%F}" if removed else None,
        "exemptionSmeDate": None,
        "accountNumbers": None if entry.broken == "account_missing" else [] if removed else accounts,
        "hasVirtualAccounts": False,
    }


def _person(rng: random.Random) -> dict[str, str | None]:
    first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.SURNAMES)
    return {"companyName": None, "firstName": first.upper(), "lastName": last.upper(), "pesel": None, "nip": None}


class Register:
    """The register, and how many searches there were on each day."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._searches: Counter[date] = Counter()
        self._allowed = int(os.environ.get("SANDBOX_WHITE_LIST_CALLS", "0"))

    def search(self, request: Request) -> dict[str, object]:
        self._counted()
        _day(request)
        nip = request.path_params["nip"]
        if problem := _wrong(nip):
            raise Refusal(problem)
        return {"subject": self._found(nip)}

    def search_several(self, request: Request) -> dict[str, object]:
        self._counted()
        _day(request)
        nips = request.path_params["nips"].split(",")
        if len(nips) > MOST:
            raise Refusal("WL-130")
        return {"entries": [self._entry(nip) for nip in nips]}

    def check(self, request: Request) -> dict[str, object]:
        _day(request)
        found = self._found(request.path_params["nip"]) or {}
        held = found.get("accountNumbers") or []
        return {"accountAssigned": "TAK" if request.path_params["account"] in held else "NIE"}

    def _entry(self, nip: str) -> dict[str, object]:
        if problem := _wrong(nip):
            return {"identifier": nip, "error": Refusal(problem).body}
        found = self._found(nip)
        return {"identifier": nip, "subjects": [found] if found else []}

    def _found(self, nip: str) -> dict[str, object] | None:
        company, entry = self._world.by_nip.get(nip), self._world.shelf(BOOK.name).by_key.get(nip)
        return subject(self._world, company, entry) if company and entry else None

    def _counted(self) -> None:
        today = datetime.now(WARSAW).date()
        self._searches[today] += 1
        if self._allowed and self._searches[today] > self._allowed:
            raise Refusal("WL-191", 429)


def _wrong(nip: str) -> str | None:
    """The code of what is wrong with the number."""
    if not re.fullmatch(r"[0-9]{10}", nip):
        return "WL-113"
    total = sum(int(digit) * weight for digit, weight in zip(nip[:9], identifiers.NIP_WEIGHTS, strict=True))
    return None if total % 11 == int(nip[9]) else "WL-115"


def _day(request: Request) -> date:
    text = request.query_params.get("date")
    if not text:
        raise Refusal("WL-101")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Refusal("WL-102") from error
    if day > datetime.now(WARSAW).date():
        raise Refusal("WL-103")
    return day


def routes(world: World) -> list[Route]:
    """The register's addresses below /white_list."""
    register = Register(world)

    def answering(find: Callable[[Request], dict[str, object]]) -> Callable[[Request], Response]:
        async def answer(request: Request) -> Response:
            try:
                result = find(request)
            except Refusal as refusal:
                return JSONResponse(refusal.body, refusal.status)
            proof = {
                "requestDateTime": f"{datetime.now(WARSAW):%d-%m-%Y %H:%M:%S}",
                "requestId": f"{secrets.token_hex(3)}-{secrets.token_hex(4)}",
            }
            return JSONResponse({"result": result | proof})

        return answer

    return [
        Route("/api/search/nip/{nip}", answering(register.search)),
        Route("/api/search/nips/{nips}", answering(register.search_several)),
        Route("/api/check/nip/{nip}/bank-account/{account}", answering(register.check)),
    ]


STAND_IN = StandIn("white_list", routes, books=(BOOK,), extra={"rate": "1000/s,100000/day"})
