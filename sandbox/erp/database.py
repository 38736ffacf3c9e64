"""A Polish ERP: no server, but a database with its tables, as such systems are read in practice.

SANDBOX_ERP_URL says where (postgresql:// or mysql://, the owner's); without it there is none. Its timestamps are what
Warsaw's clocks show, without a zone; its rows carry data_modyfikacji (goods a row version); its deletions are flags.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.pool import NullPool

from sandbox.erp import rows as erp_rows
from sandbox.erp import stock
from sandbox.erp.rows import Row, Values
from sandbox.stand_in import Happened, StandIn, Unable
from sandbox.world import Book, Entry, Parts, World, business
from sandbox.world.foreign import firms
from sandbox.world.world import WARSAW

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
NOW = 1 << 60  # after every advance
BATCH = 1000
MONEY, PRICE = sa.Numeric(14, 2), sa.Numeric(12, 2)
TABLES = sa.MetaData()
FIRST_WRITTEN = 5_000_001
"""The first number of a customer that somebody else writes."""
REFERENCE = "onefold_ref"
WRITTEN_FROM_OUTSIDE = """
alter table klienci alter data_utworzenia set default now() at time zone 'Europe/Warsaw',
    alter data_modyfikacji set default now() at time zone 'Europe/Warsaw', alter usuniety set default false;
create or replace function klienci_zmiana() returns trigger language plpgsql as $$ begin
    if new.data_modyfikacji is not distinct from old.data_modyfikacji then
        new.data_modyfikacji := now() at time zone 'Europe/Warsaw';
    end if;
    return new;
end $$;
create trigger klienci_zmiana before update on klienci for each row execute function klienci_zmiana();
do $$ begin
    if exists (select from pg_roles where rolname = current_user || '_reader') then
        execute format('grant insert, update on klienci to %%I', current_user || '_reader');
    end if;
