"""A migration of a look-up by its feed: the whole register, each company asked about once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest

from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.load.extraction import feed_from
from onefold.load.usage import Usage
from onefold.load.window import WindowRequest
from onefold.migration.chunks import discard_dry_run, dry_run_chunks
from onefold.migration.feed_estimate import estimate_from_feed
from onefold.migration.request import MigrationRequest
from sandbox.process import Sandbox, running
from sandbox.world.world import World
from tests.acceptance.bench import Bench
from tests.acceptance.streams import Listed
from tests.migration.conftest import EXTRACT, Crash, Engineer, nothing

DAY = timedelta(days=1)
COMPANIES = 100
MONTHS = MigrationRequest(
    "krs",
    ("extract",),
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2024, 7, 27, tzinfo=UTC),
    timedelta(days=150),
    "the register",
)
"""Two chunks: the source is asked about each day by itself."""
YEARS = replace(MONTHS, end=datetime(2026, 7, 1, tzinfo=UTC), chunk=timedelta(days=500))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    state = tmp_path_factory.mktemp("sandbox")
    with running(state, companies=COMPANIES, environment={"SANDBOX_SYSTEMS": "salesforce,krs"}) as sandbox:
        yield sandbox


@pytest.fixture
def changing(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    sandbox.control("reset")


@pytest.fixture
def extract(engineer: Engineer) -> Engineer:
    """Migrates the register's extracts."""
    return engineer.of(EXTRACT.name)


def register(sandbox: Sandbox) -> dict[str, bool]:
    """Whether it was struck off, by every company that the migration brings and that is not broken on purpose."""
    records = [each for each in sandbox.truth()["records"] if each["system"] == "krs" and not each["broken"]]
    return {each["key"]: each["deleted"] for each in records if each["key"] in everyone()}


def test_a_migration_brings_the_whole_register_and_asks_about_each_company_once(extract: Engineer, sandbox: Sandbox):
    bench, migration = extract.bench, extract.begin(MONTHS)
    extract.dry_run(migration)
    assert_asked_about_once_each(bench)
    assert bench.observed(EXTRACT).versions == bench.observed(EXTRACT).answers == []

    extract.approve(migration)
    before = bench.requests(EXTRACT.system)
    extract.publish(migration)
    assert bench.requests(EXTRACT.system) == before
    staged = {key: deleted for key, _, _, deleted in bench.observed(EXTRACT).versions}
    known = register(sandbox)
    assert (
        staged.keys() == known.keys()
    )  # of a company that was struck off the full extract is read, where there is one
    assert all(known[key] for key, gone in staged.items() if gone)
    assert dict(bench.observed(EXTRACT).answers).keys() == everyone()
    assert bench.query("select count(*) from ops.cursor") == [(0,)]  # nothing was published up to its beginning


def test_the_nightly_run_after_it_asks_what_others_name_and_what_changed(extract: Engineer, changing: Sandbox):
    extract.publish(extract.approved(YEARS))
    bench = extract.bench
    before = bench.observed(EXTRACT)
    load = bench.load(EXTRACT)
    assert (load.rows_read, bench.observed(EXTRACT)) == (0, before)  # all answers are fresh, and nobody names another
    changed = changing.control("advance", changes=40)["changed"]["krs.extract"]
    load = bench.load(EXTRACT)
    gone = {key for key, struck_off in register(changing).items() if struck_off}
    read = {key for key, *_ in bench.query(f"select _key from {EXTRACT.staging} where _load_id = %s", load.load_id)}  # noqa: S608
    assert 0 < load.rows_read - len(read & gone) == changed  # also those that nobody else names


def test_a_company_that_is_published_is_not_asked_about_again_in_a_later_chunk(extract: Engineer, sandbox: Sandbox):
    bench, migration = extract.bench, extract.approved(MONTHS)
    looks = iter([nothing])

    def crash_at_the_second() -> None:
        if next(looks, None) is None:
            raise Crash

    with pytest.raises(Crash):
        extract.publish(migration, crash_at_the_second)
    discard_dry_run(extract.connection, migration)  # as a crash of PostgreSQL does it: landing is unlogged
    extract.dry_run(migration)
    published = {lookup_key for (lookup_key,) in bench.query("select lookup_key from ops.lookup_result")}
    landed = [lookup_key for (lookup_key,) in bench.query("select lookup_key from landing.lookup_result")]
    assert published and sorted([*published, *landed]) == sorted(everyone())


