"""What the register of beneficial owners says: three statuses, persons and groups, and how it is when it is down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from onefold.connectors.page import PageReader
from onefold.errors import Retriable
from onefold.http.attempt import Attempt
from sandbox.crbr.api import OPERATION
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import SYSTEMS, Asker, Sandbox, client, endpoint, read_all, running

CRBR = SYSTEMS["crbr"]
OUTAGE = (
    '<env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope"><env:Body><env:Fault><env:Code><env:Value>\n'
    "      env:Receiver\n    </env:Value></env:Code><env:Reason><env:Text>Internal Error (from server)</env:Text>"
    "</env:Reason></env:Fault></env:Body></env:Envelope>"
)


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), companies=150, systems=("crbr",)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started: Sandbox) -> Sandbox:
    started.reset()
    return started


@pytest.fixture
def attempts() -> list[Attempt]:
    return []


@pytest.fixture
def reader(sandbox: Sandbox, attempts: list[Attempt]):
    clients = []

    def made(*values: str) -> PageReader:
        connection = endpoint(sandbox, "crbr")
        clients.append(client(CRBR, connection, attempts))
        return reader_of(CRBR, "beneficiary", connection, clients[-1], Asker(list(values)))

    yield made
    for each in clients:
        each.close()


def registered(sandbox: Sandbox) -> list[str]:
    """The KRS numbers of the companies that have named their owners."""
    parts = sandbox.world.shelf("crbr.beneficiary").of_number
    return sorted(sandbox.world.companies[number].krs for number in parts if number < len(sandbox.world.companies))


def answer(status: str, owners: str = "", krs: str = "0000000001") -> str:
    entry = (
        f"<SpolkaIBeneficjenci><Nazwa>X</Nazwa><NIP>5252248481</NIP><KRS>{krs}</KRS><ListaBeneficjentowRzeczywistych>"
        f"{owners}</ListaBeneficjentowRzeczywistych><NumerReferencyjny>N/1</NumerReferencyjny></SpolkaIBeneficjenci>"
    )
    found = f"<ListaInformacjiOSpolkachIBeneficjentach>{entry}</ListaInformacjiOSpolkachIBeneficjentach>"
    data = f"{found if owners else ''}<Status>{status}</Status>"
    return (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        f"<r:{OPERATION}Odpowiedz xmlns:r='r'><{OPERATION}OdpowiedzDane>{data}</{OPERATION}OdpowiedzDane>"
        f"</r:{OPERATION}Odpowiedz></e:Body></e:Envelope>"
    )


def says(sandbox: Sandbox, body: str, code: int = 200, times: int = -1) -> None:
    sandbox.fault("crbr", "status", code=code, body=body, times=times)


def test_every_owner_is_a_record_whose_key_names_no_person(sandbox, reader):
    result = read_all(reader(*registered(sandbox)))
    persons = [payload for payload in result.payloads if "PierwszeImie" in payload]
    groups = [payload for payload in result.payloads if "NazwaBeneficjentaGrupowego" in payload]
    assert persons and groups and len(persons) + len(groups) == len(result.records)
    assert {bool(payload.get("PESEL")) ^ bool(payload.get("DataUrodzenia")) for payload in persons} == {True}
    assert max(len(payload["Obywatelstwo"]) for payload in persons) > 1
    assert all(re.fullmatch(r"-?[0-9.]+E\+[01]", rights["Ilosc"]) for payload in persons for rights in shares(payload))
    for record, payload in zip(result.records, result.payloads, strict=True):
        assert json.loads(record.key) == [payload["KRS"], payload["NumerReferencyjny"], str(payload["Pozycja"])]
    assert set(result.answers.values()) == {"found"}


def shares(payload: dict) -> list[dict]:
    direct = "UprawnieniaWlascicielskieBezposrednie"
    return [each[direct] for each in payload["ListaInformacjiOUdzialach"] if direct in each]


def test_who_reported_the_owners_is_not_kept(sandbox, reader):
    assert not any("Zglaszajac" in json.dumps(payload) for payload in read_all(reader(*registered(sandbox))).payloads)


def test_no_information_is_an_answer_and_takes_away_what_was_held(sandbox, reader):
    number = registered(sandbox)[0]
    says(sandbox, answer("BrakInformacji"))
    result = read_all(reader(number))
    assert (result.answers, result.records) == ({number: "not_found"}, [])
    assert [part.name for page in result.pages for part in page.ended] == [number]


def test_a_question_that_was_formally_wrong_is_an_answer_and_leaves_what_was_held(sandbox, reader):
    number = registered(sandbox)[0]
    says(sandbox, answer("BladFormalny"))
    result = read_all(reader(number))
    assert (result.answers, result.records) == ({number: "not_found"}, [])
    assert [part for page in result.pages for part in page.ended] == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (OUTAGE, 500),
        ("null", 200),
        (answer("Nieznany"), 200),
        (answer("IstniejaInformacje", "<A/>", "0000000002"), 200),
    ],
    ids=["outage", "null", "a fourth status", "another company"],
)
def test_what_is_no_answer_is_asked_again_and_never_taken_for_one(sandbox, reader, attempts, body, code):
    first, second = registered(sandbox)[:2]
    says(sandbox, body, code, times=2)
    assert read_all(reader(first)).answers == {first: "found"}
    assert [attempt.error is None for attempt in attempts] == [False, False, True]
    says(sandbox, body, code, times=CRBR.limits.attempts)
    result = read_all(reader(first, second))
    assert result.answers == {first: "failed", second: "found"}
    assert [part.name for page in result.pages for part in page.ended] == [second]


def test_a_register_that_is_down_fails_the_load(sandbox, reader):
    says(sandbox, OUTAGE, 500)
    with pytest.raises(Retriable, match="a SOAP fault of the other side"):
        read_all(reader(*registered(sandbox)[:2]))


def test_one_owner_with_one_citizenship_is_told_like_several(sandbox, reader):
    number = registered(sandbox)[0]
    country = "<Obywatelstwo><Kod>PL</Kod></Obywatelstwo>"
    rights = "<UprawnieniaWlascicielskieBezposrednie><Ilosc>1E+0</Ilosc></UprawnieniaWlascicielskieBezposrednie>"
    told = (
        f"<ListaInformacjiOUdzialach><InformacjaOUdzialach>{rights}</InformacjaOUdzialach></ListaInformacjiOUdzialach>"
    )
    owner = f"<BeneficjentRzeczywisty><Nazwisko>Y</Nazwisko>{country}{told}</BeneficjentRzeczywisty>"
    says(sandbox, answer("IstniejaInformacje", owner, number))
    [payload] = read_all(reader(number)).payloads
    assert payload["Obywatelstwo"] == [{"Kod": "PL"}]
    assert shares(payload) == [{"Ilosc": "1E+0"}]


@pytest.mark.parametrize("value", ["0000000000", "123", "KRS1234567"])
def test_what_is_no_number_is_not_asked(reader, attempts, value):
    assert read_all(reader(value)).answers == {value: "not_found"}
    assert attempts == []
