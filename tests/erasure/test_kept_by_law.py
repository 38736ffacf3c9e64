"""What a law keeps of a person who was erased stays, is said, and goes when the law's period is over."""

from __future__ import annotations

from datetime import date

import msgspec
import psycopg
import pytest

from onefold.catalog.data_protection import check_data_protection
from onefold.connectors.record import Record
from onefold.privacy import law_periods
from onefold.retention.run import execute_retention, plan_retention
from tests.erasure.office import PESEL, Office, adam, traces, zofia

BUYERS = "select _key, _payload ->> 'nip_nabywcy' from staging.erp__faktura__current order by 1"


def invoice(number: int, year: int, buyer: str) -> Record:
    """An invoice of the spring of that year to a buyer whom it names by a number."""
    content = {
        "id_faktury": number,
        "numer": f"FV/{number}",
        "rodzaj": "VAT",
        "nr_zamowienia": None,
        "waluta": "PLN",
        **dict.fromkeys(("data_wystawienia", "data_sprzedazy", "termin_platnosci"), f"{year}-03-01"),
        **dict.fromkeys(("kwota_netto", "kwota_vat", "kwota_brutto"), 1),
        "numer_korygowanej": None,
        "id_klienta": 5,
        "nip_nabywcy": buyer,
        "data_utworzenia": f"{year}-03-01T10:00:00",
        "data_modyfikacji": f"{year}-03-01T10:00:00",
        "usuniety": None,
    }
    return Record(str(number), None, False, msgspec.json.encode(content))


def found(warehouse_url: str) -> list[str]:
    """Where something of her stands; what PostgreSQL gathers of the values of a table is renewed from time to time."""
    return [each for each in traces(warehouse_url) if not each.startswith("pg_statistic")]


def test_what_the_law_keeps_is_said_stays_and_is_erased_when_its_period_is_over(
    office: Office, warehouse_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an old invoice the law keeps nothing any more; the one of a stranger is not touched."""
    now = law_periods.today().year
    invoices = invoice(1, now - 8, PESEL), invoice(2, now, PESEL), invoice(3, now - 8, "5260250274")
    office.load("hr.employee", zofia(), adam())
    office.load("erp.faktura", *invoices)
    plan = office.erase()
    kept = {f"{table}: {PESEL}" for table in ("staging.erp__faktura", "ops.quarantine")}
    assert f"staging.erp__faktura: {PESEL}" in found(warehouse_url)
    assert set(found(warehouse_url)) <= kept  # a buyer's number that is no NIP may wait there
    assert office.query(BUYERS) == [("1", None), ("2", PESEL), ("3", "5260250274")]
    assert plan.tables["staging.erp__faktura"].kept == {"nip_nabywcy": 1}
    last = date(now + 5, 12, 31)
    assert f"erp.faktura 2, until {last}; retention erases it after that day" in plan.text
    with psycopg.connect(office.url) as connection:
        assert connection.execute("select _key, until from ops.kept_by_law").fetchall() == [("2", last)]

    office.load("erp.faktura", *invoices, late := invoice(4, now - 1, PESEL))
    assert dict(office.query(BUYERS))["4"] == PESEL
    said = check_data_protection(office.catalog)
    execute_retention(office.url, office.catalog, said, "os:tester")
    assert dict(office.query(BUYERS))["2"] == PESEL

    monkeypatch.setattr(law_periods, "today", lambda: date(now + 6, 1, 1))
    with psycopg.connect(office.url) as connection:
        due = {(each.store, each.subject): each.due for each in plan_retention(connection, office.catalog, said)}
    assert due["kept_by_law", "erp.faktura"] == 2
    done = execute_retention(office.url, office.catalog, said, "os:tester")
    assert [(each.store, each.rows) for each in done.purged if each.store == "kept_by_law"] == [("kept_by_law", 2)]
    office.load("erp.faktura", *invoices, late)
    assert office.query(BUYERS) == [("1", None), ("2", None), ("3", "5260250274"), ("4", None)]
    assert found(warehouse_url) == []
