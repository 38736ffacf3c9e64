"""PHP's own SOAP server over SQLite, document/literal and rpc/encoded: its pages are read to their end, whatever size
is asked for, and equal its tables after changes and deletes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from onefold.catalog.reader import read_systems
from onefold.http.endpoint import Endpoint
from tests.peers.drafted import Drafted, differences, drafted
from tests.peers.php_soap import running

pytestmark = pytest.mark.peers
TABLES = """
create table customer (id integer primary key, name text not null, credit text, born text);
create table invoice (number text primary key, customer integer not null, net text not null);
create table line (invoice text, position integer, quantity text not null, primary key (invoice, position));
"""
CHANGES = """
update customer set name = name || ' Ltd' where id % 10 = 1;
insert into customer values (1000, 'New', '0.000001', null);
delete from customer where id in (1, 40, 41, 95);
delete from invoice where number in ('FV/001', 'FV/080');
update invoice set net = '0.01' where number = 'FV/041';
delete from line where invoice = 'FV/007';
"""
DRAFTED = "request: {operation: listCustomers}"
BY_HAND = f"""{DRAFTED}
    next: {{kind: number, first: 1, parameter: criteria.page, size: 100, size_parameter: criteria.pageSize}}"""
"""What the draft does not say: that pages go on by an argument within another. Of invoices it says all."""
STOCK = """
system: stock
title: Stock of the shop
protocol: soap
connection: stock
schedule: "0 2 * * *"
wsdl: /encoded?wsdl
limits: {rate: [1000/s]}
streams:
  line:
    title: Lines of invoices
    request: {operation: getLines}
    records: item
    next: {kind: offset, parameter: offset, size: 50, size_parameter: count, last: last}
    primary_key: [invoice, position]
    fields: {invoice: text, position: integer, quantity: numeric}
"""
SUITE = """
name: stock__line
expectations:
  - {type: expect_column_values_to_be_null, kwargs: {column: _unparsed}, severity: critical}
  - {type: expect_column_values_to_be_null, kwargs: {column: _unmapped}, severity: critical}
"""
COMPARED = {
    "list_customers": (
        "select id, name, credit, born from customer",
        {"id": Decimal, "name": str, "credit": Decimal, "born": str},
    ),
    "list_invoices": (
        "select number, customer, net from invoice",
        {"number": str, "customer": Decimal, "net": Decimal},
    ),
    "line": (
        "select invoice, position, quantity from line",
        {"invoice": str, "position": Decimal, "quantity": Decimal},
    ),
}


@pytest.fixture
def shop(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, sqlite3.Connection]]:
    """The server's address, and its tables."""
    file = tmp_path / "shop.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as tables:
        tables.executescript(TABLES)
        customers = [
            (
                n,
                f'Żółw "{n}" & <Co>' if n % 5 else f" {n}\nn",
                None if n % 7 == 0 else f"{n}.{n:06d}",
                None if n % 3 else "1980-02-29",
            )
            for n in range(1, 96)
        ]
        tables.executemany("insert into customer values (?, ?, ?, ?)", customers)
        tables.executemany(
            "insert into invoice values (?, ?, ?)",
            [(f"FV/{n:03d}", n, f"{n}12345678901234567.89") for n in range(1, 81)],
        )
        lines = [(f"FV/{n:03d}", place, f"{n}.5{place}") for n in range(1, 71) for place in range(1, 4)]
        tables.executemany("insert into line values (?, ?, ?)", lines)
        with running(tmp_path_factory.mktemp("php"), tmp_path / "php.log", SHOP_DB=str(file)) as url:
            yield url, tables


def compared(peer: Drafted, tables: sqlite3.Connection, stream: str) -> list[str]:
    """The rows in which warehouse and source differ."""
    query, columns = COMPARED[stream]

    def of_our_types(rows: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
        return [
            tuple(None if value is None else kind(value) for value, kind in zip(row, columns.values(), strict=True))
            for row in rows
        ]

    return differences(of_our_types(peer.rows(stream, columns)), of_our_types(tables.execute(query)))


def test_a_php_soap_server_is_read_page_by_page_and_equals_its_tables_after_changes_and_deletes(
    shop: tuple[str, sqlite3.Connection], loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, tables = shop
    folder = tmp_path / "shop"
    peer = drafted("wsdl", f"{url}/document?wsdl", Endpoint(url), loader_url, folder, monkeypatch)
    assert DRAFTED in peer.text and "next: {kind: token, path: nextToken, parameter: token}" in peer.text, peer.text
    (folder / "catalog" / "systems" / "peer.yaml").write_text(peer.text.replace(DRAFTED, BY_HAND))
    (folder / "catalog" / "systems" / "stock.yaml").write_text(STOCK)
    (folder / "expectations" / "stock__line.yaml").write_text(SUITE)
    systems = read_systems(folder / "catalog" / "systems")
    by_stream = {"list_customers": systems["peer"], "list_invoices": systems["peer"], "line": systems["stock"]}
    peers = {name: Drafted(system, Endpoint(url), loader_url, folder) for name, system in by_stream.items()}

    first = {stream: each.load(stream) for stream, each in peers.items()}
    assert {stream: load.rows_new for stream, load in first.items()} == {
        "list_customers": 95, "list_invoices": 80, "line": 210
    }  # fmt: skip
    assert [row for stream, each in peers.items() for row in compared(each, tables, stream)] == []
    tables.executescript(CHANGES)
    second = {stream: each.load(stream) for stream, each in peers.items()}
    assert {stream: (load.rows_new, load.rows_changed, load.rows_deleted) for stream, load in second.items()} == {
        "list_customers": (1, 8, 4), "list_invoices": (0, 1, 2), "line": (0, 0, 3)
    }  # fmt: skip
    assert [row for stream, each in peers.items() for row in compared(each, tables, stream)] == []
    third = {stream: each.load(stream) for stream, each in peers.items()}
    assert all(load.rows_new == load.rows_changed == load.rows_deleted == 0 for load in third.values())
