"""The forms of invoices that KSeF holds, each read as the elements of FA(3), the form of today.

FA(3) is checked against its schema (1-0E with the types that it imports, crd.gov.pl), kept in the folder beside this
module and read from there only. FA(2) has the same elements but for a few that FA(3) added; FA_RR (farmers who do not
charge VAT) has its own names for them. KSeF has checked both when it took them in; here only what no invoice can be
without is looked for. Sources: crd.gov.pl/wzor/2023/06/29/12648, …/2026/03/06/14189 (github.com/CIRFMF/ksef-docs).
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from onefold.connectors import safe_xml
from onefold.connectors.safe_xml import Row, Value
from onefold.http.attempt import BadBody

if TYPE_CHECKING:
    from lxml.etree._docloader import _InputDocument  # the types know it, the library does not

SCHEMA = Path(__file__).parent / "schema"
ROOT = "Faktura"
FA_3 = "http://crd.gov.pl/wzor/2025/06/25/13775/"
MINISTRY = "http://crd.gov.pl/wzor/"
PEPPOL = "urn:oasis:names:specification:ubl:schema:xsd:"
"""PEF, the invoices of public procurement: of them only what KSeF says is read."""

NEEDED = ("KodWaluty", "P_1", "P_2", "P_15", "RodzajFaktury")

_FARMER = {"P_4A": "P_6", "P_4B": "P_1", "P_4C": "P_2", "P_12_1": "P_15", "FakturaRRWiersz": "FaWiersz"}
_FARMER_LINE = {
    "P_4AA": "P_6A", "P_5": "P_7", "P_6A": "P_8A", "P_6B": "P_8B", "P_7": "P_9A",
    "P_8": "P_11", "P_9": "P_12", "P_10": "P_11Vat", "P_11": "P_11A",
}  # fmt: skip
_FARMER_TRANSFER = {"1": "6"}


def read(xml: bytes) -> Row | None:
    """The invoice as a row with the elements of FA(3); None for a form of which only KSeF's own words are read.

    Raises BadBody, whose text names places and rules but no values.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, encoding="utf-8")
    try:
        # lxml's own limits on depth and size hold here: huge_tree is off
        tree = etree.parse(safe_xml.as_utf8(BytesIO(xml)), parser)
    except etree.XMLSyntaxError as error:
        raise BadBody(f"XML that is cut off or malformed (line {error.position[0]})") from None
    root = etree.QName(tree.getroot())
    namespace = root.namespace or ""
    if namespace.startswith(PEPPOL):
        return None
    if root.localname != ROOT or namespace == FA_3 or not namespace.startswith(MINISTRY):
        _validate(tree)
    row = next(safe_xml.rows(BytesIO(xml), ROOT))
    if farmer := part(row, "FakturaRR"):
        row["Fa"] = _from_farmer(farmer)
    if missing := [name for name in NEEDED if not part(row, "Fa").get(name)]:
        raise BadBody(f"no invoice in a form that is known: without {', '.join(missing)}")
    return row


def part(row: Row, name: str) -> Row:
    """The element with this name, empty when it is not there; the first where it comes several times."""
    value = row.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def parts(row: Row, name: str) -> list[Row]:
    """Every element with this name, in their order."""
    value = row.get(name)
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def text(row: Row, name: str) -> str | None:
    """The element's text; None when it is missing or empty. The first where it comes several times."""
    value = row.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    return value.strip() or None if isinstance(value, str) else None


def _from_farmer(invoice: Row) -> Row:
    """FA_RR's elements under the names that FA(3) has for the same; the lump-sum tax refund is its VAT."""
    body: Row = {_FARMER.get(name, name): value for name, value in invoice.items()}
    body["FaWiersz"] = _each(body.get("FaWiersz"), _FARMER_LINE)
    payment = part(invoice, "Platnosc")
    if payment:
        kind = text(payment, "FormaPlatnosci")
        body["Platnosc"] = {
            **payment,
            "FormaPlatnosci": _FARMER_TRANSFER.get(kind or "", kind),
            "RachunekBankowy": payment.get("RachunekBankowy1"),
        }
    return body


def _each(rows: Value, names: dict[str, str]) -> list[Value]:
    found = rows if isinstance(rows, list) else [rows]
    return [{names.get(k, k): v for k, v in row.items()} for row in found if isinstance(row, dict)]


def _validate(tree: etree._ElementTree) -> None:
    schema = _schema()
    if not schema.validate(tree):
        first = schema.error_log[0]
        raise BadBody(f"not valid FA(3): line {first.line}, {_names(first.path, tree)}: {first.type_name}")


def _names(path: str | None, tree: etree._ElementTree) -> str:
    """The element at a path of libxml2's, which says * for every name in a namespace."""
    found = tree.xpath(path) if path else []
    return etree.QName(found[0]).localname if found else "the document"


@cache
def _schema() -> etree.XMLSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    parser.resolvers.add(_Beside())
    return etree.XMLSchema(etree.parse(str(SCHEMA / "schemat_FA_3__v1-0E.xsd"), parser))


class _Beside(etree.Resolver):
    """Finds what a schema imports in the folder, whatever address it is imported from."""

    def resolve(self, system_url: str | None, public_id: str | None, context: object, /) -> _InputDocument | None:
        return self.resolve_filename(str(SCHEMA / (system_url or "").rpartition("/")[2]), context)
