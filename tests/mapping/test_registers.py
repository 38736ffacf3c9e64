"""What the registers say is taken as it is meant: status, capital, a withdrawn tax id, reasons of ownership."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.mapping.sql import rule_sql
from onefold.systems.crbr import owners_of
from onefold.systems.krs.full_extract import as_current
from tests.mapping.registers import PERSON, Json, krs_extract
from tests.mapping.unmapped import unmapped_sql

CATALOG = read_catalog()
UNDERWAY: Json = {"opisZakonczeniaProcesuUpadlosci": {}, "informacjaOOgloszeniuUpadlosci": {"data": "20.05.2025"}}
OVER: Json = {**UNDERWAY, "opisZakonczeniaProcesuUpadlosci": {"dataZakonczeniaPostepowania": "01.02.2022"}}
RESTRUCTURING = "postepowanieRestrukturyzacyjneNaprawczePrzymusowaRestrukturyzacjaUporzadkowanaLikwidacja"


def mapped(server: psycopg.Connection, entity: str, source: str, payloads: Sequence[object]) -> list[Json]:
    """What the entity's rules make of records of this stream; `unmapped` is what they do not understand."""
    system, _, name = source.partition(".")
    stream = CATALOG.systems[system].streams[name]
    of_source = {
        key: each.sources[source] for key, each in CATALOG.entities[entity].attributes.items() if source in each.sources
    }
    values = {name: rule_sql(rule, stream) for name, rule in of_source.items()}
    values["unmapped"] = unmapped_sql(CATALOG.entities, system, name, stream)
    query = sql.SQL(
        "select {} from unnest(%s::jsonb[]) with ordinality as given (_payload, place) order by place"
    ).format(sql.SQL(", ").join(map(sql.SQL, values.values())))
    rows = server.execute(query, [[Jsonb(payload) for payload in payloads]]).fetchall()
    return [dict(zip(values, row, strict=True)) for row in rows]


def test_what_the_court_register_says_of_a_company_is_its_status(server: psycopg.Connection) -> None:
    said: list[tuple[object, object, str | None]] = [
        (1, {}, "active"),
        (None, None, "active"),
        (1, {"polaczeniePodzialPrzeksztalcenie": [{"okreslenieOkolicznosci": "PRZEJĘCIE INNEJ SPÓŁKI"}]}, "active"),
        (1, {"likwidacja": [{"otwarcieLikwidacji": "UCHWAŁA Z 01.08.2023", "likwidatorzy": [PERSON]}]}, "liquidation"),
        (1, {"likwidacja": [{"otwarcieLikwidacji": "01.02.2010", "zakonczenieLikwidacji": "18.05.2010"}]}, "active"),
        (1, {"rozwiazanieUniewaznienie": {"okreslenieOkolicznosci": "ROZWIĄZANIE SPÓŁKI"}}, "liquidation"),
        (1, {"postepowanieUpadlosciowe": [UNDERWAY]}, "bankruptcy"),
        (1, {"postepowanieUpadlosciowe": UNDERWAY, "likwidacja": [{"otwarcieLikwidacji": "X"}]}, "bankruptcy"),
        (1, {"postepowanieUpadlosciowe": [OVER]}, "active"),
        (1, {"postepowanieUpadlosciowe": [], "likwidacja": {}}, "active"),
        (1, {RESTRUCTURING: [{"otwarcie": {"rodzajPostepowania": "NAPRAWCZE"}, "zakonczenie": {}}]}, "restructuring"),
        (1, {RESTRUCTURING: [{"otwarcie": {"rodzajPostepowania": "UPORZĄDKOWANA LIKWIDACJA"}}]}, "liquidation"),
        (1, {"zawieszenieWznowienie": [{"dataZawieszenia": "01.02.2024"}]}, "suspended"),
        (1, {"zawieszenieWznowienie": [{"dataZawieszenia": "01.02.2024", "dataWznowienia": "01.02.2025"}]}, "active"),
        (3, {}, "struck_off"),
        (4, {"likwidacja": [{"otwarcieLikwidacji": "X"}]}, "struck_off"),
        (9, {}, None),
    ]  # fmt: skip
    extracts = [krs_extract(state=state, division6=division6) for state, division6, _ in said]
    del extracts[1]["odpis"]["naglowekA"]["stanPozycji"]
    companies = mapped(server, "company", "krs.extract", extracts)
    assert [company["status"] for company in companies] == [then for *_, then in said]
    understood = [company["unmapped"] is None for company in companies]
    assert understood == [then is not None for *_, then in said]


