"""Calls to REGON's stand-in, by zeep and by hand, and the rows they answer."""

import zeep
from lxml import etree

KEY = "abcde12345abcde12345"

PATH = "/wsBIR/UslugaBIRzewnPubl.svc"

Row = dict[str, str]


def rows(inner: str | None) -> list[Row]:
    """The <dane> rows of an answer's inner XML, each as element name -> text ("" when empty)."""
    assert inner, "the answer is empty"
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return [{field.tag: field.text or "" for field in row} for row in etree.fromstring(inner.encode(), parser)]


def search(client: zeep.Client, **identifier: str) -> list[Row]:
    return rows(client.service.DaneSzukajPodmioty(identifier))
