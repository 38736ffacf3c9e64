"""What is required of KSeF's records is what its schemas require, and every element that is read is in FA(3)."""

from __future__ import annotations

import pytest
from lxml import etree

from onefold.catalog.reader import read_systems
from onefold.systems.ksef.form import SCHEMA

XSD = "{http://www.w3.org/2001/XMLSchema}"
METADATA = {
    "acquisitionDate", "buyer.identifier.type", "currency", "formCode.systemCode", "grossAmount", "hasAttachment",
    "invoiceHash", "invoiceNumber", "invoiceType", "invoicingDate", "invoicingMode", "isSelfInvoicing", "issueDate",
    "ksefNumber", "netAmount", "permanentStorageDate", "seller.nip", "vatAmount",
}  # fmt: skip
"""What InvoiceMetadata of the OpenAPI description (version 2.6) requires."""

OURS = {"position"}


def elements() -> set[str]:
    """Every element that FA(3) and the types that it imports know."""
    found: set[str] = set()
    for file in SCHEMA.glob("*.xsd"):
        found |= {name for each in etree.parse(str(file)).iter(f"{XSD}element") if (name := each.get("name"))}
    return found


@pytest.mark.parametrize("stream_name", ["invoice", "invoice_line", "purchase", "purchase_line"])
def test_required_follows_the_sources_own_schema(stream_name: str) -> None:
    known = elements()
    for name, field in read_systems()["ksef"].streams[stream_name].fields.items():
        path = (field.path or name).removeprefix("$.")
        if field.required:
            assert path in METADATA | OURS, name
        if path.startswith(("Faktura.", "FaWiersz.")):
            assert set(path.split(".")) <= known, name
