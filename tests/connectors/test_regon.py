"""What REGON says, in the words it really uses: sessions, XML within a string, error codes with status 200."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.sax.saxutils import escape

import pytest

from onefold.connectors.page import PageReader
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import Attempt
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import KEY, SYSTEMS, Asker, Sandbox, client, endpoint, read_all, running

REGON = SYSTEMS["regon"]
UNKNOWN = "9999999999"
PUBL = "http://CIS/BIR/PUBL/2014/07"


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), companies=60) as sandbox:
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

    def made(*values: str, key: str | None = KEY, headers: dict[str, str] | None = None) -> PageReader:
        system = REGON
        connection = endpoint(sandbox, "regon", key)
        clients.append(client(system, connection, attempts))
        if headers:
            clients[-1].send = _with_headers(clients[-1].send, headers)
        return reader_of(system, "entity", connection, clients[-1], Asker(list(values)))

    yield made
    for each in clients:
        each.close()


def _with_headers(send, more):
    return lambda *args, headers=None, **others: send(*args, headers={**(headers or {}), **more}, **others)


def nips(sandbox: Sandbox) -> list[str]:
    return sorted({company.nip for company in sandbox.world.companies})


def searched(result: str) -> str:
    """The answer to a search, with this text as its result."""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>'
        f'<DaneSzukajPodmiotyResponse xmlns="{PUBL}"><DaneSzukajPodmiotyResult>{result}'
        "</DaneSzukajPodmiotyResult></DaneSzukajPodmiotyResponse></s:Body></s:Envelope>"
    )


def answer_searches(sandbox: Sandbox, body: str, code: int = 200, times: int = -1) -> None:
    sandbox.fault("regon", "status", code=code, body=body, path="DaneSzukaj", times=times)


def test_a_row_becomes_a_record_of_strings_keyed_by_regon_and_silos(sandbox, reader):
    nip = nips(sandbox)[0]
    result = read_all(reader(nip))
    [record], [payload] = result.records, result.payloads
    assert result.answers == {nip: "found"}
    assert record.key == f'["{payload["Regon"]}","{payload["SilosID"]}"]'
    assert (payload["Nip"], record.cursor, record.deleted) == (nip, None, False)
    assert all(isinstance(value, str) for value in payload.values())
    assert set(payload) == set(REGON.streams["entity"].fields)


def test_one_request_carries_twenty_questions_and_one_login_serves_all(sandbox, reader, attempts):
    asked = nips(sandbox)
    result = read_all(reader(*asked))
    assert set(result.answers.values()) == {"found"}
    assert list(result.answers) == asked
    batches = -(-len(asked) // 20)
    assert len(result.pages) == batches
    assert len([attempt for attempt in attempts if attempt.method == "POST"]) == batches + 1


def test_pages_go_on_after_any_of_them(sandbox, reader):
    pages = read_all(reader(*nips(sandbox))).pages
    rest = read_all(reader(*nips(sandbox)), token=pages[0].token).pages
    assert [page.lookup_results for page in rest] == [page.lookup_results for page in pages[1:]]
    assert pages[-1].token is None


def test_error_code_4_is_an_answer_and_spoils_none_of_its_batch(sandbox, reader):
    known = nips(sandbox)[:2]
    result = read_all(reader(*known, UNKNOWN))
    assert result.answers == {known[0]: "found", known[1]: "found", UNKNOWN: "not_found"}
    assert len(result.records) == 2


@pytest.mark.parametrize("value", ["", "123", "PL1234567890", "123-456-78-90", "1234567890,1"])
def test_what_is_no_tax_id_is_not_asked(reader, attempts, value):
    assert read_all(reader(value)).answers == {value: "not_found"}
    assert attempts == []


def test_a_closed_entity_is_a_record_and_no_deletion(sandbox, reader):
    closed = [company.nip for company in sandbox.world.companies if company.status != "active"]
    result = read_all(reader(*closed))
    assert not any(record.deleted for record in result.records)
    assert len(result.records) == len(closed)


def test_error_code_5_is_fatal_and_shown_without_the_text_beside_it(sandbox, reader):
    inner = "<root><dane><ErrorCode>5</ErrorCode><ErrorMessageEn>Invalid report name.</ErrorMessageEn></dane></root>"
    answer_searches(sandbox, searched(escape(inner)))
    with pytest.raises(Fatal, match=r"ErrorCode 5 \(20 bytes, hash"):
        read_all(reader(nips(sandbox)[0]))


@pytest.mark.parametrize("written", [escape, "<![CDATA[{}]]>".format], ids=["escaped", "cdata"])
@pytest.mark.parametrize("head", ["", '<?xml version="1.0" encoding="utf-16"?>', "\n"])
def test_the_inner_xml_is_read_escaped_or_as_cdata(sandbox, reader, written, head):
    row = "<Regon>1</Regon><SilosID>6</SilosID><Nip>1234567890</Nip><Nazwa>Ż &amp; Ł</Nazwa>"
    answer_searches(sandbox, searched(written(f"{head}<root><dane>{row}</dane></root>")))
    [payload] = read_all(reader("1234567890")).payloads
    assert payload == {"Regon": "1", "SilosID": "6", "Nip": "1234567890", "Nazwa": "Ż & Ł"}


def test_a_wrong_key_is_fatal_and_not_tried_again_and_again(reader, attempts):
    with pytest.raises(Fatal, match="did not accept the user key"):
        read_all(reader("1234567890", key="wrong"))
    assert len([attempt for attempt in attempts if attempt.method == "POST"]) == 2  # Zaloguj, GetValue


def test_a_missing_key_is_fatal(reader):
    with pytest.raises(Fatal, match="has no password"):
        read_all(reader("1234567890", key=None))


def test_an_expired_session_is_renewed_once(sandbox, reader, attempts):
    asked = nips(sandbox)
    sandbox.fault("regon", "expired_token", after=2, path="PUBL/2014/07")
    sandbox.fault("regon", "expired_token", times=1, path="GetValue")
    result = read_all(reader(*asked))
    assert set(result.answers.values()) == {"found"}
    wanted = 1 + 1 + 1 + 1 + 1 + 2  # login, batch, lost batch, GetValue, login, the lost batch and the last
    assert len([attempt for attempt in attempts if attempt.method == "POST"]) == wanted


def test_a_session_that_is_never_accepted_does_not_loop(sandbox, reader, attempts):
    sandbox.fault("regon", "expired_token", times=-1)
    with pytest.raises(Fatal, match="right after a login"):
        read_all(reader(*nips(sandbox)))
    assert len(attempts) < 10


@pytest.mark.parametrize("result", ["", "   ", "\r\n"])
def test_an_empty_answer_in_a_living_session_is_maintenance(sandbox, reader, result):
    answer_searches(sandbox, searched(result))
    with pytest.raises(Retriable, match="under maintenance"):
        read_all(reader(*nips(sandbox)))


@pytest.mark.parametrize(
    "body",
    [
        searched("Trwa przerwa techniczna"),
        searched("&lt;root&gt;&lt;dane&gt;"),
        searched("<![CDATA[<root><dane><Regon>1</dane></root>]]>"),
        "<html><body>Przerwa</body></html>",
        "",
    ],
)
def test_failed_read_never_overwrites_a_good_answer(sandbox, reader, body):
    asked = nips(sandbox)[:25]
    answer_searches(sandbox, body, times=5)
    result = read_all(reader(*asked))
    assert [result.answers[nip] for nip in asked] == ["failed"] * 20 + ["found"] * 5
    assert [payload["Nip"] for payload in result.payloads] == asked[20:]


def test_a_service_that_stays_down_fails_the_load(sandbox, reader):
    answer_searches(sandbox, "<html><body>Przerwa</body></html>")
    with pytest.raises(Retriable, match="circuit breaker is open"):
        read_all(reader(*nips(sandbox)))


@pytest.mark.parametrize("kind", ["html", "cut_body", "rate_limit"])
def test_one_bad_answer_is_asked_again(sandbox, reader, kind):
    nip = nips(sandbox)[0]
    sandbox.fault("regon", kind, path="DaneSzukaj", times=2)
    assert read_all(reader(nip)).answers == {nip: "found"}


@pytest.mark.parametrize("framing", ["crlf", "lf"])
def test_both_mtom_framings_give_the_same_records(sandbox, reader, framing):
    asked = nips(sandbox)[:3]
    plain = read_all(reader(*asked))
    framed = read_all(reader(*asked, headers={"X-Sandbox-Mtom": framing}))
    assert [record.payload for record in framed.records] == [record.payload for record in plain.records]


def test_a_bomb_within_the_string_is_refused(sandbox, reader):
    entities = '<!DOCTYPE root [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    bomb = f"{entities}<root><dane><Regon>&b;</Regon></dane></root>"
    answer_searches(sandbox, searched(escape(bomb)))
    result = read_all(reader(nips(sandbox)[0]))
    assert (list(result.answers.values()), result.records) == (["failed"], [])


def test_the_key_and_the_tax_ids_are_in_no_attempt_and_no_message(sandbox, reader, attempts):
    asked = nips(sandbox)[:3]
    answer_searches(sandbox, "<html>", times=-1)
    with pytest.raises(Retriable) as caught:
        read_all(reader(*nips(sandbox)))
    told = f"{caught.value} {attempts}"
    assert KEY not in told
    assert not [nip for nip in asked if nip in told]


def test_another_batch_size_is_a_setting(sandbox, attempts):
    stream = REGON.streams["entity"]
    lookup = stream.lookup.model_copy(update={"batch": 5})
    system = REGON.model_copy(update={"streams": {"entity": stream.model_copy(update={"lookup": lookup})}})
    connection = replace(endpoint(sandbox, "regon", KEY))
    with client(system, connection, attempts) as http:
        result = read_all(reader_of(system, "entity", connection, http, Asker(nips(sandbox)[:12])))
    assert [len(page.lookup_results) for page in result.pages] == [5, 5, 2]
