"""Answers of the registers and of HR, through their gates and the real dbt: what is lawful is published as meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import msgspec
import psycopg
import pytest

from onefold.catalog.reader import read_catalog
from onefold.conform.dbt_build import DbtProject
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
from onefold.systems.crbr import owners_of
from sandbox.world import identifiers
from tests.conform.test_marts import mart
from tests.conform.world import ACTOR
from tests.mapping.registers import Json, krs_extract

CATALOG = read_catalog()
ENTITIES = ("company", "beneficial_owner", "employee", "employee_job")


def extract(company: int, *, register: str = "RejP", **more: object) -> Json:
    """The current extract of a company of its own."""
    ids: Json = {"nip": identifiers.nip(company), "regon": f"{identifiers.regon(company)}00000"}
    ids |= more.pop("identifiers", {})
    made = krs_extract(f"FIRMA {company}", identifiers=ids, **more)
    made["odpis"]["naglowekA"] |= {"rejestr": register, "numerKRS": identifiers.krs(company)}
    return made


def entry(company: int, regon: str, **more: str) -> Json:
    """A row of REGON: a village without streets, and no town of the post office."""
    return {"Regon": regon, "SilosID": "1", "Nip": identifiers.nip(company), "StatusNip": "", "Typ": "F", **more}


def load(url: str, source_name: str, payloads: Sequence[object]) -> None:
    """The stream's load, of these records as its connector gives them; nothing may wait in quarantine."""
    name, _, stream_name = source_name.partition(".")
    system = CATALOG.systems[name]
    head = Head(source_name, system.streams[stream_name])
    records = [head.record(msgspec.json.encode(payload)) for payload in payloads]

    @contextmanager
    def source(*_: object) -> Iterator[object]:
        yield lambda window, token: iter([Page(records, datetime.now(UTC), None)])

    job = Job(
        system=system,
        stream_name=stream_name,
        run=Run(f"sync__{name}", f"manual__{stream_name}", "os:tester"),
        source=source,
        source_url="https://register.example",
        warehouse_url=url,
        entities=CATALOG.entities,
        suites=FOLDER,
        run_is_over=lambda dag_id, run_id: True,
    )
    for step in (steps.land, steps.gate, steps.publish):
        step(job)


SHARES: Json = {
    "kapital": {"wysokoscKapitaluZakladowego": {"wartosc": "83000303,00", "waluta": "PLN"}, "lacznaLiczbaAkcji": "1"},
    "emisjeAkcji": [{"nazwaSeriiAkcji": "AKCJE SERII A", "liczbaAkcjiWSerii": "15863262"}],
}
ABROAD: Json = {"siedzibaIAdres": {"adres": {"ulica": "HAUPTSTRASSE", "nrDomu": "1", "kraj": "NIEMCY"}}}
OWNERS: Json = {
    "NIP": identifiers.nip(1), "Nazwa": "FIRMA 1", "NumerReferencyjny": "2021/01/0000001",
    "KodFormyOrganizacyjnej": "117", "OpisFormyOrganizacyjnej": "SPÓŁKA", "KodPocztowy": "90-950",
    "Miejscowosc": "ŁÓDŹ",
    "ListaBeneficjentowRzeczywistych": {"BeneficjentRzeczywisty": [
        {"PierwszeImie": "ANNA", "Nazwisko": "WYMYŚLONA", "KrajZamieszkania": {"Kod": "PL", "Nazwa": "POLSKA"},
         "Obywatelstwo": {"Kod": "PL", "Nazwa": "POLSKA"}, "DataUrodzenia": "1970-05-05+01:00",
         "ListaInformacjiOUdzialach": {"InformacjaOUdzialach": {
             "InneUprawnienia": {"RodzajInnychUprawnien": {"Kod": "05", "Opis": "wyższe stanowisko kierownicze"}}}}},
        {"NazwaBeneficjentaGrupowego": "potomkowie fundatora"},
    ]},
}  # fmt: skip


