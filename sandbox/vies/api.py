"""Stand-in of VIES: the REST interface of the web site, and the SOAP service checkVat, over one and the same register.

Wire: ec.europa.eu/taxation_customs/vies, its checkVatService.wsdl and the REST interface ("VIES on the web"), which
says with status 200 and actionSucceed false what went wrong. It knows Polish numbers; of other states', those that end
in an even digit are valid, without a name ("---"), as Germany tells none.
"""

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.world import Book, World, identifiers

BASE = "/taxation_customs/vies"
STATES = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI",
)  # fmt: skip
NOTHING = "---"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "urn:ec.europa.eu:taxud:vies:services:checkVat:types"
_WSDL = Path(__file__).parent / "vies-checkVat.wsdl"
_PUBLIC_ADDRESS = "http://ec.europa.eu/taxation_customs/vies/services/checkVatService"

BOOK = Book(
    "vies",
    "number",
    size=lambda companies: companies,
    key=lambda number: f"PL{identifiers.nip(number)}",
    company=lambda number: number,
    broken=("name_empty", "address_empty"),
)


class Refusal(Exception):
    """An error by VIES's name for it."""


def verdict(world: World, country: str, number: str) -> tuple[bool, str, str]:
    """Whether the number is valid, with the name and address of who has it. Raises Refusal for what is no number."""
    if country not in STATES or not re.fullmatch(r"[0-9A-Za-z+*.]{2,12}", number):
        raise Refusal("INVALID_INPUT")
    if country != "PL":
        return number[-1] in "02468", NOTHING, NOTHING
    company, entry = world.by_nip.get(number), world.shelf(BOOK.name).by_key.get(f"PL{number}")
    if company is None or entry is None or not company.eu_vat or entry.deleted or company.status == "liquidated":
        return False, NOTHING, NOTHING
    flat = f"/{company.flat_no}" if company.flat_no else ""
    address = f"{company.street} {company.house_no}{flat}\n{company.postal_code} {company.city}".upper()
    name = "" if entry.broken == "name_empty" else company.name.upper()
    return True, name, "" if entry.broken == "address_empty" else address


def routes(world: World) -> list[Route]:
    """The addresses below /vies."""

    async def check(request: Request) -> Response:
        asked = await request.json()
        country, number = str(asked.get("countryCode", "")), str(asked.get("vatNumber", ""))
        try:
            valid, name, address = verdict(world, country, number)
        except Refusal as refusal:
            return JSONResponse({"actionSucceed": False, "errorWrappers": [{"error": str(refusal)}]})
        return JSONResponse(
            {
                "countryCode": country,
                "vatNumber": number,
                "requestDate": f"{datetime.now(UTC):%FT%T}.000Z",
                "valid": valid,
                "requestIdentifier": _proof() if asked.get("requesterNumber") else "",
                "name": name,
                "address": address,
                **{f"trader{each}": NOTHING for each in ("Name", "Street", "PostalCode", "City", "CompanyType")},
                **{f"trader{each}Match": "NOT_PROCESSED" for each in ("Name", "Street", "PostalCode", "City")},
            }
        )

    async def check_status(_: Request) -> Response:
        countries = [{"countryCode": state, "availability": "Available"} for state in STATES]
        return JSONResponse({"vow": {"available": True}, "countries": countries})

    async def contract(request: Request) -> Response:
        address = f"{request.url.scheme}://{request.url.netloc}/vies{BASE}/services/checkVatService"
        text = _WSDL.read_text(encoding="utf-8").replace(_PUBLIC_ADDRESS, escape(address))
        return Response(text.encode(), media_type="text/xml; charset=utf-8")

    async def soap(request: Request) -> Response:
        country, number = _soap_question(await request.body())
        try:
            valid, name, address = verdict(world, country, number)
        except Refusal as refusal:
            return _fault(str(refusal))
        values = {
            "countryCode": country,
            "vatNumber": number,
            "requestDate": f"{datetime.now(UTC):%F}+00:00",
            "valid": str(valid).lower(),
            "name": name,
            "address": address,
        }
        inner = "".join(f"<ns2:{field}>{escape(value)}</ns2:{field}>" for field, value in values.items())
        return _envelope(f'<ns2:checkVatResponse xmlns:ns2="{TYPES}">{inner}</ns2:checkVatResponse>')

    return [
        Route(f"{BASE}/rest-api/check-vat-number", check, methods=["POST"]),
        Route(f"{BASE}/rest-api/check-status", check_status),
        Route(f"{BASE}/checkVatService.wsdl", contract),
        Route(f"{BASE}/services/checkVatService", soap, methods=["POST"]),
    ]


def _proof() -> str:
    return f"WAPIAAAA{secrets.token_urlsafe(6)}"


def _soap_question(body: bytes) -> tuple[str, str]:
    """Country and number of a checkVat call; empty where it has none. Read without entities, DTDs and network."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        call = etree.fromstring(body, parser).find(f"{{{SOAP}}}Body/{{{TYPES}}}checkVat")
    except etree.XMLSyntaxError:
        call = None
    if call is None:
        return "", ""
    # The WSDL in use says nothing of elementFormDefault, newer ones say qualified: both are understood.
    country, number = (call.findtext(f"{{*}}{name}", "").strip() for name in ("countryCode", "vatNumber"))
    return country, number


def _fault(reason: str) -> Response:
    """As VIES writes it: a fault of the server, whoever's it is."""
    return _envelope(
        f"<env:Fault><faultcode>env:Server</faultcode><faultstring>{escape(reason)}</faultstring></env:Fault>", 500
    )


def _envelope(inner: str, status: int = 200) -> Response:
    text = f'<env:Envelope xmlns:env="{SOAP}"><env:Header/><env:Body>{inner}</env:Body></env:Envelope>'
    return Response(text.encode(), status, media_type="text/xml; charset=utf-8")


STAND_IN = StandIn("vies", routes, books=(BOOK,))
