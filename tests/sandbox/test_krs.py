"""The court register's stand-in, read over HTTP as a client reads the real one."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import requests

from sandbox.krs import api as krs
from sandbox.krs.extract import WARSAW
from sandbox.world import Company, World
from tests.sandbox.serving import served

# Every leaf of a real current extract (a sp. z o.o. of Warsaw), by its path.
REAL_LEAVES = {
    "rodzaj",
    "naglowekA.rejestr",
    "naglowekA.numerKRS",
    "naglowekA.dataCzasOdpisu",
    "naglowekA.stanZDnia",
    "naglowekA.dataRejestracjiWKRS",
    "naglowekA.numerOstatniegoWpisu",
    "naglowekA.dataOstatniegoWpisu",
    "naglowekA.sygnaturaAktSprawyDotyczacejOstatniegoWpisu",
    "naglowekA.stanPozycji",
    "dane.dzial1.danePodmiotu.formaPrawna",
    "dane.dzial1.danePodmiotu.identyfikatory.regon",
    "dane.dzial1.danePodmiotu.identyfikatory.nip",
    "dane.dzial1.danePodmiotu.identyfikatory.statusNip",
    "dane.dzial1.danePodmiotu.identyfikatory.dataDecyzji",
    "dane.dzial1.danePodmiotu.nazwa",
    "dane.dzial1.danePodmiotu.czyProwadziDzialalnoscZInnymiPodmiotami",
    "dane.dzial1.danePodmiotu.czyPosiadaStatusOPP",
    "dane.dzial1.siedzibaIAdres.siedziba.kraj",
    "dane.dzial1.siedzibaIAdres.siedziba.wojewodztwo",
    "dane.dzial1.siedzibaIAdres.siedziba.powiat",
    "dane.dzial1.siedzibaIAdres.siedziba.gmina",
    "dane.dzial1.siedzibaIAdres.siedziba.miejscowosc",
    "dane.dzial1.siedzibaIAdres.adres.ulica",
    "dane.dzial1.siedzibaIAdres.adres.nrDomu",
    "dane.dzial1.siedzibaIAdres.adres.miejscowosc",
    "dane.dzial1.siedzibaIAdres.adres.kodPocztowy",
    "dane.dzial1.siedzibaIAdres.adres.poczta",
    "dane.dzial1.siedzibaIAdres.adres.kraj",
    "dane.dzial1.umowaStatut.informacjaOZawarciuZmianieUmowyStatutu.zawarcieZmianaUmowyStatutu",
    "dane.dzial1.pozostaleInformacje.czasNaJakiUtworzonyZostalPodmiot",
    "dane.dzial1.pozostaleInformacje.informacjaOLiczbieUdzialow",
    "dane.dzial1.wspolnicySpzoo.nazwisko.nazwiskoICzlon",
    "dane.dzial1.wspolnicySpzoo.imiona.imie",
    "dane.dzial1.wspolnicySpzoo.identyfikator.pesel",
    "dane.dzial1.wspolnicySpzoo.posiadaneUdzialy",
    "dane.dzial1.wspolnicySpzoo.czyPosiadaCaloscUdzialow",
    "dane.dzial1.kapital.wysokoscKapitaluZakladowego.wartosc",
    "dane.dzial1.kapital.wysokoscKapitaluZakladowego.waluta",
    "dane.dzial2.reprezentacja.nazwaOrganu",
    "dane.dzial2.reprezentacja.sposobReprezentacji",
    "dane.dzial2.reprezentacja.sklad.nazwisko.nazwiskoICzlon",
    "dane.dzial2.reprezentacja.sklad.imiona.imie",
    "dane.dzial2.reprezentacja.sklad.identyfikator.pesel",
    "dane.dzial2.reprezentacja.sklad.funkcjaWOrganie",
    "dane.dzial2.reprezentacja.sklad.czyZawieszona",
    "dane.dzial3.przedmiotDzialalnosci.przedmiotPrzewazajacejDzialalnosci.opis",
    "dane.dzial3.przedmiotDzialalnosci.przedmiotPrzewazajacejDzialalnosci.kodDzial",
    "dane.dzial3.przedmiotDzialalnosci.przedmiotPrzewazajacejDzialalnosci.kodKlasa",
    "dane.dzial3.przedmiotDzialalnosci.przedmiotPrzewazajacejDzialalnosci.kodPodklasa",
    "dane.dzial3.informacjaODniuKonczacymRokObrotowy.dzienKonczacyPierwszyRokObrotowy",
}


@pytest.fixture(scope="module")
def world() -> World:
    return World(companies=1200, seed=7)


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    with served("/krs", krs.routes(world)) as url:
        yield url


def ask(url: str, number: str, register: str = "P", kind: str = "OdpisAktualny") -> requests.Response:
    question = {"rejestr": register, "format": "json"}
    return requests.get(f"{url}/api/krs/{kind}/{number}", params=question, timeout=10)


def sound(world: World, **wanted: object) -> Company:
    """A company of the register with these attributes, whose record is not broken on purpose."""
    return next(
        record.company
        for record in world.records("krs")
        if record.broken is None
        and record.company.struck_off is None
        and all(getattr(record.company, name) == value for name, value in wanted.items())
    )


def broken(world: World, how: str) -> Company:
    return next(record.company for record in world.records("krs") if record.broken == how)


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar of a JSON tree with its path; items of a list share one."""
    if isinstance(tree, dict):
        for name, child in tree.items():
            yield from leaves(child, f"{path}.{name}" if path else name)
    elif isinstance(tree, list):
        for child in tree:
            yield from leaves(child, path)
    else:
        yield path, tree


