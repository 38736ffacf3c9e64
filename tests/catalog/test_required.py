"""Nothing is required of a record that the official schema of its source lets be missing."""

from __future__ import annotations

import pytest
from lxml import etree

from onefold.catalog.reader import read_systems
from onefold.settings import ROOT

XSD = "{http://www.w3.org/2001/XMLSchema}"


@pytest.mark.parametrize(
    ("system", "stream", "schema", "ours"),
    [
        ("crbr", "beneficiary", "catalog/wsdl/crbr.wsdl", {"Pozycja", "KRS"}),
        ("epuap", "document", "catalog/wsdl/epuap-obiektypk.xsd", {"skrot", "rozmiar"}),
        ("vies", "number", "sandbox/vies/vies-checkVat.wsdl", {"vat"}),
    ],
)
def test_what_the_schema_lets_be_missing_is_not_required(system: str, stream: str, schema: str, ours: set[str]) -> None:
    must: dict[str, bool] = {}
    for element in etree.parse(str(ROOT / schema)).iter(f"{XSD}element"):
        if name := element.get("name"):
            must[name] = must.get(name, False) or element.get("minOccurs", "1") != "0"
    fields = read_systems()[system].streams[stream].fields
    required = {(field.path or name).rpartition(".")[2] for name, field in fields.items() if field.required}
    assert required - ours <= {name for name, always in must.items() if always}
