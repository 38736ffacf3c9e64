"""What an invoice says: FA(3) XML, checked against its schema and written as JSON, or why it cannot be read.

Schema: FA(3) 1-0E with the types that it imports (crd.gov.pl), kept in the folder beside this module and read from
there only. Amounts stay texts, as in the XML.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from lxml import etree

from onefold.connectors import safe_xml
from onefold.connectors.safe_xml import Row, Value
from onefold.http.attempt import BadBody
from onefold.systems.ksef.moment import zoned
from onefold.systems.ksef.package import Exported

if TYPE_CHECKING:
    from lxml.etree._docloader import _InputDocument  # the types know it, the library does not

SCHEMA = Path(__file__).parent / "schema"
ROOT = "Faktura"
DATES = ("permanentStorageDate", "invoicingDate", "acquisitionDate")
CARRIED = (
    "ksefNumber",
    "invoiceNumber",
    "invoiceType",
    "issueDate",
    "permanentStorageDate",
    "currency",
    "seller",
    "buyer",
)
"""What a line also says of its invoice."""

UNREAD = 0
"""The position of the record that stands for the lines of an invoice that cannot be read."""

_NET = tuple(f"P_13_{rate}" for rate in (1, 2, 3, 4, 5, "6_1", "6_2", "6_3", 7, 8, 9, 10, 11))
_VAT = tuple(f"P_14_{rate}" for rate in range(1, 6))


def whole(exported: Exported) -> Iterator[bytes]:
    """The invoice as one record: what KSeF says of it and, under Faktura, what it says itself but for its lines.

    `sums` has net and VAT in the invoice's currency (KSeF's vatAmount is always PLN) and how many lines there are.
    `xml_error` says why the XML is not to be trusted; then there is nothing of it.
    """
    record = _stamped(exported)
    try:
        invoice = _read(exported.content())
    except BadBody as error:
        yield msgspec.json.encode(record | {"xml_error": str(error)})
        return
    body = _row(invoice, "Fa")
    lines = _rows(body.pop("FaWiersz", None))
    invoice.pop("Zalacznik", None)
    sums = {"net": _sum(body, _NET), "vat": _sum(body, _VAT), "lines": len(lines)}
    yield msgspec.json.encode(record | {ROOT: invoice, "sums": sums})


def by_line(exported: Exported) -> Iterator[bytes]:
    """A record for each line, in their order: `position` counts them, because NrWierszaFa comes twice in a correction
    that shows the states before and after. An invoice that cannot be read is one record, with position 0."""
    stamped = _stamped(exported)
    carried: dict[str, object] = {name: stamped[name] for name in CARRIED if name in stamped}
    try:
        lines = _rows(_row(_read(exported.content()), "Fa").get("FaWiersz"))
    except BadBody as error:
        yield msgspec.json.encode(carried | {"position": UNREAD, "xml_error": str(error)})
        return
    for position, line in enumerate(lines, start=1):
        yield msgspec.json.encode(carried | {"position": position, "FaWiersz": line})


def _stamped(exported: Exported) -> dict[str, object]:
    record: dict[str, object] = dict(exported.metadata)
    for name in DATES:
        if text := exported.says(name):
            record[name] = zoned(text)
    return record


def _read(xml: bytes) -> Row:
    """The invoice as a row. Raises BadBody, whose text names places and rules but no values."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, encoding="utf-8")
    try:
        # lxml's own limits on depth and size hold here: huge_tree is off
        tree = etree.parse(safe_xml.as_utf8(BytesIO(xml)), parser)
    except etree.XMLSyntaxError as error:
        raise BadBody(f"XML that is cut off or malformed (line {error.position[0]})") from None
    schema = _schema()
    if not schema.validate(tree):
        first = schema.error_log[0]
        raise BadBody(f"not valid FA(3): line {first.line}, {_names(first.path, tree)}: {first.type_name}")
    return next(safe_xml.rows(BytesIO(xml), ROOT))


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


def _row(row: Row, name: str) -> Row:
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def _rows(value: Value | None) -> list[Value]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _sum(row: Row, names: tuple[str, ...]) -> Decimal:
    return sum((Decimal(value) for name in names if isinstance(value := row.get(name), str)), Decimal(0))