def test_a_current_extract_has_the_shape_of_a_real_one(url: str, world: World) -> None:
    company = sound(world, form="sp_zoo", status="liquidated")
    body = ask(url, company.krs).json()
    assert {path for path, _ in leaves(body["odpis"])} >= REAL_LEAVES
    assert [body["odpis"]["dane"][f"dzial{number}"] for number in (4, 5)] == [{}, {}]


def test_a_current_extract_tells_the_truth_in_the_register_s_spelling(url: str, world: World) -> None:
    company = sound(world, form="sp_zoo", status="active")
    odpis = ask(url, company.krs).json()["odpis"]
    subject = odpis["dane"]["dzial1"]["danePodmiotu"]
    assert subject["nazwa"] == company.name.upper()
    assert subject["nazwa"].endswith(subject["formaPrawna"]) and "ODPOWIEDZIALNOŚCIĄ" in subject["nazwa"]
    assert subject["identyfikatory"] == {"regon": f"{company.regon}00000", "nip": company.nip}
    address = odpis["dane"]["dzial1"]["siedzibaIAdres"]["adres"]
    assert address["ulica"] == f"UL. {company.street.upper()}"
    assert address["nrDomu"] == company.house_no
    assert address["kodPocztowy"] == company.postal_code
    assert address["miejscowosc"] == company.city.upper()
    assert odpis["naglowekA"]["numerKRS"] == company.krs
    assert odpis["naglowekA"]["numerOstatniegoWpisu"] == company.revision


def test_dates_are_day_first_save_the_decision_and_decimals_have_a_comma(url: str, world: World) -> None:
    odpis = ask(url, sound(world, form="sp_zoo", status="liquidated").krs).json()["odpis"]
    heading, division1 = odpis["naglowekA"], odpis["dane"]["dzial1"]
    for name in ("stanZDnia", "dataRejestracjiWKRS", "dataOstatniegoWpisu"):
        assert re.fullmatch(r"\d{2}\.\d{2}\.\d{4}", heading[name])
    assert re.fullmatch(r"\d{2}\.\d{2}\.\d{4} \d{2}:\d{2}:\d{2}", heading["dataCzasOdpisu"])
    decided = division1["danePodmiotu"]["identyfikatory"]["dataDecyzji"]
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", decided)
    assert re.fullmatch(r"\d+,\d{2}", division1["kapital"]["wysokoscKapitaluZakladowego"]["wartosc"])


def test_people_are_masked_in_both_extracts(url: str, world: World) -> None:
    number = sound(world, form="sp_zoo").krs
    for kind in ("OdpisAktualny", "OdpisPelny"):
        people = [
            value
            for path, value in leaves(ask(url, number, kind=kind).json())
            if path.endswith(("nazwiskoICzlon", "imie", "pesel"))
        ]
        assert len(people) == 6
        assert all(re.fullmatch(r"[A-ZŁŚŻ0-9]\*+", value) for value in people)


def test_a_full_extract_wraps_every_value_in_its_entry_numbers(url: str, world: World) -> None:
    company = sound(world, form="sp_zoo", revision=5)
    odpis = ask(url, company.krs, kind="OdpisPelny").json()["odpis"]
    assert odpis["rodzaj"] == "Pełny"
    assert [entry["numerWpisu"] for entry in odpis["naglowekP"]["wpis"]] == [1, 2, 3, 4, 5]
    division1 = odpis["dane"]["dzial1"]
    assert division1["danePodmiotu"]["nazwa"] == [{"nazwa": company.name.upper(), "nrWpisuWprow": "1"}]
    identifiers = division1["danePodmiotu"]["identyfikatory"]
    assert [entry["identyfikatory"]["nip"] for entry in identifiers] == [company.nip]
    former, present = division1["siedzibaIAdres"]["adres"]
    assert (former["nrWpisuWprow"], former["nrWpisuWykr"]) == ("1", "5")
    assert former["ulica"] == f"UL. {company.former_street.upper()}"
    assert present["ulica"] == f"UL. {company.street.upper()}"
    assert present["nrWpisuWprow"] == "5" and "nrWpisuWykr" not in present


def test_a_company_struck_off_is_204_without_a_body_and_keeps_its_full_extract(url: str, world: World) -> None:
    company = next(record.company for record in world.records("krs") if record.company.struck_off)
    gone = ask(url, company.krs, company.krs_register)
    assert (gone.status_code, gone.content) == (204, b"")
    odpis = ask(url, company.krs, company.krs_register, "OdpisPelny").json()["odpis"]
    assert odpis["naglowekP"]["stanPozycji"] == 2
    last = odpis["naglowekP"]["wpis"][-1]
    assert last["opis"] == "WYKREŚLENIE Z KRAJOWEGO REJESTRU SĄDOWEGO"
    (name,) = odpis["dane"]["dzial1"]["danePodmiotu"]["nazwa"]
    assert name["nrWpisuWykr"] == str(last["numerWpisu"])


