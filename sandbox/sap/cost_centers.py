"""Stand-in of a SAP web service made from the BAPI BAPI_COSTCENTER_GETLIST1: SOAP 1.1 with a WS-Security UsernameToken.

Wire: as SAP's transaction SOAMANAGER publishes function modules, with all names in capitals and tables of <item>.
What it minds: a table that the request does not hold is not in the answer; an error is a row of RETURN.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.stand_in import StandIn
from sandbox.wire.soap import SOAP_11, Refused, answered, arguments, called, element, envelope_in, fault
from sandbox.wire.ws_security import check_user
from sandbox.world import Book, World, words
from sandbox.world.business import DEPARTMENTS

PATH = "/sap/bc/srt/rfc/sap/zcostcenter/100/zcostcenter/zcostcenter"
LOGIN, PASSWORD = "ONEFOLD", "sandbox-secret"
AREA = "1000"
_RFC = "urn:sap-com:document:sap:rfc:functions"
_BAPI = "BAPI_COSTCENTER_GETLIST1"

COST_CENTERS = Book(
    "sap_service", "cost_center", size=lambda companies: max(60, companies // 50),
    key=lambda number: (AREA, f"{1000 + number:010d}"), hides_deleted=True, broken=("name_missing",),
)  # fmt: skip


def routes(world: World) -> list[Route]:
    """The service's one address, below /sap_service."""

    async def answer(request: Request) -> Response:
        try:
            envelope = envelope_in(await request.body(), SOAP_11)
            call = called(envelope)
        except Refused as refused:
            return fault(str(refused), SOAP_11)
        try:
            check_user(envelope, LOGIN, PASSWORD)
        except Refused as refused:
            return fault(str(refused), SOAP_11, "wsse:FailedAuthentication")
        if call.tag != f"{{{_RFC}}}{_BAPI}":
            return fault("Operation not found.", SOAP_11)
        area = arguments(call).get("CONTROLLINGAREA")
        rows = "".join(_rows(world)) if area == AREA else ""
        message = ("S", "BK", "000", "Cost centers read") if rows else ("E", "KM", "025", f"Area {area} does not exist")
        tables = {
            "COSTCENTERLIST": rows,
            "RETURN": _item(zip(("TYPE", "ID", "NUMBER", "MESSAGE"), message, strict=True)),
        }
        asked = "".join(
            f"<{name}>{content}</{name}>" for name, content in tables.items() if call.find(name) is not None
        )
        return answered(f'<n0:{_BAPI}.Response xmlns:n0="{_RFC}">{asked}</n0:{_BAPI}.Response>', SOAP_11)

    return [Route(PATH, answer, methods=["POST"])]


def _rows(world: World):
    for entry in world.shelf("sap_service.cost_center").entries:
        _, deleted, revision = entry.at(world.sequence)
        if deleted:
            continue
        department = DEPARTMENTS[entry.number % len(DEPARTMENTS)]
        city = words.CITIES[(entry.number + revision) % len(words.CITIES)][0]
        area, center = entry.key
        yield _item(
            (
                ("CO_AREA", area),
                ("COSTCENTER", center),
                ("NAME", "" if entry.broken else f"{department} {entry.number // len(DEPARTMENTS) + 1}"[:20]),
                ("DESCRIPT", f"{department}, {city}"[:40]),
            )
        )


def _item(columns) -> str:
    return f"<item>{''.join(element(name, value) for name, value in columns)}</item>"


STAND_IN = StandIn("sap_service", routes, sign_in=(LOGIN, PASSWORD), books=(COST_CENTERS,))
