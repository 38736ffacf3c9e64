"""Lawful answers of the registers and of HR, as their connectors give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onefold.systems.crbr import owners_of
from sandbox.world import identifiers
from tests.mapping.registers import Json, krs_extract


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


def _answers() -> Mapping[str, Sequence[object]]:
    withdrawn = {"statusNip": "UCHYLONY", "dataDecyzji": "2024-11-18"}
    liquidation = {"likwidacja": [{"otwarcieLikwidacji": "UCHWAŁA Z DNIA 01.02.2024"}]}
    former, living = identifiers.former_regon(6), identifiers.regon(6)
    return {
        "krs.extract": [
            extract(1), extract(2, identifiers=withdrawn, division6=liquidation), extract(3, **SHARES),
            extract(4, register="RejS", kapital={}, **ABROAD), extract(5, state=4, division6=liquidation),
        ],
        "regon.entity": [
            entry(6, living, Nazwa="SKLEP ANNA WYMYŚLONA", DataZakonczeniaDzialalnosci=""),
            entry(6, former, Nazwa="HANDEL OBWOŹNY ANNA WYMYŚLONA", DataZakonczeniaDzialalnosci="2019-03-31"),
        ],
        "crbr.beneficiary": list(owners_of(OWNERS, identifiers.krs(1))),
        "hr.employee": [
            {"employeeId": "1", "firstName": "Anna", "lastName": "Wymyślona", "workEmail": None,
             "hireDate": "2020-01-01", "dateOfBirth": "0000-00-00", "terminationDate": "0000-00-00",
             "status": "Active", "department": "IT"},
        ],
        "hr.job": [
            {"id": "10", "employeeId": "1", "date": "2020-01-01", "department": "Zakupy", "jobTitle": None},
            {"id": "11", "employeeId": "1", "date": "2023-03-01", "department": "IT", "jobTitle": "Programistka"},
        ],
    }  # fmt: skip


ANSWERS = _answers()
"""The payloads, by system.stream."""
