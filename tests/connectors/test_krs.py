"""What the court register says, and how a load survives its odd answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from onefold.connectors.counting import feed_counter
from onefold.connectors.page import PageReader
from onefold.connectors.window import Window
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import Attempt
from onefold.systems.krs.connector import feed_days
from sandbox.world.records import registered_name
from tests.connectors.reading import connector
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import SYSTEMS, Asker, Sandbox, client, endpoint, now_window, read_all, running

KRS = SYSTEMS["krs"]
UNKNOWN = "0999999991"  # 404; a number that ends in 7 gets the same body with 200
UNKNOWN_AS_FOUND = "0999999997"


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as sandbox:
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

    def made(*values: str, asker: Asker | None = None) -> PageReader:
        clients.append(client(KRS, endpoint(sandbox, "krs"), attempts))
        connection = endpoint(sandbox, "krs")
        return reader_of(KRS, "extract", connection, clients[-1], asker or Asker(list(values)))

    yield made
    for each in clients:
        each.close()


def numbers(sandbox: Sandbox, register: str = "P", *, struck_off: bool = False) -> list[str]:
    return sorted(
        company.krs
        for company in sandbox.world.companies
        if company.krs and company.krs_register == register and bool(company.struck_off) is struck_off
    )


def test_an_extract_is_a_record_with_the_number_of_its_last_entry_as_cursor(sandbox, reader):
    number = numbers(sandbox)[0]
    result = read_all(reader(number))
    assert result.answers == {number: "found"}
    [record], [payload] = result.records, result.payloads
    assert record.key == number
    assert record.cursor == f"{payload['odpis']['naglowekA']['numerOstatniegoWpisu']:020d}"
    assert record.deleted is False


def test_reading_twice_differs_only_in_what_the_catalogue_calls_volatile(sandbox, reader):
    number = numbers(sandbox)[0]
    first, second = (read_all(reader(number)).payloads[0] for _ in range(2))
    for path in KRS.streams["extract"].volatile:
        *above, last = path.split(".")
        for payload in (first, second):
            assert above == ["odpis", "naglowekA"]
            del payload["odpis"]["naglowekA"][last]
    assert first == second


def test_a_company_of_the_other_register_is_found_there(sandbox, reader, attempts):
    number = numbers(sandbox, "S")[0]
    result = read_all(reader(number))
    assert (result.answers, result.records[0].key) == ({number: "found"}, number)
    assert len([attempt for attempt in attempts if "OdpisAktualny" in attempt.path]) == 2


def test_204_is_a_company_that_was_struck_off_with_what_was_registered_last(sandbox, reader):
    number = numbers(sandbox, struck_off=True)[0]
    result = read_all(reader(number))
    assert result.answers == {number: "found"}
    [record] = result.records
    extract = json.loads(record.payload)["odpis"]
    company = sandbox.world.by_krs[number]
    heading, subject = extract["naglowekA"], extract["dane"]["dzial1"]["danePodmiotu"]
    assert (record.key, record.deleted, heading["stanPozycji"]) == (number, False, 2)
    assert heading["numerOstatniegoWpisu"] == max(company.revision, 2)
    assert (subject["nazwa"], subject["identyfikatory"]["nip"]) == (registered_name(company).upper(), company.nip)
    assert extract["dane"]["dzial1"]["siedzibaIAdres"]["adres"]["miejscowosc"] == company.city.upper()


def test_204_without_a_full_extract_is_a_deletion(sandbox, reader):
    number = numbers(sandbox, struck_off=True)[0]
    sandbox.fault("krs", "status", path="OdpisPelny", code=404, body='{"title": "Not Found", "status": 404}')
    result = read_all(reader(number))
    assert result.answers == {number: "deleted"}
    [record] = result.records
    assert (record.key, record.deleted, json.loads(record.payload)) == (number, True, {"numerKRS": number})


@pytest.mark.parametrize("number", [UNKNOWN, UNKNOWN_AS_FOUND])
def test_not_found_in_both_registers_is_an_answer_whatever_the_status(reader, attempts, number):
    result = read_all(reader(number))
    assert (result.answers, result.records) == ({number: "not_found"}, [])
    wanted = 200 if number == UNKNOWN_AS_FOUND else 404
    assert [attempt.status for attempt in attempts if number in attempt.path] == [wanted, wanted]


@pytest.mark.parametrize("value", ["0000000000", "123", "12345678901", "KRS1234567", "٠١٢٣٤٥٦٧٨٩"])
def test_what_is_no_number_is_not_asked(reader, attempts, value):
    assert read_all(reader(value)).answers == {value: "not_found"}
    assert not [attempt for attempt in attempts if "OdpisAktualny" in attempt.path]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "html"},
        {"kind": "status", "code": 200, "body": "{}"},
        {"kind": "status", "code": 200, "body": '{"odpis": null}'},
        {"kind": "status", "code": 200, "body": "[]"},
        {"kind": "status", "code": 404, "body": "<html>gateway</html>"},
        {"kind": "status", "code": 503},
        {"kind": "cut_body"},
    ],
)
def test_failed_read_never_overwrites_a_good_answer(sandbox, reader, fault):
    first, second, third = numbers(sandbox)[:3]
    sandbox.fault("krs", **fault, path=second, times=-1)
    result = read_all(reader(first, second, third))
    assert result.answers == {first: "found", second: "failed", third: "found"}
    assert [record.key for record in result.records] == [first, third]


@pytest.mark.parametrize("kind", ["html", "cut_body", "rate_limit"])
def test_one_bad_answer_is_asked_again(sandbox, reader, kind):
    number = numbers(sandbox)[0]
    sandbox.fault("krs", kind, path=number, times=2)
    assert read_all(reader(number)).answers == {number: "found"}


def test_a_byte_order_mark_does_no_harm(sandbox, reader):
    number = numbers(sandbox)[0]
    sandbox.fault("krs", "bom", path=number)
    assert read_all(reader(number)).answers == {number: "found"}


def test_the_extract_of_another_company_is_a_failure(sandbox, reader):
    number = numbers(sandbox)[0]
    other = {"odpis": {"naglowekA": {"numerKRS": "0000000001", "numerOstatniegoWpisu": 1}}}
    sandbox.fault("krs", "status", code=200, body=json.dumps(other), path=number, times=-1)
    result = read_all(reader(number))
    assert (result.answers, result.records) == ({number: "failed"}, [])


def test_a_register_that_is_down_fails_the_load(sandbox, reader):
    sandbox.fault("krs", "status", code=500, path="OdpisAktualny", times=-1)
    with pytest.raises(Retriable, match="circuit breaker is open"):
        read_all(reader(*numbers(sandbox)))


def test_being_told_to_wait_fails_the_load_and_not_one_question(sandbox, reader):
    sandbox.fault("krs", "rate_limit", retry_after=1, path="OdpisAktualny", times=-1)
    with pytest.raises(Retriable, match="asks to come back in 1 s"):
        read_all(reader(*numbers(sandbox)[:1]))


def test_a_bulletin_that_cannot_be_read_fails_the_load(sandbox, reader):
    sandbox.fault("krs", "html", path="Biuletyn", times=-1)
    with pytest.raises(Retriable, match="Biuletyn"):
        read_all(reader(*numbers(sandbox)[:1]))


def test_a_refusal_is_fatal(sandbox, reader):
    sandbox.fault("krs", "status", code=403, path="OdpisAktualny", times=-1)
    with pytest.raises(Fatal, match="refused with status 403"):
        read_all(reader(*numbers(sandbox)[:1]))


def test_what_the_bulletin_names_is_asked_though_a_fresh_answer_is_held(sandbox, reader):
    sandbox.control("POST", "advance", {"changes": 40})
    today = {number for day in feed_days(now_window()) for number, _ in sandbox.world.krs_changes(day)}
    held = numbers(sandbox)
    changed = [number for number in held if number in today]
    assert changed and len(changed) < len(held)
    asker = Asker(held, cached=frozenset(held))
    assert list(read_all(reader(asker=asker)).answers) == changed


def test_a_bulletin_that_is_not_out_yet_is_empty(sandbox, reader):
    missing = {"title": "Not Found", "status": 404}
    sandbox.fault("krs", "status", code=404, body=json.dumps(missing), path="Biuletyn", times=-1)
    number = numbers(sandbox)[0]
    assert read_all(reader(number)).answers == {number: "found"}


def test_the_bulletins_of_the_last_two_days_and_the_ends_own_day_are_read():
    end = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)  # 00:30 on the 11th in Warsaw
    assert feed_days(Window(end - timedelta(minutes=20), end)) == [date(2026, 3, 11)]
    assert feed_days(Window(end - timedelta(hours=1), end)) == [date(2026, 3, 10), date(2026, 3, 11)]
    assert feed_days(Window(end - timedelta(days=400), end)) == [date(2026, 3, day) for day in (9, 10, 11)]


def test_of_a_window_that_a_run_names_the_bulletin_of_each_day_is_read():
    start, end = datetime(2026, 1, 30, 23, tzinfo=UTC), datetime(2026, 2, 3, 23, tzinfo=UTC)  # midnights in Warsaw
    days = [date(2026, 1, 31), *(date(2026, 2, day) for day in (1, 2, 3))]
    assert feed_days(Window(start, end, scope="known")) == feed_days(Window(start, end, scope="feed")) == days
    assert feed_days(Window(start, end + timedelta(hours=1), scope="feed")) == [*days, date(2026, 2, 4)]


def test_the_windows_of_a_migration_bring_every_company_of_the_register_and_resume_anywhere(sandbox, reader):
    register = {company.krs: bool(company.struck_off) for company in sandbox.world.companies if company.krs}
    whole = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), scope="feed")
    result = read_all(reader(asker=Asker([])), whole)
    struck_off = {
        each["odpis"]["naglowekA"]["numerKRS"]: each["odpis"]["naglowekA"]["stanPozycji"] == 2
        for each in result.payloads
    }
    assert struck_off == register
    for page in result.pages[:-1]:
        rest = read_all(reader(asker=Asker([])), whole, page.token)
        assert rest.answers.keys() == {number for number in register if number > page.token}


def test_a_backfills_window_brings_what_others_name_of_what_was_changed_in_it(sandbox, reader):
    start = datetime(2025, 1, 1, tzinfo=UTC)
    window = Window(start, start + timedelta(days=200), scope="known")
    named = numbers(sandbox)[::2]
    changed = {number for day in feed_days(window) for number, _ in sandbox.world.krs_changes(day)}
    expected = sorted(changed & set(named))
    assert 0 < len(expected) < min(len(named), len(changed))
    assert list(read_all(reader(*named), window).answers) == expected


def test_the_feed_counts_what_its_days_name(sandbox):
    days = [date(2025, 5, 1) + timedelta(days=each) for each in range(40)]
    with client(KRS, endpoint(sandbox, "krs")) as http:
        count = feed_counter(connector(KRS, "extract", endpoint(sandbox, "krs"), http))
        assert count is not None
        counted = list(map(count, days))
    assert counted == [len({number for number, _ in sandbox.world.krs_changes(day)}) for day in days]
    assert max(counted) > 0


def test_pages_keep_the_order_of_the_questions_and_go_on_after_any_of_them(sandbox, reader):
    asked = sorted([*numbers(sandbox), *(f"{number:010d}" for number in range(999_900_000, 999_900_100))])
    pages = read_all(reader(*asked)).pages
    assert [answer.key for page in pages for answer in page.lookup_results] == asked
    assert len(pages) == 3
    assert [page.token for page in pages] == [asked[99], asked[199], None]
    rest = read_all(reader(*asked), token=pages[0].token).pages
    assert [page.lookup_results for page in rest] == [page.lookup_results for page in pages[1:]]
    assert [[record.key for record in page.records] for page in rest] == [
        [record.key for record in page.records] for page in pages[1:]
    ]


def test_no_questions_give_no_pages(reader):
    assert read_all(reader()).pages == []
