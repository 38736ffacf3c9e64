"""REGON's stand-in, read with zeep from the contract that it serves, and once by hand where zeep cannot."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests
import zeep
from lxml import etree
from starlette.types import ASGIApp, Receive, Scope, Send
from zeep.wsa import WsAddressingPlugin

from sandbox.regon import api as regon
from sandbox.wire.mtom import as_mtom
from sandbox.world import Company, SourceRecord, World
from tests.sandbox.serving import served

KEY = "abcde12345abcde12345"
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
PATH = "/wsBIR/UslugaBIRzewnPubl.svc"

Row = dict[str, str]


@pytest.fixture(scope="module")
def world() -> World:
    return World(companies=1200, seed=7)


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    with served("/regon", regon.routes(world)) as url:
        yield url


@pytest.fixture
def client(url: str) -> zeep.Client:
    """zeep on the served contract, logged in; it adds the addressing headers that the contract asks for."""
    client = zeep.Client(f"{url}{PATH}?wsdl")
    client.transport.session.headers["sid"] = client.service.Zaloguj(KEY)
    return client


def rows(inner: str | None) -> list[Row]:
    """The <dane> rows of an answer's inner XML, each as element name -> text ("" when empty)."""
    assert inner, "the answer is empty"
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    return [{field.tag: field.text or "" for field in row} for row in etree.fromstring(inner.encode(), parser)]


def search(client: zeep.Client, **identifier: str) -> list[Row]:
    return rows(client.service.DaneSzukajPodmioty(identifier))


def record(world: World, fits: Callable[[SourceRecord], bool]) -> SourceRecord:
    return next(record for record in world.records("regon") if fits(record))


def sound(world: World, **wanted: object) -> Company:
    """A company with these attributes whose record is not broken on purpose."""
    return record(
        world,
        lambda r: r.broken is None and all(getattr(r.company, k) == v for k, v in wanted.items()),
    ).company