def test_a_company_that_was_struck_off_is_known_by_what_its_full_extract_said_last(server: psycopg.Connection) -> None:
    def once(name: str, value: object) -> Json:
        return {name: [{name: value, "nrWpisuWprow": "1", "nrWpisuWykr": "3"}]}

    address = {"ulica": "UL. POLNA", "nrDomu": "1", "miejscowosc": "ŁÓDŹ", "kodPocztowy": "90-001", "kraj": "POLSKA"}
    former = {**address, "ulica": "UL. DAWNA", "nrWpisuWprow": "1", "nrWpisuWykr": "2"}
    names = [
        {"nazwa": "DAWNA FUNDACJA", "nrWpisuWprow": "1", "nrWpisuWykr": "2"},
        {"nazwa": "FUNDACJA PRZYKŁADOWA", "nrWpisuWprow": "2", "nrWpisuWykr": "3"},
    ]
    member = {"nazwisko": [{"nazwisko": {"nazwiskoICzlon": "J****"}, "nrWpisuWprow": "1"}]}
    board = {**once("nazwaOrganu", "ZARZĄD"), **once("sposobReprezentacji", "DWAJ ŁĄCZNIE"), "sklad": [member]}
    subject = {**once("formaPrawna", "FUNDACJA"), **once("identyfikatory", {"nip": "5272889007"}), "nazwa": names}
    capital = [{"wartosc": "1000,00", "waluta": "PLN", "nrWpisuWprow": "1"}]
    full = {"odpis": {"rodzaj": "Pelny", "naglowekP": {
        "rejestr": "RejS", "numerKRS": "0000779880", "dataCzasOdpisu": "22.04.2026 21:30:17", "stanPozycji": 4,
        "wpis": [
            {"numerWpisu": 1, "opis": "REJESTRACJA", "dataWpisu": "03.04.2019"},
            {"numerWpisu": 2, "opis": "ZMIANA", "dataWpisu": "03.04.2020"},
            {"numerWpisu": 3, "opis": "WYKREŚLENIE Z KRAJOWEGO REJESTRU SĄDOWEGO", "dataWpisu": "03.04.2024"},
        ]}, "dane": {
            "dzial1": {
                "danePodmiotu": subject,
                "siedzibaIAdres": {"adres": [former, {**address, "nrWpisuWprow": "2", "nrWpisuWykr": "3"}]},
                "kapital": {"wysokoscKapitaluZakladowego": capital},
            },
            "dzial2": {"reprezentacja": [board]},
            "dzial6": {"likwidacja": [once("otwarcieLikwidacji", "UCHWAŁA")]},
        }}}  # fmt: skip
    now = as_current(json.loads(json.dumps(full)), "0000779880")
    (company,) = mapped(server, "company", "krs.extract", [now])
    names_of = ("legal_name", "tax_id_pl", "status", "share_capital", "represented_by")
    assert {name: company[name] for name in names_of} == {
        "legal_name": "Fundacja Przykładowa", "tax_id_pl": "5272889007", "status": "struck_off",
        "share_capital": Decimal("1000.00"), "represented_by": "ZARZĄD",
    }  # fmt: skip
    (customer,) = mapped(server, "customer", "krs.extract", [now])
    assert customer["street"] == "Polna 1"
    assert company["unmapped"] is None


def test_a_withdrawn_tax_id_is_said_and_no_eu_vat_number_follows_from_it(server: psycopg.Connection) -> None:
    withdrawn = {"statusNip": "UCHYLONY", "dataDecyzji": "2024-11-18"}
    extracts = [
        krs_extract(),
        krs_extract(identifiers=withdrawn),
        krs_extract(identifiers={"statusNip": "UNIEWAŻNIONY"}),
    ]
    companies = mapped(server, "company", "krs.extract", extracts)
    said = [(each["tax_id_pl"], each["tax_id_status"], each["eu_vat"], each["unmapped"]) for each in companies]
    nip = "5272889007"
    assert said == [(nip, None, f"PL{nip}", None), (nip, "withdrawn", None, None), (nip, "annulled", None, None)]
    rows = [{"Regon": "382903625", "Nip": nip, "StatusNip": status} for status in ("", "Uchylony", "Unieważniony")]
    entities = mapped(server, "company", "regon.entity", rows)
    assert [(each["tax_id_status"], each["eu_vat"]) for each in entities] == [
        (None, f"PL{nip}"), ("withdrawn", None), ("annulled", None),
    ]  # fmt: skip
    assert [each["unmapped"] for each in entities] == [None] * 3
    payers = [{"identifier": nip, "statusVat": status} for status in ("Czynny", "Niezarejestrowany")]
    assert [each["eu_vat"] for each in mapped(server, "company", "white_list.subject", payers)] == [f"PL{nip}", None]


