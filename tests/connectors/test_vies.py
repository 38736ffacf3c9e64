"""VIES: the second way helps out where the first gives no answer, and no answer is never a no."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from onefold.connectors.page import PageReader
from onefold.errors import Retriable
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import QuotaExhausted
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import SYSTEMS, Asker, Sandbox, client, read_all, running

VIES = SYSTEMS["vies"]
REST, SOAP = "rest-api", "services/checkVatService"
NOT_KNOWN = ("MS_UNAVAILABLE", "MS_MAX_CONCURRENT_REQ", "SERVICE_UNAVAILABLE", "TIMEOUT", "SERVER_BUSY")


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), systems=("vies",)) as sandbox:
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

    def made(*values: str, **extra: str) -> PageReader:
        connection = Endpoint(f"{sandbox.url}/vies", extra={"rate": "100000/s", **extra})
        clients.append(client(VIES, connection, attempts))
        return reader_of(VIES, "number", connection, clients[-1], Asker(list(values)))

    yield made
    for each in clients:
        each.close()


@pytest.fixture
def valid(sandbox: Sandbox) -> list[str]:
    """Numbers that are valid, in the order of the questions."""
    gone = {entry.key for entry in sandbox.world.shelf("vies.number").entries if entry.deleted or entry.broken}
    held = (f"PL{company.nip}" for company in sandbox.world.companies if company.eu_vat and not company.struck_off)
    return sorted(set(held) - gone)


@pytest.fixture
def invalid(sandbox: Sandbox) -> str:
    return next(f"PL{company.nip}" for company in sandbox.world.companies if not company.eu_vat)


def by_rest(code: str) -> dict[str, object]:
    said = {"actionSucceed": False, "errorWrappers": [{"error": code}]}
    return {"kind": "status", "code": 200, "body": json.dumps(said), "path": REST, "times": -1}


def by_soap(code: str, status: int = 500) -> dict[str, object]:
    fault = f"<env:Fault><faultcode>env:Server</faultcode><faultstring>{code}</faultstring></env:Fault>"
    envelope = '<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Body>'
    body = f"{envelope}{fault}</env:Body></env:Envelope>"
    return {"kind": "status", "code": status, "body": body, "path": SOAP, "times": -1}


def meant(payloads: list[dict]) -> list[dict]:
    """Without what differs at every reading."""
    return [
        {name: value for name, value in payload.items() if name not in VIES.streams["number"].volatile}
        for payload in payloads
    ]


def test_a_valid_number_has_its_owner_and_an_invalid_one_is_an_answer_too(reader, valid, invalid):
    result = read_all(reader(valid[0], invalid))
    assert result.answers == {valid[0]: "found", invalid: "found"}
    said = {payload["vat"]: payload for payload in result.payloads}
    assert said[valid[0]]["valid"] is True
    assert len(said[valid[0]]["name"]) > 3
    assert (said[invalid]["valid"], said[invalid]["name"], said[invalid]["address"]) == (False, None, None)


def test_three_dashes_are_nothing(reader):
    [payload] = read_all(reader("DE123456788")).payloads
    assert (payload["valid"], payload["name"], payload["address"]) == (True, None, None)


def test_greece_is_el(reader):
    [payload] = read_all(reader("GR12345678")).payloads
    assert (payload["countryCode"], payload["valid"]) == ("EL", True)


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "code": 503}, {"kind": "html"}, {"kind": "cut_body"}, {"kind": "rate_limit"}]
)
def test_soap_gives_the_same_records_while_rest_is_down(sandbox, reader, attempts, valid, invalid, fault):
    asked = sorted([*valid[:5], invalid, "DE123456788"])
    undisturbed = read_all(reader(*asked))
    attempts.clear()
    sandbox.fault("vies", **fault, path=REST, times=-1)
    result = read_all(reader(*asked))
    assert result.answers == undisturbed.answers
    assert meant(result.payloads) == meant(undisturbed.payloads)
    by_way = [REST in attempt.path for attempt in attempts]
    assert by_way.count(True) == VIES.limits.attempts  # then the other way goes first


@pytest.mark.parametrize("code", NOT_KNOWN)
def test_what_rest_cannot_tell_is_asked_by_soap(sandbox, reader, valid, code):
    sandbox.fault("vies", **by_rest(code))
    result = read_all(reader(valid[0]))
    assert (result.answers, result.payloads[0]["valid"]) == ({valid[0]: "found"}, True)


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("code", NOT_KNOWN)
def test_not_known_is_never_invalid(sandbox, reader, attempts, valid, code, status):
    sandbox.fault("vies", **by_rest(code))
    sandbox.fault("vies", **by_soap(code, status))
    result = read_all(reader(valid[0]))
    assert (result.answers, result.records) == ({valid[0]: "failed"}, [])
    calls = [attempt for attempt in attempts if attempt.method == "POST"]
    assert len(calls) == 2  # one by REST and one by SOAP: the state's system is not pressed
    with pytest.raises(Retriable, match=code):  # not one of several
        read_all(reader(*valid[:3]))


def test_a_false_with_a_reason_is_not_known(sandbox, reader, valid):
    said = {"countryCode": "PL", "vatNumber": "1", "valid": False, "userError": "MS_UNAVAILABLE"}
    sandbox.fault("vies", "status", code=200, body=json.dumps(said), path=REST, times=-1)
    sandbox.fault("vies", **by_soap("MS_UNAVAILABLE"))
    assert read_all(reader(valid[0])).answers == {valid[0]: "failed"}


@pytest.mark.parametrize("fault", [by_rest("INVALID_INPUT"), by_soap("{ 'INVALID_INPUT' }")], ids=["rest", "soap"])
def test_invalid_input_is_a_no(sandbox, reader, valid, fault):
    sandbox.fault("vies", **fault)
    if fault["path"] == SOAP:
        sandbox.fault("vies", **by_rest("MS_UNAVAILABLE"))
    result = read_all(reader(valid[0]))
    assert (result.answers, result.payloads[0]["valid"]) == ({valid[0]: "found"}, False)


def test_whoever_is_blocked_asks_no_more_and_keeps_what_was_answered(sandbox, reader, attempts, valid):
    sandbox.fault("vies", **{**by_rest("IP_BLOCKED"), "after": 2})
    result = read_all(reader(*valid[:5]))
    assert [record.key for record in result.records] == valid[:2]
    attempts.clear()
    with pytest.raises(QuotaExhausted, match="IP_BLOCKED"):
        read_all(reader(*valid[:5]))


def test_what_is_no_vat_number_is_not_asked(reader, attempts):
    assert read_all(reader("5272889007", "PL")).answers == {"5272889007": "not_found", "PL": "not_found"}
    assert attempts == []


def test_who_says_who_asks_gets_a_proof(reader, valid):
    [payload] = read_all(reader(valid[0], requester="PL5252248481")).payloads
    assert payload["requestIdentifier"]
    assert read_all(reader(valid[0])).payloads[0]["requestIdentifier"] == ""