def envelope(action: str, to: str, body: str, head: str = "") -> bytes:
    return (
        f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        f'xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>{action}{to}{head}</s:Header>'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


LOG_IN = f'<Zaloguj xmlns="http://CIS/BIR/PUBL/2014/07"><pKluczUzytkownika>{KEY}</pKluczUzytkownika></Zaloguj>'
ACTION = "<a:Action>http://CIS/BIR/PUBL/2014/07/IUslugaBIRzewnPubl/Zaloguj</a:Action>"


def post(url: str, body: bytes, **headers: str) -> requests.Response:
    return requests.post(f"{url}{PATH}", body, headers=headers, timeout=10)


def to(url: str) -> str:
    return f"<a:To>{url}{PATH}</a:To>"


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


def test_a_wrong_key_gives_an_empty_answer_not_an_error(url: str) -> None:
    client = zeep.Client(f"{url}{PATH}?wsdl")
    assert not client.service.Zaloguj("wrong")
    assert len(client.service.Zaloguj(KEY)) == 20


def test_without_a_living_session_answers_are_empty_and_the_code_is_7(client: zeep.Client, world: World) -> None:
    get = client.service.GetValue
    assert (get("StatusSesji"), get("KomunikatKod")) == ("1", "0")
    assert client.service.Wyloguj(client.transport.session.headers["sid"]) is True
    assert not client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
    assert not client.service.DanePobierzPelnyRaport(world.companies[0].regon, "BIR11OsPrawna")
    assert (get("StatusSesji"), get("KomunikatKod"), get("StatusUslugi")) == ("0", "7", "1")
    assert "Brak sesji" in get("KomunikatTresc")


def test_a_session_expires(url: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_REGON_SESSION_SECONDS", "0")
    client = zeep.Client(f"{url}{PATH}?wsdl")
    client.transport.session.headers["sid"] = client.service.Zaloguj(KEY)
    assert not client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
    assert client.service.GetValue("KomunikatKod") == "7"


def test_a_session_that_the_fault_expired_token_hit_stays_expired(world: World) -> None:
    struck: set[str] = set()

    def striking(app: ASGIApp) -> ASGIApp:
        async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and struck:
                scope = {**scope, "sandbox.expired_token": struck.pop()}
            await app(scope, receive, send)

        return middleware

    with served("/regon", regon.routes(world), striking) as url:
        client = zeep.Client(f"{url}{PATH}?wsdl")
        sid = client.service.Zaloguj(KEY)
        client.transport.session.headers["sid"] = sid
        assert client.service.GetValue("KomunikatKod") == "0"
        struck.add(sid)
        assert not client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
        assert client.service.GetValue("KomunikatKod") == "7"
        client.transport.session.headers["sid"] = client.service.Zaloguj(KEY)
        assert search(client, Nip=world.companies[0].nip)


def test_the_inner_xml_comes_as_cdata_and_as_entities_the_same_question_always_alike(
    url: str, client: zeep.Client, world: World
) -> None:
    def raw(company: Company) -> bytes:
        with client.settings(raw_response=True):
            return client.service.DaneSzukajPodmioty({"Nip": company.nip}).content

    forms = {company.nip: b"<![CDATA[<root>" in raw(company) for company in world.companies[:20]}
    assert set(forms.values()) == {True, False}
    for company in world.companies[:20]:
        answer = raw(company)
        assert (b"<![CDATA[<root>" in answer, b"&lt;root&gt;" in answer) == (
            forms[company.nip],
            not forms[company.nip],
        )
        (row,) = search(client, Nip=company.nip)
        assert row["Nip"] == company.nip


def test_zeep_reads_an_mtom_answer_framed_with_crlf(client: zeep.Client, world: World) -> None:
    client.transport.session.headers["X-Sandbox-Mtom"] = "crlf"
    with client.settings(raw_response=True):
        answer = client.service.DaneSzukajPodmioty({"Nip": world.companies[0].nip})
    assert answer.headers["content-type"].startswith('multipart/related; type="application/xop+xml"')
    (row,) = search(client, Nip=world.companies[0].nip)
    assert row["Nip"] == world.companies[0].nip
    assert client.service.GetValue("KomunikatKod") == "0"


def test_an_mtom_answer_framed_with_lf_holds_the_same_envelope(client: zeep.Client, world: World) -> None:
    def raw(framing: str) -> bytes:
        client.transport.session.headers["X-Sandbox-Mtom"] = framing
        with client.settings(raw_response=True):
            return client.service.GetValue("StatusUslugi").content

    assert b"\r\n" not in raw("lf")
    part = raw("lf").split(b"\n\n", 1)[1]
    answered = etree.fromstring(part.rsplit(b"\n--uuid:", 1)[0])
    assert "".join(answered.itertext()).endswith("1")
    assert raw("crlf").count(b"\r\n") == raw("lf").count(b"\n")


def test_mtom_comes_by_setting_to_those_who_accept_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_REGON_MTOM", "lf")
    body = envelope(ACTION, to(url), LOG_IN)
    accepted = post(url, body, Accept="application/xop+xml, multipart/related")
    assert accepted.headers["content-type"].startswith("multipart/related")
    assert post(url, body).headers["content-type"] == "application/soap+xml; charset=utf-8"


def test_the_mtom_boundary_is_no_part_of_the_envelope() -> None:
    body, content_type = as_mtom(b"<s:Envelope/>", "crlf")
    boundary = content_type.split('boundary="')[1].split('"')[0].encode()
    assert body.startswith(b"--" + boundary + b"\r\n")
    assert body.endswith(b"\r\n--" + boundary + b"--\r\n")
    assert body.split(b"\r\n\r\n")[1].split(b"\r\n")[0] == b"<s:Envelope/>"


@pytest.mark.parametrize(
    ("case", "subcode"),
    [
        ("no action", "MessageAddressingHeaderRequired"),
        ("no to", "MessageAddressingHeaderRequired"),
        ("another to", "DestinationUnreachable"),
        ("unknown action", "ActionNotSupported"),
        ("another body", "DeserializationFailed"),
        ("not xml", "DeserializationFailed"),
        ("a dtd", "DeserializationFailed"),
    ],
)
def test_what_the_service_refuses_is_a_soap_fault(url: str, case: str, subcode: str) -> None:
    bodies = {
        "no action": envelope("", to(url), LOG_IN),
        "no to": envelope(ACTION, "", LOG_IN),
        "another to": envelope(ACTION, "<a:To>http://elsewhere/other.svc</a:To>", LOG_IN),
        "unknown action": envelope(ACTION.replace("Zaloguj", "Usun"), to(url), LOG_IN),
        "another body": envelope(ACTION, to(url), LOG_IN.replace("Zaloguj", "Wyloguj")),
        "not xml": b"<s:Envelope",
        "a dtd": b'<!DOCTYPE x [<!ENTITY e "v">]>' + envelope(ACTION, to(url), LOG_IN),
    }
    answer = post(url, bodies[case])
    assert answer.status_code in (400, 500)
    fault = etree.fromstring(answer.content).find(".//{http://www.w3.org/2003/05/soap-envelope}Fault")
    assert subcode in "".join(fault.itertext())


def test_addressing_headers_given_twice_are_refused_as_zeep_gives_them_with_its_plugin(url: str) -> None:
    client = zeep.Client(f"{url}{PATH}?wsdl", plugins=[WsAddressingPlugin()])
    with pytest.raises(zeep.exceptions.Fault, match="Multiple headers with name 'Action'"):
        client.service.Zaloguj(KEY)


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
