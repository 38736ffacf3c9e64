"""The invoices of KSeF on the wire: what KSeF says of each, and each as XML.

An invoice never changes, so the other side stays the company as it first was.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sandbox.ksef import farmer_xml, invoice_xml
from sandbox.ksef.facts import Facts

_FORMS = {
    "FA (2)": {"systemCode": "FA (2)", "schemaVersion": "1-0E", "value": "FA"},
    "FA (3)": {"systemCode": "FA (3)", "schemaVersion": "1-0E", "value": "FA"},
    "FA_RR (1)": {"systemCode": "FA_RR (1)", "schemaVersion": "1-1E", "value": "FA_RR"},
}


@dataclass(frozen=True, slots=True)
class Document(Facts):
    """One invoice as KSeF holds it."""

    def metadata(self, xml: bytes) -> dict[str, object]:
        """InvoiceMetadata of the OpenAPI description: doubles, VAT always in zlotys, seven fractional digits."""
        of, stored, variety = self.of, self.entry.modified, self.variety
        seller, buyer = self.parties
        kind, number = buyer.identifier(variety)
        without_tax = variety in ("simplified", "margin")  # which says neither net nor VAT: KSeF then has zeros
        vat = sum((self.zlotys(line.vat) for line in of.order.lines), Decimal(0))
        known: dict[str, object] = {
            "ksefNumber": self.key,
            "invoiceNumber": of.reference,
            "issueDate": f"{of.issued}",
            "invoicingDate": _ticks(stored - timedelta(seconds=9)),
            "acquisitionDate": _ticks(stored - timedelta(seconds=3)),
            "permanentStorageDate": _ticks(stored),
            "seller": {"nip": seller.nip, "name": seller.name},
            "buyer": {"identifier": {"type": kind, "value": number}, "name": buyer.name},
            "netAmount": 0.0 if without_tax else float(of.order.net),
            "grossAmount": float(self.gross),
            "vatAmount": 0.0 if without_tax else float(vat),
            "currency": of.order.currency,
            "invoicingMode": "Online",
            "invoiceType": self.type,
            "formCode": _FORMS[self.form],
            "isSelfInvoicing": False,
            "hasAttachment": False,
            "invoiceHash": sha256(xml),
            "thirdSubjects": [],
        }
        if self.entry.broken == "amount_not_a_number":
            known["netAmount"] = "do uzgodnienia"
        return known

    def xml(self) -> bytes:
        """The invoice, valid against its form's schema unless it is broken on purpose."""
        return (farmer_xml if self.form == "FA_RR (1)" else invoice_xml).written(self).encode()


def sha256(content: bytes) -> str:
    """The hash as KSeF writes it."""
    return b64encode(hashlib.sha256(content).digest()).decode()


def _ticks(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.0000007+00:00"