def test_a_foundation_is_found_in_the_other_register_only(url: str, world: World) -> None:
    company = next(
        record.company
        for record in world.records("krs")
        if record.company.form == "fundacja" and not record.company.struck_off and not record.key.endswith("7")
    )
    missed = ask(url, company.krs, "P")
    assert missed.status_code == 404
    assert missed.json()["status"] == 404 and missed.json()["title"] == "Not Found"
    found = ask(url, company.krs, "S")
    assert found.status_code == 200
    assert found.json()["odpis"]["naglowekA"]["rejestr"] == "RejS"


def test_the_not_found_body_may_come_with_200(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = next(f"{number:010d}" for number in range(10**9) if f"{number:010d}" not in world.by_krs)
    assert ask(url, unknown).status_code == 404
    ends_in_7 = next(f"{n:010d}" for n in range(7, 10**9, 10) if f"{n:010d}" not in world.by_krs)
    answer = ask(url, ends_in_7)
    assert answer.status_code == 200 and "odpis" not in answer.json()
    assert answer.json()["title"] == "Not Found" and answer.json()["status"] == 404
    monkeypatch.setenv("SANDBOX_KRS_NOT_FOUND_200", "1")
    assert ask(url, unknown).status_code == 200


@pytest.mark.parametrize("number", ["123", "00000000A1", "00000000011"])
def test_a_malformed_number_is_a_bad_request(url: str, number: str) -> None:
    answer = ask(url, number)
    assert answer.status_code == 400
    assert answer.json()["title"] == "Bad Request"


def test_an_unknown_register_and_a_malformed_day_are_bad_requests(url: str, world: World) -> None:
    assert ask(url, sound(world).krs, "X").status_code == 400
    assert requests.get(f"{url}/api/Krs/Biuletyn/22.11.2026", timeout=10).status_code == 400


def test_the_bulletin_names_what_changed_on_that_day_by_the_hour(url: str, world: World) -> None:
    day = max(
        (date(2025, 1, 1) + timedelta(days) for days in range(365)),
        key=lambda day: len({hour for _, hour in world.krs_changes(day)}),
    )
    changes = world.krs_changes(day)
    hours = sorted({hour for _, hour in changes})
    assert len(hours) > 1
    bulletin = f"{url}/api/Krs/Biuletyn/{day.isoformat()}"
    assert requests.get(bulletin, timeout=10).json() == [number for number, _ in changes]
    some = requests.get(bulletin, {"godzinaOd": f"{hours[1]:02d}", "godzinaDo": "23"}, timeout=10).json()
    assert some == [number for number, hour in changes if hour >= hours[1]]


def test_an_advance_shows_in_the_bulletin_and_raises_the_entry_number() -> None:
    world = World(companies=200, seed=11)
    with served("/krs", krs.routes(world)) as url:
        before = {c.krs: c.revision for c in world.companies if c.krs}
        world.advance(changes=40)
        changed = [world.by_krs[n] for n, revision in before.items() if world.by_krs[n].revision > revision]
        assert changed
        for company in changed:
            day = company.changed.astimezone(WARSAW).date()
            assert company.krs in requests.get(f"{url}/api/Krs/Biuletyn/{day}", timeout=10).json()
            heading = ask(url, company.krs, company.krs_register).json()["odpis"]["naglowekA"]
            assert heading["numerOstatniegoWpisu"] == before[company.krs] + 1


def test_records_broken_on_purpose_are_broken_in_their_own_way(url: str, world: World) -> None:
    nameless = broken(world, "name_missing")
    odpis = ask(url, nameless.krs, nameless.krs_register).json()["odpis"]
    assert "nazwa" not in odpis["dane"]["dzial1"]["danePodmiotu"]
    short = broken(world, "nip_malformed")
    odpis = ask(url, short.krs, short.krs_register).json()["odpis"]
    nip = odpis["dane"]["dzial1"]["danePodmiotu"]["identyfikatory"]["nip"]
    assert nip != short.nip and len(nip) != 10
    impossible = broken(world, "date_impossible")
    odpis = ask(url, impossible.krs, impossible.krs_register).json()["odpis"]
    assert odpis["naglowekA"]["dataRejestracjiWKRS"] == "31.02.2020"


def test_the_bulletins_since_the_register_was_opened_name_every_company(world: World) -> None:
    days = [date(2001, 1, 1) + timedelta(days) for days in range((date(2026, 7, 1) - date(2001, 1, 1)).days)]
    assert {number for day in days for number, _ in world.krs_changes(day)} == world.by_krs.keys()
    since_2024 = [day for day in days if day.year >= 2024]
    assert {number for day in since_2024 for number, _ in world.krs_changes(day)} == world.by_krs.keys()