def test_capital_and_representation_are_taken_and_an_extract_without_town_or_country_is_understood(
    server: psycopg.Connection,
) -> None:
    shares = {"kapital": {
        "wysokoscKapitaluZakladowego": {"wartosc": "83000303,50", "waluta": "PLN"},
        "lacznaLiczbaAkcjiUdzialow": "83000303", "wartoscJednejAkcji": {"wartosc": "1,00", "waluta": "PLN"},
    }, "emisjeAkcji": [{"nazwaSeriiAkcji": "AKCJE SERII A", "liczbaAkcjiWSerii": "15863262"}]}  # fmt: skip
    foundation = krs_extract(kapital={})
    foundation["odpis"]["dane"]["dzial2"] = {}
    euros = {"kapital": {"wysokoscKapitaluZakladowego": {"wartosc": "1.250.000,00", "waluta": "EUR"}}}
    bodies = [{"nazwaOrganu": "ZARZĄD", "sposobReprezentacji": "DWAJ ŁĄCZNIE"}, {"nazwaOrganu": "KOMPLEMENTARIUSZE"}]
    several = krs_extract(**euros)
    several["odpis"]["dane"]["dzial2"] = {"reprezentacja": bodies}
    companies = mapped(server, "company", "krs.extract", [krs_extract(**shares), foundation, several])
    names = ("share_capital", "share_capital_currency", "represented_by", "representation", "unmapped")
    assert [tuple(company[name] for name in names) for company in companies] == [
        (Decimal("83000303.50"), "PLN", "ZARZĄD", "CZŁONEK ZARZĄDU SAMODZIELNIE.", None),
        (None, None, None, None, None),
        (Decimal("1250000.00"), "EUR", "ZARZĄD; KOMPLEMENTARIUSZE", "DWAJ ŁĄCZNIE", None),
    ]


def test_the_register_of_beneficial_owners_says_why_somebody_is_an_owner(server: psycopg.Connection) -> None:
    direct = {
        "UprawnieniaWlascicielskie": {"Kod": "01", "Opis": "udziały"},
        "JednostkaMiary": {"Opis": "procent"},
        "Ilosc": "1E+0",
    }
    office = {
        "RodzajInnychUprawnien": {"Kod": "05", "Opis": "wyższe stanowisko kierownicze"},
        "OpisInnychUprawnien": "prezes",
    }
    appoints = {"RodzajInnychUprawnien": {"Kod": "02", "Opis": "prawo powoływania większości organu"}}
    countries = [{"Kod": code, "Nazwa": code} for code in ("PL", "DE", "UA", "FR", "CZ", "SK", "MD", "IL", "US", "GB")]
    company: Json = {"NIP": "5272889007", "Nazwa": "PRZYKŁAD", "NumerReferencyjny": "2021/01/0000001"}

    def listed(*shares: Json) -> Json:
        return {"ListaInformacjiOUdzialach": {"InformacjaOUdzialach": list(shares)}}

    person: Json = {"PierwszeImie": "ANNA", "Nazwisko": "WYMYŚLONA"}
    holder = {"KolejneImiona": "MARIA TERESA", "DataUrodzenia": "1970-05-05+01:00", "Obywatelstwo": countries} | listed(
        {"UprawnieniaWlascicielskieBezposrednie": direct},
        {"UprawnieniaWlascicielskiePosrednie": "przez BEISPIEL HOLDING GMBH"},
        {"UprawnieniaWlascicielskiePosrednie": "przez fundusz"},
    )
    group = {
        "NazwaBeneficjentaGrupowego": "potomkowie fundatora",
        "InformacjeOUprawnieniachPrzyslugujacychBeneficjentowiGrupowemuTrust": "świadczenia z trustu",
    }
    told = [
        person | holder,
        person | listed({"InneUprawnienia": office}),
        person | listed({"InneUprawnienia": appoints}),
        group,
    ]
    entry = company | {"ListaBeneficjentowRzeczywistych": {"BeneficjentRzeczywisty": told}}
    payloads = list(owners_of(entry, "0000779880"))
    owners = mapped(server, "beneficial_owner", "crbr.beneficiary", payloads)
    reasons = [(each["ownership_reasons"], each["indirect_rights"], each["other_rights"]) for each in owners]
    assert reasons == [
        ("direct_rights indirect_rights", "przez BEISPIEL HOLDING GMBH; przez fundusz", None),
        ("senior_manager", None, "wyższe stanowisko kierownicze; prezes"),
        ("other_rights", None, "prawo powoływania większości organu"),
        (None, None, "świadczenia z trustu"),
    ]
    first = owners[0]
    assert (first["middle_names"], str(first["born_on"]), first["citizenships"]) == (
        "Maria Teresa", "1970-05-05", "PL DE UA FR CZ SK MD IL US GB",
    )  # fmt: skip
    assert (first["share"], first["share_unit"], first["direct_rights"]) == (Decimal(1), "procent", "udziały")
    assert [each["unmapped"] for each in owners] == [None] * 4
