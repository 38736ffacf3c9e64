"""WSDLs of the style rpc/encoded import the schema of SOAP's encoding without saying where it is."""

from __future__ import annotations

import pytest

from tests.connectors.soap.shop import WSDL, Http, envelope, read

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
IMPORTS = {
    "said": f'<xs:import namespace="{ENCODING}"/>',
    "with its place": f'<xs:import namespace="{ENCODING}" schemaLocation="{ENCODING}"/>',
    "not said": "",
}


@pytest.mark.parametrize("imported", IMPORTS)
def test_the_schema_of_soaps_own_encoding_is_known_and_not_fetched(imported: str) -> None:
    lines = (
        '<xs:complexType name="Lines"><xs:complexContent><xs:restriction base="enc:Array">'
        '<xs:attribute ref="enc:arrayType"/></xs:restriction></xs:complexContent></xs:complexType>'
    )
    wsdl = WSDL.replace("<xs:element", f"{IMPORTS[imported]}{lines}<xs:element", 1)
    wsdl = wsdl.replace('type="xs:string"', 'type="enc:string"').replace(
        "<definitions", f'<definitions xmlns:enc="{ENCODING}"'
    )
    http = Http(envelope("<L><Account><Id>7</Id></Account></L>"), wsdl)
    host = f"{imported.replace(' ', '-')}.encoding.example"
    assert [record.key for record in read(http, host)] == ["7"]
    assert http.loaded == [f"https://{host}/base/service?wsdl"]
