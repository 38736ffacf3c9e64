"""What an invoice says, as the records of a stream: the invoice as one, or its lines; or why it cannot be read.

Amounts stay texts, as in the XML; what is reckoned from them (`sums`, `amounts`, `terms`) stands beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from onefold.connectors.safe_xml import Row
from onefold.http.attempt import BadBody
from onefold.systems.ksef import amounts, form
from onefold.systems.ksef.form import ROOT, part, parts
from onefold.systems.ksef.moment import zoned
from onefold.systems.ksef.package import Exported
from onefold.systems.ksef.terms import terms

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

Paths = Iterable[tuple[str, ...]]
"""Places of a record that are null where the invoice has nothing for them."""

UNREAD = 0
"""The position of the record that stands for the lines of an invoice that cannot be read."""

_ORDERED = {
    "NrWierszaZam": "NrWierszaFa", "UU_IDZ": "UU_ID", "P_7Z": "P_7", "IndeksZ": "Indeks", "GTINZ": "GTIN",
    "PKWiUZ": "PKWiU", "CNZ": "CN", "P_8AZ": "P_8A", "P_9AZ": "P_9A", "P_12Z": "P_12", "P_12Z_XII": "P_12_XII",
    "GTUZ": "GTU", "StanPrzedZ": "StanPrzed",
}  # fmt: skip
"""What a line of an order (ZamowienieWiersz, on an invoice for an advance) has in common with an invoice's line."""


def whole(exported: Exported, paths: Paths = ()) -> Iterator[bytes]:
    """The invoice as one record: what KSeF says of it and, under Faktura, what it says itself but for its lines.

    `sums` has net and VAT in the invoice's currency (KSeF's vatAmount is always PLN) and how many lines there are;
    `terms` and `settlement` who is named and what is to be paid when. `xml_error` says why the XML is not to be
    trusted; then there is nothing of it.
    """
    record = _stamped(exported)
    try:
        invoice = form.read(exported.content())
    except BadBody as error:
        yield _encoded(record | {"xml_error": str(error)}, paths)
        return
    if invoice is None:
        yield _encoded(record | {"sums": _said(exported)}, paths)
        return
    body = part(invoice, "Fa")
    reckoned = {"terms": terms(invoice), "settlement": amounts.settlement(body)}
    sums = {**amounts.sums(body), "lines": len(parts(body, "FaWiersz"))}
    for name in ("FaWiersz", "Zamowienie"):
        body.pop(name, None)
    for name in ("Zalacznik", "FakturaRR"):
        invoice.pop(name, None)
    yield _encoded(record | {ROOT: invoice, "sums": sums, **reckoned}, paths)


def by_line(exported: Exported, paths: Paths = ()) -> Iterator[bytes]:
    """A record for each line, in their order: `position` counts them, because NrWierszaFa comes twice in a correction
    that shows the states before and after. Lines of an order, on invoices for advances, follow (`line_kind`).

    `amounts` is what the line adds to its invoice. An invoice that cannot be read is one record, with position 0.
    """
    stamped = _stamped(exported)
    carried: dict[str, object] = {name: stamped[name] for name in CARRIED if name in stamped}
    try:
        invoice = form.read(exported.content())
    except BadBody as error:
        yield _encoded(carried | {"position": UNREAD, "xml_error": str(error)}, paths)
        return
    body = part(invoice or {}, "Fa")
    lines, ordered = parts(body, "FaWiersz"), parts(part(body, "Zamowienie"), "ZamowienieWiersz")
    for position, line in enumerate((*_invoiced(lines), *_ordered(ordered)), start=1):
        yield _encoded(carried | {"position": position, **line}, paths)


def _invoiced(lines: list[Row]) -> Iterator[dict[str, object]]:
    states = amounts.shows_states(lines)
    for line in lines:
        yield {"line_kind": "invoiced", "FaWiersz": line, "amounts": amounts.line(line, states)}


def _ordered(lines: list[Row]) -> Iterator[dict[str, object]]:
    """What was ordered is not what is invoiced: its amounts have names of their own."""
    common: list[Row] = [{_ORDERED[name]: value for name, value in line.items() if name in _ORDERED} for line in lines]
    states = amounts.shows_states(common)
    for line, shared in zip(lines, common, strict=True):
        asked: Row = {**shared, "P_11": line.get("P_11NettoZ"), "P_8B": line.get("P_8BZ")}
        of = amounts.line(asked, states)
        yield {
            "line_kind": "ordered",
            "FaWiersz": shared,
            "ZamowienieWiersz": line,
            "amounts": {"state": of["state"], "ordered_net": of["net"], "ordered_quantity": of["quantity"]},
        }


def _said(exported: Exported) -> dict[str, object]:
    """The sums of an invoice of which we read only what KSeF says."""
    vat = exported.metadata.get("vatAmount")
    return {
        "net": exported.metadata.get("netAmount"),
        "vat": vat if exported.says("currency") == "PLN" else None,
        "vat_pln": vat,
        "lines": None,
    }


def _stamped(exported: Exported) -> dict[str, object]:
    record: dict[str, object] = dict(exported.metadata)
    for name in DATES:
        if text := exported.says(name):
            record[name] = zoned(text)
    return record


def _encoded(record: dict[str, object], paths: Paths) -> bytes:
    """The record as JSON, with null at each of the places where it has nothing.

    That an element is not there says something of this invoice, not of the contract: the schema looks after that.
    """
    for path in paths:
        at: object = record
        for name in path[:-1]:
            at = at.setdefault(name, {}) if isinstance(at, dict) else None
        if isinstance(at, dict):
            at.setdefault(path[-1], None)
    return msgspec.json.encode(record)
