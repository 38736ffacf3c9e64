"""An SAP CAP server, by OData v4 and v2: drafted from its metadata, loaded, changed, deleted, equal to its tables."""

from __future__ import annotations

import sqlite3
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from onefold.http.endpoint import Endpoint
from tests.peers.drafted import Drafted, differences, drafted
from tests.peers.node import Node, serving

pytestmark = pytest.mark.peers
CDS = "node_modules/@sap/cds/bin"
START = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
CUSTOMERS = "ID", "name", "city", "credit", "born", "opens", "active", "big", "ratio", "modifiedAt"
ORDERS = "number", "customer_ID", "net", "placed"
LINES = "parent_number", "position", "sku", "quantity"
Row = tuple[object, ...]


def key(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))


def stamp(number: int) -> str:
    return (START + timedelta(minutes=number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fill(source: sqlite3.Connection) -> None:
    """250 customers, 230 orders with two lines each: more than the service gives at once (100)."""
    customers = [
        (
            key(n), f"Żółw '{n}' & \"Co\" 😀" if n % 9 == 0 else f"Customer {n}", None if n % 4 == 0 else "Łódź",
            None if n % 5 == 0 else n * 1.1, f"19{n % 90 + 10}-02-28", None if n % 6 == 0 else f"{n % 24:02}:30:00",
            n % 3 > 0, None if n % 8 == 0 else 9007199254740993 + n, n / 7, stamp(n),
        )
        for n in range(250)
    ]  # fmt: skip
    source.executemany("insert into stock_Customers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", customers)
    orders = [
        (f"{n:06}/A b", key(n) if n % 7 else None, n * 12.01, f"2026-02-{n % 28 + 1:02}T10:00:00Z") for n in range(230)
    ]
    source.executemany("insert into stock_Orders values (?, ?, ?, ?)", orders)
    lines = [(f"{n:06}/A b", p, f"S{p}", n + 0.125) for n in range(230) for p in (1, 2)]
    source.executemany("insert into stock_Lines values (?, ?, ?, ?)", lines)
    source.commit()


def change(source: sqlite3.Connection) -> None:
    now = stamp(300)
    source.execute("update stock_Customers set name = name || ' SA', modifiedAt = ? where city is null", [now])
    source.execute("insert into stock_Customers (ID, name, modifiedAt) values (?, ?, ?)", [key(1000), "New", now])
    source.execute("update stock_Orders set net = net + 0.01 where number < '000020'")
    source.execute("insert into stock_Orders values ('9', null, 0, null)")
    source.execute("delete from stock_Lines where position = 2 and parent_number like '00001%'")
    source.execute("delete from stock_Orders where number in ('000200/A b', '000201/A b')")
    source.commit()


@contextmanager
def served(node: Node, folder: Path, version: int) -> Iterator[tuple[str, sqlite3.Connection]]:
    """The service's address, and a connection to the file of its database."""
    deploy = subprocess.run([node.program, f"{CDS}/deploy.js"], cwd=folder, capture_output=True, timeout=120)
    assert deploy.returncode == 0, deploy.stderr.decode()[-2000:]
    source = sqlite3.connect(folder / "shop.sqlite")
    fill(source)
    with serving(node, folder, f"{CDS}/serve.js", "all", path="/") as url:
        named = url.replace("127.0.0.1", "localhost")  # as the server calls itself in the addresses of its next pages
        yield f"{named}/odata/v{version}/shop", source
    source.close()


def of_source(source: sqlite3.Connection) -> dict[str, list[Row]]:
    """The rows of the source's own tables, as values of our types."""

    def rows(query: str) -> list[Row]:
        return source.execute(query).fetchall()

    return {
        "customers": [
            (
                ID, name, city, credit and Decimal(credit), born and date.fromisoformat(born), opens, bool(active),
                big and Decimal(big), ratio if ratio is None else Decimal(f"{ratio!r}".removesuffix(".0")),
                datetime.fromisoformat(modified),
            )
            for ID, name, city, credit, born, opens, active, big, ratio, modified in rows(
                "select ID, name, city, iif(credit is null, null, printf('%.2f', credit)), born, opens, active, big,"
                " ratio, modifiedAt from stock_Customers"
            )
        ],
        "orders": [
            (number, customer, Decimal(net), placed and datetime.fromisoformat(placed))
            for number, customer, net, placed in rows(
                "select number, customer_ID, printf('%.2f', net), placed from stock_Orders"
            )
        ],
        "lines": [
            (number, Decimal(position), sku, Decimal(quantity))
            for number, position, sku, quantity in rows(
                "select parent_number, position, sku, printf('%.3f', quantity) from stock_Lines"
            )
        ],
    }  # fmt: skip


def of_warehouse(peer: Drafted, version: int) -> dict[str, list[Row]]:
    """What was loaded; version 2 writes a day as a time and a time of day as a duration."""
    customers = peer.rows("customers", CUSTOMERS)
    if version == 2:
        customers = [(*row[:4], _day(row[4]), _clock(row[5]), *row[6:]) for row in customers]
    return {"customers": customers, "orders": peer.rows("orders", ORDERS), "lines": peer.rows("lines", LINES)}


def _day(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value


def _clock(value: object) -> object:
    if not isinstance(value, str):
        return value
    return value.removeprefix("PT").replace("H", ":").replace("M", ":").removesuffix("S")


def compared(peer: Drafted, source: sqlite3.Connection, version: int) -> dict[str, list[str]]:
    """By stream, the rows in which warehouse and source differ."""
    ours, theirs = of_warehouse(peer, version), of_source(source)
    assert all(len(rows) > 200 for rows in theirs.values())
    return {stream: differences(ours[stream], theirs[stream]) for stream in theirs}


@pytest.mark.parametrize("version", [4, 2])
def test_a_cap_service_is_loaded_and_equals_its_tables_after_changes_and_deletes(
    node: Node, loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    folder = tmp_path / "cap"
    node.installed("sap_cap", folder)
    with served(node, folder, version) as (url, source):
        endpoint = Endpoint(url, "somebody", "of-the-tests")
        peer = drafted("edmx", f"{url}/$metadata", endpoint, loader_url, tmp_path, monkeypatch)
        nothing: dict[str, list[str]] = {stream: [] for stream in ("customers", "orders", "lines")}
        first = {stream: peer.load(stream) for stream in nothing}
        assert {stream: load.rows_new for stream, load in first.items()} == {
            "customers": 250, "orders": 230, "lines": 460
        }  # fmt: skip
        assert compared(peer, source, version) == nothing
        change(source)
        second = {stream: peer.load(stream) for stream in nothing}
        assert {stream: (load.rows_new, load.rows_deleted) for stream, load in second.items()} == {
            "customers": (1, 0), "orders": (1, 2), "lines": (0, 10)
        }  # fmt: skip
        assert compared(peer, source, version) == nothing
        source.execute("delete from stock_Customers where ID in (?, ?)", [key(3), key(4)])
        source.commit()
        whole = without_cursor(peer)  # what is asked for by its cursor shows no deletions: one line is taken out
        assert whole.load("customers").rows_deleted == 2
        assert compared(whole, source, version) == nothing


def without_cursor(peer: Drafted) -> Drafted:
    """The system after one edit: the line `cursor:` of customers is taken out, so that it is listed whole."""
    stream = peer.system.streams["customers"].model_copy(update={"cursor": None})
    streams = {**peer.system.streams, "customers": stream}
    return replace(peer, system=peer.system.model_copy(update={"streams": streams}))
