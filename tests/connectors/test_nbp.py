"""The central bank's exchange rates: exact, whole, and asked for in ranges that it allows."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from onefold.connectors.page import PageReader
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Retriable
from onefold.http.attempt import Attempt
from sandbox.nbp import api as nbp
from tests.connectors.reading import reader as reader_of
from tests.connectors.registers import SYSTEMS, Asker, Sandbox, client, endpoint, read_all, running

LONG = Window(BEGINNING, datetime(2025, 3, 4, 10, 30, tzinfo=UTC))


@pytest.fixture(scope="module")
def started(tmp_path_factory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), systems=("nbp",)) as sandbox:
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

    def made(stream: str = "rate") -> PageReader:
        clients.append(client(SYSTEMS["nbp"], endpoint(sandbox, "nbp"), attempts))
        return reader_of(SYSTEMS["nbp"], stream, endpoint(sandbox, "nbp"), clients[-1], Asker([]))

    yield made
    for each in clients:
        each.close()


def days(first: date, last: date) -> Window:
    """Both days included."""
    start, end = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (first, last + timedelta(days=1)))
    return Window(start, end)


def asked(attempts: list[Attempt]) -> list[tuple[date, date]]:
    """The ranges of the requests, first and last day."""
    found = [attempt.path.rstrip("/").split("/")[-2:] for attempt in attempts]
    return [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in found]


def test_a_rate_is_a_record_of_its_table_and_code_with_every_digit_it_came_with(sandbox, reader):
    result = read_all(reader(), days(date(2024, 1, 2), date(2024, 3, 1)))
    first = result.records[0]
    assert (first.key, first.cursor) == ('["001/A/NBP/2024","USD"]', "2024-01-02T00:00:00.000000Z")
    exact = [json.loads(record.payload, parse_float=Decimal) for record in result.records]
    numbers = [number for number in range(nbp.rows(0)) if nbp.day_of(number) <= date(2024, 3, 1)]
    shown = {number: str(payload["mid"]) for number, payload in zip(numbers, exact, strict=True)}
    sound = [e.number for e in sandbox.world.shelf("nbp.rate").entries[: len(numbers)] if not e.broken]
    assert {n: shown[n] for n in sound} == {n: str(nbp.average(sandbox.world.seed, n)) for n in sound}
    assert any(text.endswith("0") for text in shown.values())  # 3.9680 is not 3.968


def test_a_window_is_asked_for_in_ranges_of_93_days_that_leave_no_day_out(reader, attempts):
    result = read_all(reader(), LONG)
    ranges = asked(attempts)
    assert all((last - first).days < 93 for first, last in ranges)
    assert ranges[0][0] == SYSTEMS["nbp"].streams["rate"].request.slices.since
    assert ranges[-1][1] == date(2025, 3, 4)
    assert all(first == last + timedelta(days=1) for (_, last), (first, _) in itertools.pairwise(ranges))
    assert len({record.key for record in result.records}) == len(result.records)
    shown = {payload["effectiveDate"] for payload in result.payloads}
    every = (date(2024, 1, 1) + timedelta(days=each) for each in range(429))
    assert shown == {f"{day:%F}" for day in every if nbp.is_working_day(day)}


def test_a_read_that_was_killed_goes_on_in_the_same_place(reader):
    whole = read_all(reader(), LONG).pages
    assert len(whole) == 5
    assert whole[-1].token is None
    for at, page in enumerate(whole[:-1]):
        rest = read_all(reader(), LONG, page.token).pages
        assert [p.records for p in rest] == [p.records for p in whole[at + 1 :]]


def test_a_range_of_holidays_is_empty_and_no_failure(reader, attempts):
    result = read_all(reader(), days(date(2024, 3, 30), date(2024, 4, 1)))
    assert (result.records, result.pages[-1].token) == ([], None)
    assert [attempt.status for attempt in attempts] == [404]


def test_a_404_that_says_anything_else_is_a_failure(sandbox, reader):
    sandbox.fault("nbp", "status", code=404, body="<html>no such site</html>", times=-1)
    with pytest.raises(Retriable, match="status 404 with an unsound body"):
        read_all(reader(), LONG)


def test_a_table_of_buying_and_selling_rates_says_when_it_was_traded(reader):
    result = read_all(reader("buy_sell"), days(date(2024, 4, 2), date(2024, 4, 2)))
    [euro] = [payload for payload in result.payloads if payload["code"] == "EUR"]
    assert (euro["no"], euro["tradingDate"], euro["effectiveDate"]) == ("065/C/NBP/2024", "2024-03-29", "2024-04-02")
    assert euro["bid"] < euro["ask"]
