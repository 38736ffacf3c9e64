"""A draft of a database has the types that the connector then delivers, and leaves nothing out without a word."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.draft.trial import try_stream
from onefold.errors import Fatal
from onefold.platform.postgres import Postgres
from tests.connectors.databases import READER, Source, on_mariadb, on_postgresql
from tests.connectors.loaded_database import Erp
from tests.connectors.mariadb import PASSWORD
from tests.connectors.test_sql_types import MADE, MARIADB, POSTGRESQL, Cases
from tests.draft.drafting import drafted, drafted_text, read_text, with_privacy

ROWS = 12
"""More than the few that a wrong type is forgiven for."""


def address(source: Source) -> str:
    """How a user writes the database's address, without a driver."""
    scheme, _, rest = source.endpoint.url.partition("://")
    return f"{scheme.replace('postgres', 'postgresql')}://{READER}:{PASSWORD}@{rest}"


def made(source: Source, cases: Cases) -> None:
    """The table klienci with a column of each type, each row with all the values."""
    columns = ", ".join(f"v{number} {kind}" for number, (kind, _, _) in enumerate(cases))
    values = {f"v{number}": sa.literal_column(sql) for number, (_, sql, _) in enumerate(cases)}
    row = sa.insert(sa.table("klienci", sa.column("id"), *map(sa.column, values)))
    with source.owner.connect() as connection:
        if source.name != "postgresql":
            connection.execute(sa.text("set sql_mode = ''"))
        connection.exec_driver_sql(f"create table klienci (id int primary key, {columns})")
        for number in range(ROWS):
            connection.execute(row.values(id=number, **values))
        connection.exec_driver_sql(f"grant select on klienci to {READER}")


def system_of(source: Source, tmp_path: Path) -> System:
    """The draft of the database as the system test_erp with its one stream."""
    text = with_privacy(drafted_text("database", address(source))).replace("made_up", "test_erp")
    system = read_text(text.replace("\n  klienci:", "\n  klient:"), tmp_path)
    assert list(system.streams) == ["klient"]
    return system


def test_the_types_drafted_of_postgresql_are_those_that_a_first_load_stages(erp: Erp, tmp_path: Path):
    erp.source.run(*MADE)
    made(erp.source, POSTGRESQL)
    system = system_of(erp.source, tmp_path)
    load = erp.load(system)
    assert (load.state, load.rows_new, load.rows_quarantined) == ("published", ROWS, 0)
    trial = try_stream(system, "klient", erp.source.endpoint)
    assert (trial.failed, trial.problems, trial.records) == (None, (), ROWS)
    kinds = {kind: system.streams["klient"].fields[f"v{number}"].type for number, (kind, _, _) in enumerate(POSTGRESQL)}
    for kind, expected in {
        "double precision": "numeric", "oid": "integer", "int4range": "text", "bit(5)": "text", "interval": "text",
        "uuid": "text", "mood": "text", "net_price": "numeric", "moment": "timestamp", "int[]": "json", "jsonb": "json",
        "hstore": "json", "timestamptz": "timestamp", "date": "date", "boolean": "boolean", "money": "text",
    }.items():  # fmt: skip
        assert kinds[kind] == expected, kind


def test_the_types_drafted_of_mariadb_are_those_that_a_first_load_stages(erp: Erp, maria: int, tmp_path: Path):
    cases = [case for case in MARIADB if case[1] != "'0000-00-00'"]  # no day: it waits in quarantine, whatever its type
    with on_mariadb(maria) as source:
        made(source, cases)
        system = system_of(source, tmp_path)
        load = Erp(source, erp.url, erp.suites).load(system)
    assert (load.state, load.rows_new, load.rows_quarantined) == ("published", ROWS, 0)
    kinds = {kind: system.streams["klient"].fields[f"v{number}"].type for number, (kind, _, _) in enumerate(cases)}
    for kind, expected in {
        "bigint unsigned": "numeric", "float": "numeric", "bit(1)": "boolean", "bit(64)": "numeric", "year": "integer",
        "boolean": "boolean", "set('z','a')": "json", "json": "json", "time(6)": "text", "blob": "text", "uuid": "text",
    }.items():  # fmt: skip
        assert kinds[kind] == expected, kind


def test_every_relation_is_drafted_or_named_with_the_reason(postgres: Postgres):
    with on_postgresql(postgres) as source:
        source.run(
            "create table przesylki (nr int, dzien date, primary key (nr, dzien)) partition by range (dzien)",
            "create table przesylki_2026 partition of przesylki for values from ('2026-01-01') to ('2027-01-01')",
            "create schema magazyn",
            'create table magazyn.towar ("Nr towaru" text not null unique, "nr towaru" text, "Zażółć" text,'
            " dodano timestamp)",
            "create materialized view sprzedaz as select 1.5::float8 as kwota, now() as zmieniono",
            "create table pomiar (x double precision primary key)",
            "create table stara (id int primary key, wersja int, usuniety boolean)",
            "create table nowa () inherits (stara)",
            "grant usage on schema magazyn to reader",
            "grant select on all tables in schema public, magazyn to reader",
        )
        text = drafted_text("database", address(source))
        streams = drafted("database", address(source)).streams
    assert {stream.request.table for stream in streams.values()} == {
        "przesylki", "magazyn.towar", "sprzedaz", "pomiar", "stara", "nowa",
    }  # fmt: skip
    assert "# not drafted: public.przesylki_2026: a partition of przesylki, which has its rows" in text
    goods = streams["towar"]
    assert {name: field.path for name, field in goods.fields.items()} == {
        "nr_towaru": "Nr towaru", "nr_towaru_2": "nr towaru", "zazolc": "Zażółć", "dodano": None,
    }  # fmt: skip
    assert goods.primary_key == ["nr_towaru"]
    assert (streams["stara"].cursor.fields, streams["stara"].deletes.flag.field) == (["wersja"], "usuniety")
    for mark in (
        "timezone: UTC # check: the zone of magazyn.towar.dodano, which are stored without one",
        "primary_key: [kwota] # check: it is a guess: the materialized view declares none",
        "primary_key: [x] # check: x is no exact number: no page can begin after it",
        "# check: the table declares none, but these as unique",
        "its rows come with those of stara",
    ):
        assert mark in text, mark
    assert PASSWORD not in text


def test_an_address_that_cannot_be_used_is_told_with_what_to_do():
    with pytest.raises(Fatal, match="driver that this URL wants"):
        drafted("database", "mysql+mysqldb://me:s3cret@127.0.0.1/db")
    with pytest.raises(Fatal, match="LOCATION is no database URL; write postgresql://"):
        drafted("database", "db2://me:s3cret@127.0.0.1/db")
    for url in ("oracle://me:s3cret@127.0.0.1:1/db", "mssql://me:s3cret@127.0.0.1:1/db"):
        with pytest.raises(Fatal, match="cannot be read") as raised:
            drafted("database", url)
        assert "s3cret" not in str(raised.value)


def test_a_connection_of_airflow_stands_in_for_the_url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch):
    with on_postgresql(postgres) as source:
        source.run("create table klienci (id int primary key)", f"grant select on klienci to {READER}")
        host, _, name = source.endpoint.url.removeprefix("postgres://").partition("/")
        monkeypatch.setenv("AIRFLOW_CONN_ERP", f"postgres://{READER}:{PASSWORD}@{host}/{name}")
        assert "klienci" in drafted("database", "", "--connection", "erp").streams