def test_a_backfill_brings_only_what_others_name_or_we_hold(extract: Engineer, sandbox: Sandbox):
    bench = extract.bench
    bench.load(Listed("salesforce.account"))
    load = bench.load(EXTRACT, requested=WindowRequest(YEARS.start, YEARS.end, exactly=True))
    backfilled = {question for question, _ in bench.observed(EXTRACT).answers}
    assert 0 < load.rows_read <= len(backfilled) < len(everyone(YEARS))
    nightly = bench.load(EXTRACT)
    assert nightly.rows_read == 0  # it finds no company of the register unanswered
    assert bench.observed(EXTRACT).versions


def test_a_chunk_that_died_goes_on_after_the_last_company_that_it_had_asked_about(
    extract: Engineer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("onefold.systems.krs.connector.PER_PAGE", 4)
    bench, migration = extract.bench, extract.begin(MONTHS)

    def dying(requested: WindowRequest, dry_run_load: int | None):
        job = bench.job(EXTRACT, requested=requested, dry_run_load=dry_run_load, run="manual__1", wrap=cut)
        return replace(job, last_attempt=False)

    def cut(pages):
        def read(window: Window, token: str | None):
            for number, page in enumerate(pages(window, token)):
                if number == 3:
                    raise Crash
                yield page

        return read

    with pytest.raises(Crash):
        dry_run_chunks(extract.loader, migration, "extract", dying, nothing, extract.counts)
    assert bench.query("select count(*) from landing.lookup_result") == [(12,)]
    extract.dry_run(migration)
    assert_asked_about_once_each(bench)


def test_its_plan_says_how_much_from_some_days_of_the_feed(extract: Engineer, sandbox: Sandbox):
    request = replace(MONTHS, rate="50/s")
    asked: list[date] = []
    with feed_from(EXTRACT.system, EXTRACT.endpoint(sandbox), extract.loader)("extract", Usage()) as named_on:

        def count(day: date) -> int:
            asked.append(day)
            return named_on(day)

        estimate = estimate_from_feed(count, EXTRACT.system, request)
        every_day = [request.start.date() + timedelta(days=each) for each in range((request.end - request.start).days)]
        assert sum(named_on(day) for day in every_day) == len(everyone())
    assert len(asked) == 14
    assert estimate.records == pytest.approx(sum(map(named_on, asked)) / 14 * len(every_day), abs=1)
    assert estimate.requests == estimate.records + len(every_day)
    assert estimate.seconds == pytest.approx(estimate.requests / 50, abs=0.1)


@pytest.mark.parametrize("days", [*range(1, 120), 14 * 30, 14 * 35, 14 * 41, 4199])
def test_its_plan_is_not_misled_by_a_feed_that_is_empty_on_weekends(days: int):
    request = replace(YEARS, start=datetime(2023, 1, 1, tzinfo=UTC), end=datetime(2023, 1, 1, tzinfo=UTC) + days * DAY)
    window = [request.start.date() + number * DAY for number in range(days)]  # from a Sunday
    asked: list[date] = []

    def count(day: date) -> int:
        asked.append(day)
        return 70 if day.weekday() < 5 else 0

    estimate = estimate_from_feed(count, EXTRACT.system, request)
    assert set(asked) <= set(window)
    assert len(asked) == len(set(asked)) == min(days, 14)
    assert estimate.records == (50 * days if days >= 14 else sum(map(count, window)))


@pytest.mark.parametrize(("system", "stream"), [("vies", "number"), ("regon", "entity"), ("white_list", "subject")])
def test_a_look_up_without_a_feed_by_days_is_refused(extract: Engineer, system: str, stream: str):
    with pytest.raises(Fatal, match="is asked about single values and answers with what is registered"):
        extract.plan(replace(YEARS, system=system, streams=(stream,)))


@cache
def everyone(request: MigrationRequest = MONTHS) -> frozenset[str]:
    """The number of every company that the register's bulletins name on the days of the request."""
    world, first = World(COMPANIES), request.start.date()
    days = [first + timedelta(days=each) for each in range((request.end.date() - first).days + 1)]
    return frozenset(number for day in days for number, _ in world.krs_changes(day))


def assert_asked_about_once_each(bench: Bench) -> None:
    """Every company of the register, once, is among what has landed."""
    answers = sorted(lookup_key for (lookup_key,) in bench.query("select lookup_key from landing.lookup_result"))
    assert answers == sorted(everyone())
