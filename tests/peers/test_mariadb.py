"""MariaDB: drafted from its own catalogue, loaded unedited, changed, deleted, equal to its tables; with keys and types
that few other databases have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.connectors.databases import READER, Source, on_mariadb
from tests.connectors.mariadb import PASSWORD
from tests.peers.drafted import Drafted, differences, drafted

Row = tuple[object, ...]
pytestmark = pytest.mark.peers
# An enum sorts by its place in the list, which is not the order of its texts.
SIZE = "create table size (code enum('XL', 'S', 'M', 'xs', 'ł') primary key, width decimal(30, 10) not null)"
STOCK = """
create table stock (
  size enum('XL', 'S', 'M') not null, number int unsigned not null, name varchar(60) not null, big bigint unsigned,
  open time(3), days set('mon', 'tue', 'wed'), made year, at datetime(6), ratio double, flag boolean not null,
  note json, primary key (size, number))
"""
SIZES = "insert into size values ('S', 0.0000000001), ('XL', 12345678901234567890.5), ('M', -1), ('xs', 0), ('ł', 2)"
STOCKED = """
insert into stock select elt(1 + seq % 3, 'XL', 'S', 'M'), seq, concat(if(seq % 9, 'Item ', 'Żółw 😀 \\\\ '' '), seq),
  if(seq % 7, 18446744073709551615 - seq, null), if(seq % 5, sec_to_time(seq * 61.5 - 4000), null),
  if(seq % 4, elt(1 + seq % 3, 'tue,mon', 'wed', ''), null), 1901 + seq % 200,
  '2026-01-01 00:00:00.123456' + interval seq minute, seq / 7, seq % 2, json_object('n', seq)
from seq_1_to_2500
"""
CHANGES = (
    "update size set width = width + 0.0000000001 where code = 'M'",
    "delete from size where code = 'xs'",
    "update stock set name = concat(name, ' new') where number % 100 = 7",
    "insert into stock values ('M', 9001, '', 0, '-838:59:59', 'mon', 2155, '1000-01-01', -0.1, true, '[]')",
    "delete from stock where number between 1001 and 1040",
)
FIELDS = {
    "size": ("code", "width"),
    "stock": ("size", "number", "name", "big", "open", "days", "made", "at", "ratio", "flag", "note"),
}


@pytest.fixture
def shop(
    maria: int, loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Drafted, Source]]:
    """The drafted system, and the database."""
    with on_mariadb(maria) as source:
        source.run(
            SIZE, STOCK, SIZES, STOCKED, f"grant select on size to {READER}", f"grant select on stock to {READER}"
        )
        scheme, _, rest = source.endpoint.url.partition("://")
        url = f"{scheme}://{READER}:{PASSWORD}@{rest}"
        yield drafted("database", url, source.endpoint, loader_url, tmp_path, monkeypatch), source


def of_source(source: Source, table: str) -> list[Row]:
    """The rows of the source's own table, as values of our types."""
    query = sa.select(*map(sa.column, FIELDS[table])).select_from(sa.table(table))
    with source.owner.connect() as connection:
        rows: list[Row] = [tuple(row) for row in connection.execute(query)]
    if table == "size":
        return rows
    return [
        (
            size, Decimal(number), name, None if big is None else Decimal(big), open_,
            [] if days == "" else days and days.split(","),
            Decimal(made), at.replace(tzinfo=UTC), Decimal(repr(ratio)), bool(flag), json.loads(note),
        )
        for size, number, name, big, open_, days, made, at, ratio, flag, note in rows
    ]  # fmt: skip


def of_warehouse(peer: Drafted, table: str) -> list[Row]:
    rows = peer.rows(table, FIELDS[table])
    return rows if table == "size" else [(*row[:4], _span(row[4]), *row[5:]) for row in rows]


def _span(text: object) -> timedelta | None:
    """-00:36:51.500000 as the time between two moments, which it is in MariaDB."""
    if not isinstance(text, str):
        return None
    hours, minutes, seconds = text.removeprefix("-").split(":")
    span = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    return -span if text.startswith("-") else span


def compared(peer: Drafted, source: Source) -> dict[str, list[str]]:
    """By table, the rows in which warehouse and source differ."""
    return {table: differences(of_warehouse(peer, table), of_source(source, table)) for table in FIELDS}


def test_mariadb_is_loaded_unedited_and_equals_its_tables_after_changes_and_deletes(
    shop: tuple[Drafted, Source],
) -> None:
    peer, source = shop
    nothing: dict[str, list[str]] = {table: [] for table in FIELDS}
    assert {table: peer.load(table).rows_new for table in FIELDS} == {"size": 5, "stock": 2500}
    assert compared(peer, source) == nothing
    source.run(*CHANGES)
    second = {table: peer.load(table) for table in FIELDS}
    assert {table: (load.rows_new, load.rows_changed, load.rows_deleted) for table, load in second.items()} == {
        "size": (0, 1, 1), "stock": (1, 24, 40)
    }  # fmt: skip
    assert compared(peer, source) == nothing