@pytest.fixture
def conformed(
    loader_url: str, loader: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> psycopg.Connection:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path))
    ensure_all_staging(loader_url, CATALOG)
    withdrawn = {"statusNip": "UCHYLONY", "dataDecyzji": "2024-11-18"}
    liquidation = {"likwidacja": [{"otwarcieLikwidacji": "UCHWAŁA Z DNIA 01.02.2024"}]}
    extracts = [
        extract(1), extract(2, identifiers=withdrawn, division6=liquidation), extract(3, **SHARES),
        extract(4, register="RejS", kapital={}, **ABROAD), extract(5, state=4, division6=liquidation),
    ]  # fmt: skip
    load(loader_url, "krs.extract", extracts)
    former, living = identifiers.former_regon(6), identifiers.regon(6)
    load(loader_url, "regon.entity", [
        entry(6, living, Nazwa="SKLEP ANNA WYMYŚLONA", DataZakonczeniaDzialalnosci=""),
        entry(6, former, Nazwa="HANDEL OBWOŹNY ANNA WYMYŚLONA", DataZakonczeniaDzialalnosci="2019-03-31"),
    ])  # fmt: skip
    load(loader_url, "crbr.beneficiary", list(owners_of(OWNERS, identifiers.krs(1))))
    load(loader_url, "hr.employee", [
        {"employeeId": "1", "firstName": "Anna", "lastName": "Wymyślona", "workEmail": None, "hireDate": "2020-01-01",
         "dateOfBirth": "0000-00-00", "terminationDate": "0000-00-00", "status": "Active", "department": "IT"},
    ])  # fmt: skip
    load(loader_url, "hr.job", [
        {"id": "10", "employeeId": "1", "date": "2020-01-01", "department": "Zakupy", "jobTitle": None},
        {"id": "11", "employeeId": "1", "date": "2023-03-01", "department": "IT", "jobTitle": "Programistka"},
    ])  # fmt: skip
    entities = [CATALOG.entities[name] for name in ENTITIES]
    mappings = mapping_fingerprints({each.entity: each for each in entities}, CATALOG.systems)
    dbt = DbtProject(ROOT / "dbt_project", tmp_path)
    conform(loader_url, ACTOR, entity_gate(loader_url), entities, dbt, mappings=mappings)
    return loader


def test_what_the_registers_and_hr_say_of_lawful_records_is_published(conformed: psycopg.Connection) -> None:
    assert conformed.execute("select system, stream, reason from ops.quarantine").fetchall() == []
    query = (
        "select tax_id_pl, status, tax_id_status, eu_vat is not null, share_capital, regon, legal_name like 'Sklep%'"
        " from conformed.company"
    )
    found = {nip: said for nip, *said in conformed.execute(query).fetchall()}
    five = Decimal(5000)
    assert found == {
        identifiers.nip(1): ["active", None, True, five, identifiers.regon(1), False],
        identifiers.nip(2): ["liquidation", "withdrawn", False, five, identifiers.regon(2), False],
        identifiers.nip(3): ["active", None, True, Decimal(83000303), identifiers.regon(3), False],
        identifiers.nip(4): ["active", None, True, None, identifiers.regon(4), False],
        identifiers.nip(5): ["struck_off", None, True, five, identifiers.regon(5), False],
        identifiers.nip(6): ["active", None, True, None, identifiers.regon(6), True],
    }
    owners = (
        "select last_name, group_name, ownership_reasons, born_on from conformed.beneficial_owner order by owner_key"
    )
    assert conformed.execute(owners).fetchall() == [
        ("Wymyślona", None, "senior_manager", date(1970, 5, 5)),
        (None, "potomkowie fundatora", None, None),
    ]
    columns = "krs, registry_status, share_capital, owners_by_office"
    profiles = conformed.execute(f"select {columns} from ({mart('kyc_profile')}) as p").fetchall()  # noqa: S608 - our own
    assert (identifiers.krs(1), "active", five, 1) in profiles
    history = f"select valid_from, department from ({mart('employee_history')}) as h order by 1"  # noqa: S608 - our own
    assert conformed.execute(history).fetchall() == [(date(2020, 1, 1), "Zakupy"), (date(2023, 3, 1), "IT")]