end $$;
"""
"""As the ERP stamps what is written into it, and who may: whom Onefold signs in as, where there is such a role."""


def _table(name: str, key: Sequence[str], *columns: sa.Column[object], cursor: str = "data_modyfikacji") -> sa.Table:
    table = sa.Table(name, TABLES, *columns, sa.PrimaryKeyConstraint(*key))
    sa.Index(f"{name}_zmiany", *(table.c[column] for column in (cursor, *key)))
    return table


def _text(name: str, length: int = 60, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _stamps(*, deleted: bool = True) -> list[sa.Column[object]]:
    flag = [sa.Column("usuniety", sa.Boolean, nullable=False)] if deleted else []
    stamps = (sa.Column(name, sa.DateTime) for name in ("data_utworzenia", "data_modyfikacji"))
    return [*stamps, *flag]


def _address() -> list[sa.Column[object]]:
    return [
        *(_text("ulica"), _text("nr_domu", 10), _text("nr_lokalu", 10, nullable=True), _text("kod_pocztowy", 10)),
        *(_text("miejscowosc"), _text("kraj", 2), _text("email", 120, nullable=True)),
        _text("telefon", 30, nullable=True),
    ]


def _line_columns() -> list[sa.Column[object]]:
    return [
        *(_text("indeks", 20), _text("nazwa", 120), sa.Column("ilosc", sa.Numeric(12, 3), nullable=False)),
        *(_text("jm", 8), sa.Column("cena_netto", PRICE), sa.Column("stawka_vat", sa.Numeric(5, 2))),
        *(sa.Column("wartosc_netto", MONEY), sa.Column("wartosc_vat", MONEY)),
    ]


def _amounts() -> list[sa.Column[object]]:
    return [sa.Column(name, MONEY) for name in ("kwota_netto", "kwota_vat", "kwota_brutto")]


KLIENCI = _table(
    "klienci",
    ["id_klienta"],
    *(sa.Column("id_klienta", sa.Integer, sa.Identity(start=FIRST_WRITTEN)), _text("akronim", 20)),
    *(_text("nazwa", 240), _text("nip", 15, nullable=True)),
    *(_text("regon", 14, nullable=True), *_address(), sa.Column("limit_kredytu", MONEY), _text("waluta", 3)),
    *(sa.Column("termin_platnosci_dni", sa.SmallInteger), sa.Column("aktywny", sa.Boolean), *_stamps()),
    sa.Column(REFERENCE, sa.String(64), unique=True),
)
sa.event.listen(KLIENCI, "after_create", sa.DDL(WRITTEN_FROM_OUTSIDE).execute_if(dialect="postgresql"))
DOSTAWCY = _table(
    "dostawcy",
    ["id_dostawcy"],
    *(sa.Column("id_dostawcy", sa.Integer), _text("nazwa", 240), _text("nip", 15, nullable=True)),
    *(_text("regon", 14, nullable=True), *_address(), _text("rachunek_bankowy", 34, nullable=True)),
    *(_text("waluta", 3), sa.Column("termin_platnosci_dni", sa.SmallInteger), sa.Column("aktywny", sa.Boolean)),
    sa.Column("czas_dostawy", postgresql.INTERVAL().with_variant(mysql.TIME(), "mysql")),
    *_stamps(),
)
TOWARY = _table(
    "towary",
    ["id_towaru"],
    *(sa.Column("id_towaru", sa.Integer), _text("indeks", 20), _text("ean", 14, nullable=True), _text("nazwa", 120)),
    *(_text("jm", 8), sa.Column("cena_netto", PRICE), _text("waluta", 3), sa.Column("stawka_vat", sa.Numeric(5, 2))),
    *(sa.Column("aktywny", sa.Boolean), sa.Column("wersja", sa.BigInteger, nullable=False), *_stamps()),
    cursor="wersja",
)
ZAMOWIENIA = _table(
    "zamowienia",
    ["id_zamowienia"],
    *(sa.Column("id_zamowienia", sa.Integer), _text("numer", 30), sa.Column("id_klienta", sa.Integer)),
    *(sa.Column("data_zamowienia", sa.Date), _text("status", 20), _text("waluta", 3), *_amounts(), *_stamps()),
)
ZAMOWIENIA_POZYCJE = _table(
    "zamowienia_pozycje",
    ["id_zamowienia", "lp"],
    *(sa.Column("id_zamowienia", sa.Integer), sa.Column("lp", sa.SmallInteger), *_line_columns(), *_stamps()),
)
FAKTURY = _table(
    "faktury",
    ["id_faktury"],
    *(sa.Column("id_faktury", sa.Integer), _text("numer", 30), _text("rodzaj", 5), _text("nr_zamowienia", 30)),
    *(_text("numer_korygowanej", 30, nullable=True), sa.Column("id_klienta", sa.Integer)),
    *(_text("nip_nabywcy", 15, nullable=True), sa.Column("data_wystawienia", sa.Date)),
    *(sa.Column("data_sprzedazy", sa.Date), sa.Column("termin_platnosci", sa.Date), _text("waluta", 3)),
    *(*_amounts(), *_stamps(deleted=False)),
)
FAKTURY_POZYCJE = _table(
    "faktury_pozycje",
    ["id_faktury", "lp"],
    *(sa.Column("id_faktury", sa.Integer), sa.Column("lp", sa.SmallInteger), *_line_columns()),
    *_stamps(deleted=False),
)
HELD = sa.Table("piaskownica", TABLES, sa.Column("swiat", sa.String(120)), sa.Column("krok", sa.Integer))
"""Which world the tables show, after how many advances."""


def _every(count: Callable[[int], int]) -> Callable[[int], int]:
    """Two places for each of so many invoices: its own, and its correction's."""
    return lambda companies: 2 * count(companies)


