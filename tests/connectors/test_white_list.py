"""The white list of VAT payers: thirty at a time, a quota of the day, and the proof that it was asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from onefold.connectors.page import PageReader
from onefold.errors import Retriable
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import QuotaExhausted
from onefold.http.limit import MemoryLimiter
from onefold.systems.white_list import _checked
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import SYSTEMS, Asker, Sandbox, client, endpoint, read_all, running
from tests.http.web_server import Say, serving

WHITE_LIST = SYSTEMS["white_list"]
SPENT = json.dumps({"code": "WL-191", "message": "Przekroczono dzienny limit zapytań."})


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), systems=("white_list",)) as sandbox:
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

    def made(*values: str, limiter: MemoryLimiter | None = None, rate: str = "100000/s") -> PageReader:
        connection = Endpoint(f"{sandbox.url}/white_list", extra={"rate": rate})
        clients.append(
            Client(
                WHITE_LIST, connection, attempts.append, limiter=limiter or MemoryLimiter(), sleep=lambda seconds: None
            )
            if limiter
            else client(WHITE_LIST, connection, attempts)
        )
        return reader_of(WHITE_LIST, "subject", connection, clients[-1], Asker(list(values)))

    yield made
    for each in clients:
        each.close()


@pytest.fixture
def nips(sandbox: Sandbox) -> list[str]:
    """Of a hundred taxpayers in the register, in the order of the questions."""
    return sorted(entry.key for entry in sandbox.world.shelf("white_list.subject").entries)[:100]


def test_thirty_are_asked_about_at_once_and_each_answer_keeps_its_proof(reader, attempts, nips):
    result = read_all(reader(*nips))
    assert result.answers == dict.fromkeys(nips, "found")
    assert [len(page.records) for page in result.pages] == [30, 30, 30, 10]
    proofs = [{json.loads(record.payload)["requestId"] for record in page.records} for page in result.pages]
    assert [len(each) for each in proofs] == [1, 1, 1, 1]
    assert len(set.union(*proofs)) == 4
    assert [{answer.proof for answer in page.lookup_results} for page in result.pages] == proofs
    assert set(WHITE_LIST.streams["subject"].volatile) == {"requestId", "requestDateTime"}


def test_a_company_that_pays_no_vat_is_not_found_and_no_failure(sandbox, reader):
    nobody = sandbox.world.companies[19].nip
    result = read_all(reader(nobody, "1111111112", "12345"))
    assert (result.answers, result.records) == (
        {nobody: "not_found", "1111111112": "not_found", "12345": "not_found"},
        [],
    )


def test_no_tax_number_is_written_down(reader, attempts, nips):
    read_all(reader(*nips[:3]))
    assert [attempt.path for attempt in attempts] == ["/api/search/nips/{lookup_key}"]


def test_the_register_is_asked_about_todays_date_in_warsaw(monkeypatch: pytest.MonkeyPatch):
    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime(2026, 3, 10, 23, 30, tzinfo=UTC)

    monkeypatch.setattr("onefold.systems.white_list.datetime", Clock)
    empty = {"result": {"entries": [], "requestId": "a-1", "requestDateTime": "11-03-2026 00:30:00"}}
    with serving() as web:
        web.script(Say(200, json.dumps(empty).encode()))
        connection = Endpoint(web.url, extra={"rate": "1000/s"})
        with client(WHITE_LIST, connection) as http:
            read_all(reader_of(WHITE_LIST, "subject", connection, http, Asker(["5272889007"])))
        assert web.asked[0].params == {"date": "2026-03-11"}


def test_what_was_asked_and_not_answered_stays_open(reader, sandbox, nips):
    partly = {"result": {"entries": [], "requestId": "a-1", "requestDateTime": "11-03-2026 00:30:00"}}
    sandbox.fault("white_list", "status", code=200, body=json.dumps(partly), times=-1)
    assert read_all(reader(*nips[:2])).answers == {nips[0]: "failed", nips[1]: "failed"}


@pytest.mark.parametrize("odd", [None, 5, "x", [], {"identifier": 7}])
def test_an_entry_or_a_subject_that_is_none_keeps_no_other_out(reader, sandbox, nips, odd):
    good = {"identifier": nips[0], "subjects": [{"nip": nips[0]}, odd]}
    answer = {"result": {"entries": [odd, good], "requestId": "a-1", "requestDateTime": "11-03-2026 00:30:00"}}
    sandbox.fault("white_list", "status", code=200, body=json.dumps(answer), times=-1)
    result = read_all(reader(*nips[:2]))
    assert result.answers == {nips[0]: "found", nips[1]: "failed"}
    assert nips[0] in {record.key for record in result.records}
    assert len(result.records) == 3


def test_a_quota_that_is_used_up_there_leaves_the_rest_open_and_keeps_what_was_answered(
    sandbox, reader, attempts, nips
):
    sandbox.fault("white_list", "status", code=429, body=SPENT, after=2, times=-1)
    result = read_all(reader(*nips))
    assert len(attempts) == 3  # who is told that there is no more does not ask again
    assert [record.key for record in result.records] == nips[:60]
    assert {question for question, outcome in result.answers.items() if outcome == "found"} == set(nips[:60])
    assert result.pages[-1].token is None


def test_a_quota_that_is_used_up_here_asks_no_more_and_keeps_what_was_answered(reader, attempts, nips):
    shared = MemoryLimiter(lambda: datetime(2026, 3, 10, 2, tzinfo=UTC).timestamp())
    result = read_all(reader(*nips, limiter=shared, rate="2/day@Europe/Warsaw"))
    assert len(attempts) == 2
    assert [record.key for record in result.records] == nips[:60]
    with pytest.raises(QuotaExhausted, match=r"2/day@Europe/Warsaw.*used up"):  # the next run on that day
        read_all(reader(*nips[60:], limiter=shared, rate="2/day@Europe/Warsaw"))
    assert len(attempts) == 2


def test_a_load_that_goes_on_after_a_crash_and_finds_no_quota_ends_with_what_it_has(sandbox, reader, nips):
    sandbox.fault("white_list", "status", code=429, body=SPENT, times=-1)
    [page] = read_all(reader(*nips), token=nips[29]).pages
    assert (page.records, page.token) == ([], None)


def test_a_register_that_is_being_updated_is_asked_later(sandbox, reader, attempts, nips):
    updating = json.dumps({"code": "WL-196", "message": "Trwa aktualizacja bazy danych."})
    sandbox.fault("white_list", "status", code=400, body=updating, times=2)
    assert read_all(reader(nips[0])).answers == {nips[0]: "found"}
    sandbox.fault("white_list", "status", code=400, body=updating, times=-1)
    with pytest.raises(Retriable, match="run it later"):
        read_all(reader(*nips))


def test_an_error_with_status_200_is_no_answer(sandbox, reader, nips):
    sandbox.fault("white_list", "status", code=200, body='{"code": "WL-190", "message": "?"}', times=-1)
    assert read_all(reader(nips[0])).answers == {nips[0]: "failed"}


def test_the_stand_in_knows_single_searches_and_accounts_too(sandbox, reader, nips):
    with client(WHITE_LIST, endpoint(sandbox, "white_list")) as http:
        today = {"date": f"{datetime.now(UTC):%F}"}

        def ask(path: str) -> dict:
            return http.send("GET", path, params=today, parse=lambda answer: json.loads(answer.body)["result"])

        nobody = sandbox.world.companies[19].nip
        assert ask(f"/api/search/nip/{nobody}")["subject"] is None
        account = ask(f"/api/search/nip/{nips[0]}")["subject"]["accountNumbers"][0]
        assert ask(f"/api/check/nip/{nips[0]}/bank-account/{account}")["accountAssigned"] == "TAK"


@pytest.mark.parametrize("said", [None, "", "tak", "MOŻE", "missing"])
def test_an_answer_that_says_nothing_of_the_account_is_no_answer_and_not_a_no(said: str | None) -> None:
    def answer(result: dict[str, object]) -> Response:
        return Response(200, {}, json.dumps({"result": {"requestId": "x", "requestDateTime": "y", **result}}).encode())

    assert _checked(answer({"accountAssigned": "NIE"})).accountAssigned == "NIE"
    with pytest.raises(BadBody):
        _checked(answer({} if said == "missing" else {"accountAssigned": said}))
