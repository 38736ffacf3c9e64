"""Salesforce by query and by job, against the sandbox: whole, in any window, through every fault, and alike."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from _pytest.mark import ParameterSet

from onefold.catalog.reader import read_systems
from onefold.catalog.request import Bulk
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.systems.salesforce import connector as salesforce
from tests.connectors.running_sandbox import Connected, Sandbox, everything, names, running


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    environment = {**os.environ, "SANDBOX_SF_BATCH": "60", "SANDBOX_SALESFORCE_BULK": "60"}
    with running(tmp_path_factory.mktemp("sandbox"), 300, environment) as sandbox:
        yield sandbox


@pytest.fixture
def by_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """No window is large."""
    monkeypatch.setattr(salesforce, "is_large", lambda window, bulk, count: False)


@pytest.fixture(params=["by query", "by job"])
def accounts(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Connected]:
    if request.param == "by query":
        request.getfixturevalue("by_query")
    yield from connected(sandbox)


@pytest.fixture
def queried(sandbox: Sandbox, by_query: None) -> Iterator[Connected]:
    yield from connected(sandbox)


@pytest.fixture
def by_job(sandbox: Sandbox) -> Iterator[Connected]:
    yield from connected(sandbox)


def connected(sandbox: Sandbox, stream: str = "account") -> Iterator[Connected]:
    sandbox.clear()
    yield Connected(sandbox, "salesforce", stream, "onefold", f"{sandbox.url}/salesforce")
    sandbox.clear()


def test_all_accounts_come_once_with_whole_payloads(accounts: Connected) -> None:
    pages = accounts.pages()
    records = [record for page in pages for record in page.records]
    assert len(pages) > 2
    assert len({record.key for record in records}) == len(records) > 100
    for record in records:
        payload = json.loads(record.payload)
        assert payload["Id"] == record.key
        assert payload["SystemModstamp"][:19] == (record.cursor or "")[:19]
    assert accounts.attempts[-1].limit == 100_000
    assert {attempt.status for attempt in accounts.attempts} == {200}


def test_a_query_gives_the_cursors_order(queried: Connected) -> None:
    order = [record.cursor or "" for page in queried.pages() for record in page.records]
    assert order == sorted(order)


def test_overlapping_windows_give_the_union(accounts: Connected) -> None:
    whole = accounts.versions()
    moments = sorted(cursor for _, cursor in whole)
    cut = datetime.fromisoformat(moments[len(moments) // 2])
    early = datetime.fromisoformat(moments[len(moments) // 3])
    first = accounts.versions(Window(BEGINNING, cut))
    second = accounts.versions(Window(early, everything().end))
    assert first | second == whole
    assert len(first) < len(whole) > len(second)
    assert all(datetime.fromisoformat(cursor) < cut for _, cursor in first)


def test_two_adjoining_windows_lose_no_record_on_their_edge(accounts: Connected) -> None:
    whole = accounts.versions()
    edge = datetime.fromisoformat(sorted(cursor for _, cursor in whole)[len(whole) // 2])
    before = accounts.versions(Window(BEGINNING, edge))
    after = accounts.versions(Window(edge, everything().end))
    assert before | after == whole
    assert not before.keys() & after.keys()


def test_any_page_can_be_gone_on_from(accounts: Connected) -> None:
    pages = accounts.pages()
    for place, page in enumerate(pages[:-1]):
        resumed = [record.key for rest in accounts.pages(token=page.token) for record in rest.records]
        assert resumed == [record.key for rest in pages[place + 1 :] for record in rest.records]


def test_deletions_arrive_as_deleted_records(accounts: Connected) -> None:
    before = sum(record.deleted for page in accounts.pages() for record in page.records)
    accounts.sandbox.advance(deletions=20)
    after = sum(record.deleted for page in accounts.pages() for record in page.records)
    assert after > before


def only_http(*faults: dict[str, object]) -> list[ParameterSet]:
    """Faults that no reader sees: tests/http and tests/acceptance prove what becomes of them."""
    return [pytest.param(fault, marks=pytest.mark.full_matrix) for fault in faults]


@pytest.mark.parametrize(
    "fault",
    [
        *only_http({"kind": "status", "code": 500}, {"kind": "status", "code": 503}),
        {"kind": "html"},
        {"kind": "cut_body"},
        {"kind": "bom"},
        {"kind": "repeat_page"},
        {"kind": "expired_token"},
        *only_http({"kind": "rate_limit"}, {"kind": "rate_limit", "retry_after": 3}),
    ],
    ids=lambda fault: "_".join(str(value) for value in fault.values()),
)
@pytest.mark.parametrize("after", [pytest.param(0, marks=pytest.mark.full_matrix), 2], ids=["first page", "later page"])
def test_a_passing_fault_changes_nothing_of_what_is_read(
    accounts: Connected, fault: dict[str, object], after: int
) -> None:
    whole = accounts.versions()
    accounts.sandbox.fault(system="salesforce", path="query", after=after, **fault)
    assert accounts.versions() == whole
    hits = requests.get(f"{accounts.sandbox.url}/control/faults", timeout=10).json()
    assert '"hits": 1' in json.dumps(hits)
    if fault.get("retry_after"):
        assert 3.0 in accounts.slept


def test_a_lasting_rate_limit_is_retriable_although_it_is_a_403(accounts: Connected) -> None:
    accounts.sandbox.fault(system="salesforce", kind="rate_limit", path="query", times=-1)
    with pytest.raises(Retriable, match="REQUEST_LIMIT_EXCEEDED"):
        accounts.pages()
    assert accounts.attempts[-1].used == 100_000


def test_a_session_that_no_token_opens_does_not_loop(accounts: Connected) -> None:
    accounts.sandbox.fault(system="salesforce", kind="expired_token", times=-1)
    with pytest.raises(Fatal, match="INVALID_SESSION_ID"):
        accounts.pages()
    assert len(accounts.attempts) == 4


def test_a_page_that_repeats_for_ever_ends_with_a_clear_error(accounts: Connected) -> None:
    accounts.sandbox.fault(system="salesforce", kind="repeat_page", times=-1)
    with pytest.raises(Fatal, match=r"salesforce\.account.*circle"):
        accounts.pages()


def test_a_records_list_that_was_renamed_is_a_changed_contract(queried: Connected) -> None:
    queried.sandbox.fault(system="salesforce", kind="rename_field", field="records", to="rows", path="query")
    with pytest.raises(Fatal, match=r"salesforce\.account.*records.*rows"):
        queried.pages()


def test_a_key_that_was_renamed_reaches_the_gate_as_no_key(accounts: Connected) -> None:
    accounts.sandbox.fault(system="salesforce", kind="rename_field", field="Id", to="Key", path="query", times=-1)
    records = [record for page in accounts.pages() for record in page.records]
    assert {record.key for record in records} == {None}
    assert "Key" in names(records[0].payload)


def test_a_wrong_secret_is_fatal_and_names_the_connection(sandbox: Sandbox) -> None:
    connected = Connected(sandbox, "salesforce", "account", "nobody", f"{sandbox.url}/salesforce")
    with pytest.raises(Fatal, match=r"oauth2/token.*invalid_client.*connection 'salesforce'"):
        connected.pages()


STREAMS = sorted(read_systems()["salesforce"].streams)


@pytest.mark.parametrize("stream", STREAMS)
def test_a_query_and_a_job_give_the_same_bytes_for_every_record(
    sandbox: Sandbox, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.advance(changes=8, deletions=4, new=2)
    (source,) = connected(sandbox, stream)
    job = source.versions()
    with monkeypatch.context() as patch:
        patch.setattr(salesforce, "is_large", lambda window, bulk, count: False)
        query = source.versions()
    assert len(job) > 40
    assert job == query
    asked = {attempt.path.rsplit("/", 1)[1] for attempt in source.attempts}
    assert {"results", "queryAll"} <= asked


def test_everything_is_asked_for_by_a_job(by_job: Connected) -> None:
    by_job.pages()
    assert [attempt.method for attempt in by_job.attempts if attempt.path.endswith("/jobs/query")] == ["POST"]
    assert not any(attempt.path.endswith("/queryAll") for attempt in by_job.attempts)
    assert by_job.slept[:2] == [0.25, 0.5], "it waits, longer each time, until the job is done"


@pytest.mark.parametrize(("days", "asked"), [(30, 1), (31, 2)])
def test_a_long_window_with_little_in_it_is_counted_and_asked_for_by_query(
    by_job: Connected, days: int, asked: int
) -> None:
    end = datetime(2026, 6, 1, tzinfo=UTC)
    assert by_job.versions(Window(end - timedelta(days=days), end))
    assert sum(attempt.path.endswith("/queryAll") for attempt in by_job.attempts) == asked
    assert not any("/jobs/" in attempt.path for attempt in by_job.attempts)


def test_a_long_window_with_much_in_it_is_asked_for_by_a_job() -> None:
    end = datetime(2026, 6, 1, tzinfo=UTC)
    bulk = Bulk(path="/jobs", records=2)
    month, longer = Window(end - timedelta(days=30), end), Window(end - timedelta(days=31), end)
    assert salesforce.is_large(longer, bulk, lambda: 3)
    assert not salesforce.is_large(longer, bulk, lambda: 2)
    assert not salesforce.is_large(month, bulk, lambda: 3)


def test_a_result_that_is_no_longer_kept_is_asked_for_anew(by_job: Connected) -> None:
    whole = by_job.versions()
    assert by_job.versions(token="/services/data/v60.0/jobs/query/750gone/results?locator=NjA") == whole


@pytest.mark.parametrize(
    ("state", "said"), [("Failed", "ended as Failed: QUERY_TIMEOUT"), ("InProgress", "still InProgress after")]
)
def test_a_job_that_does_not_get_done_is_tried_again_later(by_job: Connected, state: str, said: str) -> None:
    body = json.dumps({"id": "750x", "state": state, "errorMessage": "QUERY_TIMEOUT"})
    by_job.sandbox.fault(system="salesforce", kind="status", code=200, body=body, path="/jobs/query", times=-1)
    with pytest.raises(Retriable, match=said):
        by_job.pages()


def test_a_look_sees_a_customer_that_somebody_makes_until_it_is_published_and_nothing_else(sandbox: Sandbox) -> None:
    system, endpoint = (
        read_systems()["salesforce"],
        Endpoint(f"{sandbox.url}/salesforce", "onefold", "sandbox-secret", {"rate": "1000/s"}),
    )
    assert requests.post(f"{sandbox.url}/control/reset", timeout=30).ok  # what has changed may be stamped seconds ahead
    made = requests.post(f"{sandbox.url}/control/customer", timeout=30).json()
    assert made["stream"] == "account"
    at = datetime.fromisoformat(made["at"])
    with salesforce.SalesforceConnector.open_peek(system, endpoint) as peek:
        while (later := datetime.now(UTC)) < at + timedelta(seconds=1):  # the record is stamped with its second
            assert peek.has_more("account", {"": (at - timedelta(seconds=1)).isoformat()})
        assert not peek.has_more("account", {"": later.isoformat()})
        assert not peek.has_more("account", {}), "the first load begins at its time"
        assert not peek.has_more("contact", {"": "1970-01-01T00:00:00Z"}), "the YAML asks about accounts alone"
