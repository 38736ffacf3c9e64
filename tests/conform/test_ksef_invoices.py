"""The invoices of KSeF through their gates and the real dbt: every lawful kind of the sandbox's world is published."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import psycopg
import pytest

from onefold.catalog.reader import read_catalog
from onefold.conform.dbt_build import DbtProject, marts_fingerprint
from onefold.conform.gate import entity_gate
from onefold.conform.run import conform
from onefold.connectors.page import Page
from onefold.connectors.records import Head
from onefold.load import steps
from onefold.load.job import Job
from onefold.load.ledger import Run
from onefold.load.staging import ensure_all_staging
from onefold.mapping.registry import mapping_fingerprints
from onefold.quality.suite import FOLDER
from onefold.settings import ROOT
from onefold.systems.ksef.connector import optional_places
from onefold.systems.ksef.invoice import by_line, whole
from onefold.systems.ksef.package import Exported
from sandbox.ksef.books import INVOICES, PURCHASES, UNREADABLE
from sandbox.ksef.documents import Document
from sandbox.world import World
from tests.conform.world import ACTOR

COMPANIES = 300
CATALOG = read_catalog()
UNSAID = ("simplified", "margin")


def documents(world: World, *, bought: bool) -> list[Document]:
    shelf = world.shelf((PURCHASES if bought else INVOICES).name)
    return [Document(world.seed, COMPANIES, entry, bought) for entry in shelf.entries]


def load(url: str, stream_name: str, found: list[Document]) -> None:
    """The stream's load, of these documents as the connector gives them."""
    system = CATALOG.systems["ksef"]
    stream = system.streams[stream_name]
    head, read = Head(f"ksef.{stream_name}", stream), by_line if stream.records else whole
    records = []
    for document in found:
        xml = document.xml()
        said = msgspec.json.decode(msgspec.json.encode(document.metadata(xml)), type=dict[str, msgspec.Raw])
        given = Exported(said, lambda xml=xml: xml)
        records += [head.record(payload) for payload in read(given, optional_places(stream))]

    @contextmanager
    def source(*_: object) -> Iterator[object]:
        yield lambda window, token: iter([Page(records, datetime.now(UTC), None)])

    job = Job(
        system=system,
        stream_name=stream_name,
        run=Run("sync__ksef", f"manual__{stream_name}", "os:tester"),
        source=source,
        source_url="https://ksef.example",
        warehouse_url=url,
        entities=CATALOG.entities,
        suites=FOLDER,
        run_is_over=lambda dag_id, run_id: True,
    )
    for step in (steps.land, steps.gate, steps.publish):
        step(job)


@pytest.fixture
def conformed(
    loader_url: str, loader: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> psycopg.Connection:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
    world = World(COMPANIES, books=(INVOICES, PURCHASES))
    ensure_all_staging(loader_url, CATALOG)
    for name in ("invoice", "purchase"):
        found = documents(world, bought=name == "purchase")
        load(loader_url, name, found)
        load(loader_url, f"{name}_line", found)
    entities = list(CATALOG.entities.values())
    dbt = DbtProject(ROOT / "dbt_project", tmp_path)
    mappings = mapping_fingerprints(CATALOG.entities, CATALOG.systems) | {"marts": marts_fingerprint(dbt.folder)}
    conform(loader_url, ACTOR, entity_gate(loader_url), entities, dbt, mappings=mappings)
    return loader


def test_every_invoice_that_can_be_read_is_published_with_its_lines(conformed: psycopg.Connection) -> None:
    world = World(COMPANIES, books=(INVOICES, PURCHASES))
    for entity, bought in (("invoice", False), ("purchase_invoice", True)):
        sound = [document for document in documents(world, bought=bought) if document.entry.broken not in UNREADABLE]
        found = dict(conformed.execute(f"select ksef_number, net_amount from conformed.{entity}").fetchall())  # noqa: S608 - our own
        assert found == {d.key: None if d.variety in UNSAID else d.of.order.net for d in sound}, entity
        lines = conformed.execute(
            f"select split_part(line_key, '|', 1), sum(net_amount) from conformed.{entity}_line"  # noqa: S608 - our own
            " where line_kind = 'invoiced' group by 1 having count(*) = count(net_amount)"
        ).fetchall()
        assert len(lines) > len(sound) * 0.8
        wrong = {n for n, total in lines if n in found and abs(total - found[n]) > Decimal("0.05")}
        assert wrong == set(), entity

    assert value(conformed, "select count(*) from conformed.purchase_invoice where supplier_id is null") == 0
    suppliers = "select count(*) - (select count(distinct supplier_tax_id) from conformed.purchase_invoice)"
    assert value(conformed, f"{suppliers} from conformed.supplier") == 0
    owed = "select sum(amount_due - coalesce(prepaid_amount, 0)) from conformed.purchase_invoice where currency = 'PLN'"
    assert value(conformed, "select count(*) from marts.payables") > 10
    assert value(conformed, owed) > 0


def value(connection: psycopg.Connection, query: str) -> Decimal:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]
