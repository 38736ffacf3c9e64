"""REGON's stand-in, read with zeep from the contract that it serves: searches, reports and bulk lists."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import zeep

from sandbox.regon import api as regon
from sandbox.world import Company, SourceRecord, World
from tests.sandbox.regon.calls import KEY, PATH, rows, search
from tests.sandbox.serving import served

NEW = "BIR11NowePodmiotyPrawneOrazDzialalnosciOsFizycznych"

CHANGED = "BIR11AktualizowanePodmiotyPrawneOrazDzialalnosciOsFizycznych"

STRUCK_OFF = "BIR11SkreslonePodmiotyPrawneOrazDzialalnosciOsFizycznych"

SEARCH_FIELDS = [
    "Regon",
    "Nip",
    "StatusNip",
    "Nazwa",
    "Wojewodztwo",
    "Powiat",
    "Gmina",
    "Miejscowosc",
    "KodPocztowy",
    "Ulica",
    "NrNieruchomosci",
    "NrLokalu",
    "Typ",
    "SilosID",
    "DataZakonczeniaDzialalnosci",
    "MiejscowoscPoczty",
]


def record(world: World, fits: Callable[[SourceRecord], bool]) -> SourceRecord:
    return next(record for record in world.records("regon") if fits(record))


def sound(world: World, **wanted: object) -> Company:
    """A company with these attributes whose record is not broken on purpose."""
    return record(
        world,
        lambda r: r.broken is None and all(getattr(r.company, k) == v for k, v in wanted.items()),
    ).company


def test_the_contract_is_the_public_one_but_for_the_address(url: str, root: Path) -> None:
    public = (root / "sandbox" / "regon" / "regon-bir11.wsdl").read_bytes()
    theirs = b"https://wyszukiwarkaregontest.stat.gov.pl/wsBIR/UslugaBIRzewnPubl.svc"
    assert public.count(theirs) == 2
    for question in ("wsdl", "singleWsdl"):
        answered = requests.get(f"{url}{PATH}?{question}", timeout=10).content
        assert answered == public.replace(theirs, f"{url}{PATH}".encode())


def test_zeep_reads_all_six_operations_from_the_contract(client: zeep.Client) -> None:
    operations = client.service._binding._operations
    assert set(operations) == {
        "GetValue",
        "Zaloguj",
        "Wyloguj",
        "DaneSzukajPodmioty",
        "DanePobierzPelnyRaport",
        "DanePobierzRaportZbiorczy",
    }


def test_a_search_row_tells_the_truth_in_the_real_order_of_fields(client: zeep.Client, world: World) -> None:
    company = sound(world, form="sp_zoo", status="active")
    (row,) = search(client, Nip=company.nip)
    assert list(row) == SEARCH_FIELDS
    assert (row["Regon"], row["Nip"]) == (company.regon, company.nip)
    assert row["Nazwa"] == company.name.upper()
    assert (row["Typ"], row["SilosID"]) == ("P", "6")
    assert row["KodPocztowy"] == company.postal_code
    assert row["Ulica"] == f"ul. {company.street}"
    assert row["DataZakonczeniaDzialalnosci"] == ""


@pytest.mark.parametrize("way", ["Nip", "Regon", "Krs", "Nipy", "Regony9zn", "Regony14zn", "Krsy"])
def test_every_way_to_search_finds_the_company(client: zeep.Client, world: World, way: str) -> None:
    company = sound(world, form="sa")
    identifier = {"N": company.nip, "R": company.regon, "K": company.krs}[way[0]]
    if way == "Regony14zn":
        identifier = f"{company.regon}00000"
    (row,) = search(client, **{way: identifier})
    assert row["Regon"] == company.regon


def test_a_batch_answers_each_identifier_the_missing_with_code_4(client: zeep.Client, world: World) -> None:
    numbers = [sound(world, form=form).nip for form in ("sp_zoo", "jdg", "spj")]
    found = search(client, Nipy=",".join([numbers[0], "1111111111", *numbers[1:]]))
    assert [row["Nip"] for row in found] == [numbers[0], "1111111111", *numbers[1:]]
    assert [row.get("ErrorCode") for row in found] == [None, "4", None, None]
    assert found[1]["ErrorMessageEn"] == "No data found for the specified search criteria."


def test_more_than_twenty_identifiers_are_refused(client: zeep.Client, world: World) -> None:
    numbers = [company.nip for company in world.companies[:21]]
    assert len(search(client, Nipy=",".join(numbers[:20]))) == 20
    (row,) = search(client, Nipy=",".join(numbers))
    assert row["ErrorCode"] == "2"
    assert client.service.GetValue("KomunikatKod") == "2"


def test_the_report_of_a_legal_entity(client: zeep.Client, world: World) -> None:
    company = sound(world, form="sp_zoo", status="suspended")
    (row,) = rows(client.service.DanePobierzPelnyRaport(company.regon, "BIR11OsPrawna"))
    assert len(row) == 55  # the columns of GUS's result table BIR11OsPrawna
    assert row["praw_regon9"] == company.regon
    assert row["praw_nazwa"] == company.name.upper()
    assert row["praw_numerWRejestrzeEwidencji"] == company.krs
    assert row["praw_adSiedzKodPocztowy"] == company.postal_code.replace("-", "")
    assert row["praw_adresEmail"] == company.email
    assert row["praw_numerTelefonu"] == company.phone.removeprefix("+48")
    assert row["praw_dataZawieszeniaDzialalnosci"] == row["praw_dataZaistnieniaZmiany"] != ""


def test_the_reports_of_a_sole_trader(client: zeep.Client, world: World) -> None:
    company = sound(world, form="jdg")
    (person,) = rows(client.service.DanePobierzPelnyRaport(company.regon, "BIR11OsFizycznaDaneOgolne"))
    assert len(person) == 22
    assert f"{person['fiz_imie1']} {person['fiz_nazwisko']}" == " ".join(company.name.upper().split()[-2:])
    (firm,) = rows(client.service.DanePobierzPelnyRaport(company.regon, "BIR11OsFizycznaDzialalnoscCeidg"))
    assert len(firm) == 44
    assert firm["fiz_nazwa"] == company.name.upper()
    assert firm["fiz_adSiedzMiejscowosc_Nazwa"] == company.city


def test_a_report_for_the_other_kind_is_4_and_an_unknown_one_5(client: zeep.Client, world: World) -> None:
    report = client.service.DanePobierzPelnyRaport
    sole_trader, legal = sound(world, form="jdg"), sound(world, form="sp_zoo")
    assert rows(report(sole_trader.regon, "BIR11OsPrawna"))[0]["ErrorCode"] == "4"
    assert rows(report(legal.regon, "BIR11OsFizycznaDaneOgolne"))[0]["ErrorCode"] == "4"
    assert rows(report(legal.regon, "BIR11OsPrawnrr"))[0]["ErrorCode"] == "5"
    assert client.service.GetValue("KomunikatKod") == "5"


def test_bulk_lists_name_what_an_advance_did_about_one_week_back() -> None:
    world = World(companies=300, seed=11)
    with served("/regon", regon.routes(world)) as url:
        client = zeep.Client(f"{url}{PATH}?wsdl")
        client.transport.session.headers["sid"] = client.service.Zaloguj(KEY)
        world.advance(changes=30, deletions=30, new=5)
        today = world.now().astimezone(regon.WARSAW).date()
        listed = {
            name: [row["regon"] for row in rows(client.service.DanePobierzRaportZbiorczy(f"{today}", name))]
            for name in (NEW, CHANGED, STRUCK_OFF)
        }
        assert listed[NEW] == sorted(company.regon for company in world.companies[-5:])
        assert listed[CHANGED] == world.regon_changes("changed", today) != []
        assert listed[STRUCK_OFF] == world.regon_changes("struck_off", today) != []
        gone = listed[STRUCK_OFF][0]
        (row,) = search(client, Regon=gone)
        assert row["DataZakonczeniaDzialalnosci"] == f"{today}"
        bulk = client.service.DanePobierzRaportZbiorczy
        assert rows(bulk(f"{today - timedelta(days=7)}", NEW)) == []
        assert rows(bulk(f"{today - timedelta(days=8)}", NEW))[0]["ErrorCode"] == "102"
        assert rows(bulk(f"{today + timedelta(days=1)}", NEW))[0]["ErrorCode"] == "103"
        assert rows(bulk(f"{today}", "BIR11Nowe"))[0]["ErrorCode"] == "105"


def test_records_broken_on_purpose_are_broken_in_their_own_way(client: zeep.Client, world: World) -> None:
    by_fault = {r.broken: r for r in world.records("regon") if r.broken}
    (row,) = search(client, Nip=by_fault["name_missing"].company.nip)
    assert row["Nazwa"] == ""
    (row,) = search(client, Nip=by_fault["postal_code_malformed"].company.nip)
    assert row["KodPocztowy"] == "ABCDE"
    spoiled = by_fault["regon_checksum"]
    (row,) = search(client, Nip=spoiled.company.nip)
    assert f"{row['Regon']}|{row['SilosID']}" == spoiled.key and row["Regon"] != spoiled.company.regon
    name = "BIR11OsFizycznaDaneOgolne" if row["Typ"] == "F" else "BIR11OsPrawna"
    (report,) = rows(client.service.DanePobierzPelnyRaport(row["Regon"], name))
    assert row["Regon"] in report.values()
