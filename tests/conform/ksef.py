"""The invoices of KSeF of a world of the sandbox, as its connector gives them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from onefold.connectors.record import Record
from onefold.connectors.records import Head
from onefold.systems.ksef.connector import optional_places
from onefold.systems.ksef.invoice import by_line, whole
from onefold.systems.ksef.package import Exported
from sandbox.ksef.books import INVOICES, PURCHASES
from sandbox.ksef.documents import Document
from sandbox.world import World
from tests.conform.landed import CATALOG

COMPANIES = 300
STREAMS = ("invoice", "invoice_line", "purchase", "purchase_line")


def documents(*, bought: bool) -> list[Document]:
    """Every document that the world has bought, or sold."""
    world = World(COMPANIES, books=(INVOICES, PURCHASES))
    shelf = world.shelf((PURCHASES if bought else INVOICES).name)
    return [Document(world.seed, COMPANIES, entry, bought) for entry in shelf.entries]


def records(stream_name: str) -> Sequence[Record]:
    """The stream's records, of all documents."""
    stream = CATALOG.systems["ksef"].streams[stream_name]
    head, read = Head(f"ksef.{stream_name}", stream), by_line if stream.records else whole
    found = []
    for document in documents(bought=stream_name.startswith("purchase")):
        xml = document.xml()
        said = msgspec.json.decode(msgspec.json.encode(document.metadata(xml)), type=dict[str, msgspec.Raw])
        given = Exported(said, lambda xml=xml: xml)
        found += [head.record(payload) for payload in read(given, optional_places(stream))]
    return found
