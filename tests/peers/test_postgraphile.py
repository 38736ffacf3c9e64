"""PostGraphile over a real PostgreSQL: a GraphQL server that we know nothing of, drafted, loaded, changed, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from onefold.http.endpoint import Endpoint
from onefold.platform.postgres import Postgres
from tests.peers.drafted import Drafted, differences, drafted
from tests.peers.node import Node, serving

pytestmark = pytest.mark.peers
TABLES = """
create type shop.state as enum ('NEW', 'PAID', 'GONE');
create table shop.customer (
  id integer generated always as identity primary key, name text not null, code char(4), credit numeric(20, 6),
  born date, active boolean not null default true, big bigint, ratio double precision, tags text[], extra jsonb,
  state shop.state not null default 'NEW', updated_at timestamptz not null default now());
create table shop.invoice (
  number text primary key, customer_id integer not null references shop.customer, net numeric(12, 2) not null,
  issued date not null, updated_at timestamptz not null default now());
create table shop.line (
  invoice_number text references shop.invoice, position smallint, sku uuid not null default gen_random_uuid(),
  quantity numeric not null, primary key (invoice_number, position));
comment on table shop.customer is 'Customers of the shop';
"""
ROWS = """
insert into shop.customer (name, code, credit, born, active, big, ratio, tags, extra, state, updated_at)
select case n % 50 when 0 then 'Żółw "' || n || E'" \\\\ \\n 😀' else 'Customer ' || n end, lpad(n::text, 4, '0'),
  case when n % 7 > 0 then n * 1.000001 end, date '1900-01-01' + n * 100, n % 3 > 0, 9007199254740993 + n, n / 7.0,
  case when n % 5 > 0 then array['a', 'b' || n] end, jsonb_build_object('n', n, 'deep', jsonb_build_array(n, null)),
  case n % 3 when 0 then 'NEW' when 1 then 'PAID' else 'GONE' end::shop.state,
  timestamptz '2026-01-01 00:00:00.123456+02' + n * interval '1 hour'
from generate_series(1, 730) n;
insert into shop.invoice (number, customer_id, net, issued)
select 'FV/' || n || '/2026', n, n * 1.10, date '2026-01-01' + n % 28 from generate_series(1, 405) n;
insert into shop.line (invoice_number, position, quantity)
select 'FV/' || n || '/2026', p, n / 3.0 from generate_series(1, 120) n, generate_series(1, 3) p;
"""
CHANGES = """
update shop.customer set name = name || ' Ltd', updated_at = now() where id % 100 = 1;
insert into shop.customer (name, credit) values ('New', 0.000001), ('', null);
delete from shop.line where position = 3 and invoice_number like 'FV/1%';
delete from shop.invoice where number in ('FV/400/2026', 'FV/401/2026');
delete from shop.customer where id in (700, 710, 720);
update shop.invoice set net = net + 0.01 where number like 'FV/20%';
"""
COMPARED = {
    "customers": (
        """
        select id::numeric, name, code, credit, born, active, big::numeric, ratio::text::numeric, to_jsonb(tags), extra,
          state::text, updated_at
        from shop.customer
        """,
        ("id", "name", "code", "credit", "born", "active", "big", "ratio", "tags", "extra", "state", "updatedAt"),
    ),
    "invoices": (
        "select number, customer_id::numeric, net, issued, updated_at from shop.invoice",
        ("number", "customerId", "net", "issued", "updatedAt"),
    ),
    "lines": (
        "select invoice_number, position::numeric, sku::text, quantity from shop.line",
        ("invoiceNumber", "position", "sku", "quantity"),
    ),
}  # fmt: skip


@pytest.fixture
def shop(
    node: Node, postgres: Postgres, loader_url: str, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Drafted, psycopg.Connection]]:
    """The drafted system, and a connection to the database behind its server."""
    with psycopg.connect(warehouse_url, autocommit=True) as connection:
        connection.execute(f"create schema shop; {TABLES} {ROWS}")
        folder = node.installed("postgraphile", tmp_path / "postgraphile")
        with serving(node, folder, "serve.js", path="/", DATABASE_URL=warehouse_url) as url:
            endpoint = Endpoint(url)
            yield drafted("graphql", f"{url}/graphql", endpoint, loader_url, tmp_path, monkeypatch), connection


def compared(peer: Drafted, source: psycopg.Connection) -> dict[str, list[str]]:
    """By stream, the rows in which warehouse and source differ."""
    found = {}
    for stream, (query, fields) in COMPARED.items():
        theirs = source.execute(query).fetchall()
        assert len(theirs) > 100
        found[stream] = differences(peer.rows(stream, fields), theirs)
    return found


def test_a_server_over_postgresql_is_loaded_unedited_and_equals_its_tables_after_changes_and_deletes(
    shop: tuple[Drafted, psycopg.Connection],
) -> None:
    peer, source = shop
    nothing: dict[str, list[str]] = {stream: [] for stream in COMPARED}
    assert peer.system.streams.keys() >= COMPARED.keys(), peer.text
    first = {stream: peer.load(stream) for stream in COMPARED}
    assert {stream: load.rows_new for stream, load in first.items()} == {
        "customers": 730, "invoices": 405, "lines": 360
    }  # fmt: skip
    assert compared(peer, source) == nothing
    source.execute(CHANGES)
    second = {stream: peer.load(stream) for stream in COMPARED}
    assert {stream: (load.rows_new, load.rows_deleted) for stream, load in second.items()} == {
        "customers": (2, 3), "invoices": (0, 2), "lines": (0, 32)
    }  # fmt: skip
    assert compared(peer, source) == nothing
    third = {stream: peer.load(stream) for stream in COMPARED}
    assert all(load.rows_new == load.rows_changed == load.rows_deleted == 0 for load in third.values())