KLIENT = Book(
    "erp", "klient", size=lambda companies: companies, key=lambda n: str(erp_rows.client_id(n)), company=lambda n: n,
    broken=("stamp_missing", "name_missing", "credit_limit_negative"), odd={"stamp_infinite": 0.01}, also=firms,
)  # fmt: skip
DOSTAWCA = Book(
    "erp", "dostawca", size=lambda companies: min(companies, max(60, companies // 6)),
    key=lambda n: str(erp_rows.supplier_id(n)), company=lambda n: n, broken=("name_missing", "payment_term_negative"),
)  # fmt: skip
TOWAR = Book(
    "erp", "towar", size=business.products, key=lambda n: str(n + 1), broken=("ean_malformed", "price_negative"),
    odd={"price_not_a_number": 0.02},
)  # fmt: skip
ZAMOWIENIE = Book(
    "erp", "zamowienie", size=lambda companies: business.orders(companies) // 4, number=lambda place: place * 4 + 2,
    key=lambda n: str(n + 1), broken=("status_unknown", "currency_malformed"), odd={"date_infinite": 0.02},
)  # fmt: skip
ZAMOWIENIE_POZYCJA = Parts(
    "erp", "zamowienie_pozycja", of=ZAMOWIENIE,
    count=lambda seed, n, companies: len(business.order(seed, n, companies=companies).lines),
    key=lambda n, place: (str(n + 1), str(place + 1)), broken=("quantity_zero", "vat_rate_unknown"),
)  # fmt: skip
FAKTURA = Book(
    "erp", "faktura", size=_every(business.orders), key=lambda n: str(n + 1), exists=erp_rows.is_document,
    broken=("due_before_issue", "currency_malformed"), odd={"due_in_year_20260": 0.01}, changes=False, deletes=False,
)  # fmt: skip
FAKTURA_POZYCJA = Parts(
    "erp", "faktura_pozycja", of=FAKTURA,
    count=lambda seed, n, companies: len(erp_rows.document(seed, n, companies).order.lines),
    key=lambda n, place: (str(n + 1), str(place + 1)), broken=("quantity_zero", "vat_rate_unknown"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table, the book that it shows and what a row of it holds."""

    book: Book | Parts
    table: sa.Table
    values: Callable[[Row], Values]


SHEETS = (
    Sheet(KLIENT, KLIENCI, erp_rows.klient),
    Sheet(DOSTAWCA, DOSTAWCY, erp_rows.dostawca),
    Sheet(TOWAR, TOWARY, erp_rows.towar),
    Sheet(ZAMOWIENIE, ZAMOWIENIA, erp_rows.zamowienie),
    Sheet(ZAMOWIENIE_POZYCJA, ZAMOWIENIA_POZYCJE, erp_rows.zamowienie_pozycja),
    Sheet(FAKTURA, FAKTURY, erp_rows.faktura),
    Sheet(FAKTURA_POZYCJA, FAKTURY_POZYCJE, erp_rows.faktura_pozycja),
)


def refresh(world: World) -> None:
    """Fills the database, or brings it up to the world in one transaction, touching only rows that time has touched."""
    if (engine := _engine()) is None:
        return
    with engine.begin() as connection:
        since = _held(connection, world)
        if since is None or since > world.sequence:
            TABLES.drop_all(connection)
            TABLES.create_all(connection)
            since = -1
        for sheet in SHEETS:
            _bring(connection, sheet, world, since)
        stock.fill(connection, [entry.number + 1 for entry in world.shelf(TOWAR.name).entries])
        connection.execute(HELD.delete())
        connection.execute(HELD.insert(), {"swiat": _name(world), "krok": world.sequence})


def sell(_: World) -> Happened:
    """Something is sold, which changes the stock."""
    if (engine := _engine()) is None:
        raise Unable("the ERP has no database: set SANDBOX_ERP_URL")
    with engine.begin() as connection:
        return stock.sell(connection)


def _engine() -> sa.Engine | None:
    given = os.environ.get("SANDBOX_ERP_URL")
    if not given:
        return None
    url = sa.make_url(given)
    return sa.create_engine(url.set(drivername=DRIVERS[url.drivername]), poolclass=NullPool, hide_parameters=True)


def _name(world: World) -> str:
    """The base world, and how this code shows it: tables that another version filled are filled anew."""
    code = b"".join(Path(module).read_bytes() for module in (__file__, erp_rows.__file__))
    return f"{world.seed}/{world.base_size}/{hashlib.sha256(code).hexdigest()[:16]}"


def _held(connection: sa.Connection, world: World) -> int | None:
    """The number of advances that the tables show; None when they show another world or are not there."""
    if not sa.inspect(connection).has_table(HELD.name):
        return None
    found = connection.execute(sa.select(HELD.c.krok).where(HELD.c.swiat == _name(world))).first()
    return found[0] if found else None


def _bring(connection: sa.Connection, sheet: Sheet, world: World, since: int) -> None:
    batch: list[Values] = []
    mariadb = connection.dialect.name == "mysql"
    for values in _touched(sheet, world, since, mariadb):
        batch.append(values)
        if len(batch) == BATCH:
            _put(connection, sheet.table, batch, replacing=since >= 0)
            batch = []
    if batch:
        _put(connection, sheet.table, batch, replacing=since >= 0)


def _put(connection: sa.Connection, table: sa.Table, rows: list[Values], *, replacing: bool) -> None:
    if replacing:
        key = list(table.primary_key.columns)
        keys = [tuple(row[column.name] for column in key) for row in rows]
        if REFERENCE in table.c:
            held = dict(connection.execute(sa.select(*key, table.c[REFERENCE]).where(sa.tuple_(*key).in_(keys))).all())
            rows = [{**row, REFERENCE: held.get(row[key[0].name])} for row in rows]
        connection.execute(table.delete().where(sa.tuple_(*key).in_(keys)))
    connection.execute(table.insert(), rows)


def _touched(sheet: Sheet, world: World, since: int, mariadb: bool) -> Iterator[Values]:
    """The rows that came or changed after advance number `since`, as they are now."""
    shelf = world.shelf(sheet.book.name)
    versions = _versions(shelf.entries) if "wersja" in sheet.table.c else {}
    for entry in shelf.entries:
        owner = getattr(entry, "parent", entry)
        if max(owner.born, owner.past[-1][0] if owner.past else 0) <= since:
            continue
        modified, deleted, revision = entry.at(NOW)
        row = Row(world.seed, world.base_size, entry.number, revision, getattr(entry, "place", 0), entry.broken)
        values = sheet.values(row) | {"data_utworzenia": local(owner.created), "data_modyfikacji": local(modified)}
        if "usuniety" in sheet.table.c:
            values["usuniety"] = deleted
        if versions:
            values["wersja"] = versions[entry.number]
        values = erp_rows.in_mariadb(values) if mariadb else values
        yield erp_rows.broken(values, entry.broken, mariadb=mariadb)


def _versions(entries: Sequence[Entry]) -> dict[int, int]:
    """By number, the row's version: every write there has been got the next number, in the order of time."""
    writes = []
    for entry in entries:
        first = entry.past[0][1] if entry.past else entry.modified
        writes.append((entry.born, first, entry.number))
        ends = [past[0] for past in entry.past]
        after = [past[1] for past in entry.past[1:]] + [entry.modified]
        writes += [(sequence, at, entry.number) for sequence, at in zip(ends, after, strict=True)] if ends else []
    return {number: place for place, (_, _, number) in enumerate(sorted(writes), start=1)}


def local(at: datetime) -> datetime:
    """The time on Warsaw's clocks, without a zone."""
    return at.astimezone(WARSAW).replace(tzinfo=None)


STAND_IN = StandIn(
    "erp",
    routes=lambda world: [],
    books=tuple(sheet.book for sheet in SHEETS),
    database=True,
    refresh=refresh,
    happen=sell,
)
