"""What the source counts, and what was read of it: a migration in which they differ ends before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from onefold.conform.dry_run import DryRunReport, EntityDryRun
from onefold.connectors.counting import Counter, why_not
from onefold.connectors.window import Window
from onefold.errors import Busy, Fatal, Rejected
from onefold.load import steps
from onefold.load.usage import Usage
from onefold.migration import ledger
from onefold.migration.chunks import discard_dry_run, withheld
from onefold.migration.ledger import Migration
from onefold.migration.plan import make_plan
from onefold.migration.report import dry_run_loads, make_report, report_text
from sandbox.process import Sandbox
from tests.acceptance.streams import CATALOG
from tests.approvals import answer
from tests.migration.conftest import Crash, Engineer, cursors

DAY = timedelta(days=1)
COUNTING = [
    pytest.param("salesforce.order", marks=pytest.mark.full_matrix),
    "erp.zamowienie",
    "sap.business_partner",
    pytest.param("sap_v4.product", marks=pytest.mark.full_matrix),
]
CONFORMED = DryRunReport(1, (), (EntityDryRun("order", 3, 2, 0, 1, 0, 0, None, held_back=4, warnings=5),))


@pytest.fixture
def changing(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The stand-ins, as they were once the test has ended."""
    yield sandbox
    sandbox.control("reset")


@pytest.mark.parametrize("name", COUNTING)
def test_what_is_read_of_each_chunk_is_what_its_source_counts(engineer: Engineer, name: str) -> None:
    engineer = engineer.of(name)
    listed = cursors(engineer)
    request = replace(engineer.request(datetime.fromisoformat(listed[0][0][:10]).replace(tzinfo=UTC)), chunk=240 * DAY)
    migration = engineer.begin(request)
    engineer.dry_run(migration)
    chunks = engineer.chunks(migration)
    assert sum(chunk.counted["read"] for chunk in chunks) > 0.9 * len(listed)
    for chunk in chunks:
        assert chunk.counted["before"] == chunk.counted["after"]
        assert chunk.counted["read"] <= chunk.counted["after"] <= chunk.counted["read"] + chunk.counted["unplaced"]
        found = [key for cursor, key in listed if _within(cursor, engineer, chunk.window)]
        assert chunk.counted["read"] == len(found)
    shown = ["| order | 3 | 2 | 0 | 0 | 1 | 0 | 4 | 5 |", f"| {len(chunks)} of {len(chunks)} chunks |"]
    shown += [f"| {name} | {attribute} | {values:,} | " for attribute, values in withheld(chunks).items()]
    shown += [f"| {name} | {sum(chunk.counted['before'] for chunk in chunks):,} |"]
    assert [each for each in shown if each not in _report(engineer, migration)] == []


def test_a_chunk_of_which_too_little_is_read_stops_the_migration_before_it_is_approved(
    engineer: Engineer, first: datetime
) -> None:
    migration = engineer.begin(engineer.request(first))
    second = engineer.chunks(migration)[1].window
    key = next(key for cursor, key in cursors(engineer) if second.start < datetime.fromisoformat(cursor) < second.end)
    engineer.lost = {key}
    with pytest.raises(Rejected, match=r"order, chunk 2: of \[.*the source counts (\d+) records .*were read") as error:
        engineer.dry_run(migration)
    assert key not in str(error.value)
    assert [(window.start, window.end) for window in engineer.asked] == [
        (chunk.window_start, chunk.window_end) for chunk in (engineer.chunks(migration)[at] for at in (0, 1, 1))
    ]
    stopped = engineer.chunks(migration)[1]
    assert stopped.counted["after"] == stopped.counted["read"] + 1
    assert (engineer.now(migration).state, engineer.now(migration).error) == ("planned", str(error.value))
    with pytest.raises(Fatal, match=r"had no dry run \(order 2, order 3, order 4\)"):
        dry_run_loads(engineer.connection, migration)
    with pytest.raises(Fatal, match="there is nothing to approve"):
        answer(engineer.loader, migration.subject, "approver", approved=True)
    assert engineer.bench.observed(engineer.listed).versions == []
    assert engineer.bench.query(
        "select result, payload ->> 'chunk', (payload ->> 'after')::int - (payload ->> 'read')::int"
        " from audit.event where action = 'migration.compare'"
    ) == [("mismatch", "2", 1)]

    engineer.lost = set()  # the source was fixed, and the task was cleared
    engineer.dry_run(migration)
    engineer.approve(migration)
    engineer.publish(migration)
    assert key in engineer.bench.observed(engineer.listed).keys | _quarantined(engineer)
    assert engineer.now(migration).error is None


def test_a_chunk_is_read_once_more_before_a_difference_is_a_mismatch(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.request(first))
    engineer.lost = {cursors(engineer)[0][1]}

    def fixed() -> None:
        engineer.lost = set()

    engineer.meanwhile = fixed
    engineer.dry_run(migration)
    assert len(engineer.asked) == 5
    loads = "select state from ops.load order by load_id"
    assert engineer.bench.query(loads) == [("rejected",), *[("dry_run",)] * 4]


def test_records_that_are_changed_while_a_chunk_is_read_are_no_mismatch(
    engineer: Engineer, first: datetime, changing: Sandbox
) -> None:
    migration = engineer.begin(engineer.request(first))
    engineer.meanwhile = lambda: changing.control("advance", changes=60, deletions=20)
    engineer.dry_run(migration)
    assert len(engineer.asked) == 4  # not one was read twice
    counted = [chunk.counted for chunk in engineer.chunks(migration)]
    assert any(each["after"] < each["read"] <= each["before"] for each in counted)


def test_records_that_are_changed_between_a_crash_and_its_end_are_no_mismatch(
    engineer: Engineer, first: datetime, changing: Sandbox
) -> None:
    migration = engineer.begin(engineer.request(first))

    def crash() -> None:
        raise Crash

    engineer.meanwhile = crash  # the last page's token is committed, the count is not asked for
    with pytest.raises(Crash):
        engineer.dry_run(migration)
    engineer.meanwhile = lambda: None
    changing.control("advance", changes=60)
    engineer.dry_run(migration)
    assert engineer.bench.query("select count(*) from ops.load where state = 'rejected'") == [(0,)]
    assert engineer.chunks(migration)[0].counted["after"] < engineer.chunks(migration)[0].counted["before"]


def test_deleted_records_are_counted_where_the_source_only_flags_them(
    engineer: Engineer, first: datetime, changing: Sandbox
) -> None:
    changing.control("advance", deletions=30)
    migration = engineer.approved(replace(engineer.request(first), end=datetime.now(UTC)))
    engineer.publish(migration)
    ((held, deleted),) = engineer.bench.query(
        "select count(*), count(*) filter (where _deleted) from staging.salesforce__order"
    )
    counted = [chunk.counted for chunk in engineer.chunks(migration)]
    assert sum(each["read"] for each in counted) == sum(each["before"] for each in counted) >= held > deleted > 0


def test_the_report_says_which_source_does_not_count_and_why(engineer: Engineer, first: datetime) -> None:
    expected = {
        "krs.extract": "asked one value at a time",
        "nbp.rate": "lie within others",
        "erp.towar": "no time",
        "ksef.invoice": "no way to ask how many",
    }
    for name, said in expected.items():
        system, _, stream = name.partition(".")
        assert said in why_not(CATALOG.systems[system], stream)
    stripe = engineer.of("stripe.charge")
    assert _counter(stripe, "charge") is None
    begun = stripe.begin(stripe.request(datetime.now(UTC) - 20 * DAY, chunks=1))
    stripe.dry_run(begun)
    assert [chunk.counted for chunk in stripe.chunks(begun)] == [None]
    assert "| this source does not count: it has no way to ask how many" in _report(stripe, begun)


@pytest.mark.parametrize(
    ("start", "end", "counted"),
    [
        ("2025-01-01T00:00", "2025-01-03T00:00", ("2025-01-01T00:00", "2025-01-03T00:00")),
        ("2025-01-01T07:30", "2025-01-04T12:00", ("2025-01-02T00:00", "2025-01-04T00:00")),
        ("2025-01-01T07:30", "2025-01-02T12:00", None),
    ],
)
def test_only_whole_days_are_compared_where_the_source_counts_days(
    start: str, end: str, counted: tuple[str, str] | None
) -> None:
    counter = Counter(1, lambda windows: [7 for _ in windows], step=DAY)
    assert counter.exactly(_window(start, end)) == (counted and (_window(*counted), 7))


def test_what_is_published_is_what_was_approved_even_where_the_database_has_lost_it(
    engineer: Engineer, first: datetime
) -> None:
    migration = engineer.approved(engineer.request(first))
    discard_dry_run(engineer.connection, migration)  # as a crash of PostgreSQL does it: landing is unlogged
    second = engineer.chunks(migration)[1].window
    engineer.lost = {
        key for cursor, key in cursors(engineer) if second.start < datetime.fromisoformat(cursor) < second.end
    }
    with pytest.raises(Rejected, match=r"chunk 2: what would be published is not what was approved \(.*records\)"):
        engineer.publish(migration)
    assert [chunk.load_id is not None for chunk in engineer.chunks(migration)] == [True, False, False, False]
    assert (engineer.now(migration).state, engineer.now(migration).approver) == ("planned", None)
    assert not engineer.lost & engineer.bench.observed(engineer.listed).keys

    engineer.lost = set()
    engineer.asked.clear()
    engineer.dry_run(migration)
    assert len(engineer.asked) == 3  # what is published is not read again
    assert len(dry_run_loads(engineer.connection, migration)) == 3
    engineer.approve(migration)
    engineer.publish(migration)
    assert all(chunk.load_id for chunk in engineer.chunks(migration))


def test_a_stream_that_is_busy_is_not_counted_again_at_each_look(
    engineer: Engineer, first: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    migration = engineer.begin(engineer.request(first, chunks=1))
    asked: list[str] = []
    counts = engineer.counts

    def counting(stream: str, usage: Usage) -> AbstractContextManager[Counter | None]:
        asked.append(stream)
        return counts(stream, usage)

    def busy(job: object) -> None:
        raise Busy("another run loads it")

    monkeypatch.setattr(engineer, "counts", counting)
    with monkeypatch.context() as patch:
        patch.setattr(steps, "land", busy)
        for _ in range(3):
            with pytest.raises(Busy):
                engineer.dry_run(migration)
    assert asked == ["order"]
    engineer.dry_run(migration)
    assert asked == ["order", "order"]  # before it was read, and after


def test_what_is_lost_before_the_report_is_not_shown_to_who_approves(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.request(first))
    engineer.dry_run(migration)
    engineer.connection.execute(
        "truncate landing.resume_token"
    )  # as a crash of PostgreSQL does it: landing is unlogged
    with pytest.raises(Fatal, match=r"chunks that had no dry run \(order 1, "):
        dry_run_loads(engineer.connection, migration)


def test_nothing_is_published_once_the_approval_is_withdrawn(engineer: Engineer, first: datetime) -> None:
    migration = engineer.approved(engineer.request(first))
    with pytest.raises(Fatal, match="is approved: what was approved is reported no more"):
        ledger.record_report(engineer.connection, migration, {})
    ledger.stopped(engineer.connection, migration, "another stream's chunk is not what was approved")
    with pytest.raises(Fatal, match="is planned and not approved; nothing more was published"):
        engineer.publish(migration)
    assert engineer.bench.observed(engineer.listed).versions == []


def test_the_plan_tells_what_the_source_counts_where_it_can(engineer: Engineer, first: datetime) -> None:
    request = engineer.request(first)
    told = make_plan(engineer.connection, CATALOG.systems, request, engineer.counts)
    there = [cursor for cursor, _ in cursors(engineer) if datetime.fromisoformat(cursor) < request.end]
    (estimate,) = told.estimates.values()
    assert (estimate.records, estimate.requests, estimate.by) == (len(there), None, "the source's own count")
    assert f"about {len(there):,} records (by the source's own count)" in "\n".join(told.lines("salesforce"))

    load = engineer.bench.load(engineer.listed)
    (asked,) = engineer.bench.query("select sum(requests)::int from ops.usage where load_id = %s", load.load_id)[0]
    (estimate,) = make_plan(engineer.connection, CATALOG.systems, request, engineer.counts).estimates.values()
    assert asked + 2 * 4 <= estimate.requests + 1
    assert estimate.seconds > 0


def test_a_request_that_cannot_be_is_refused_before_the_source_is_asked(engineer: Engineer, first: datetime) -> None:
    before = engineer.bench.requests(engineer.listed.system)
    with pytest.raises(Fatal, match="Say why"):
        make_plan(engineer.connection, CATALOG.systems, replace(engineer.request(first), reason=""), engineer.counts)
    assert engineer.bench.requests(engineer.listed.system) == before


def _report(engineer: Engineer, migration: Migration) -> str:
    report = make_report(engineer.connection, migration, CONFORMED, engineer.listed.system)
    ledger.record_report(engineer.connection, migration, report)
    return report_text(engineer.now(migration))


def _counter(engineer: Engineer, stream: str) -> Counter | None:
    with engineer.counts(stream, Usage()) as counter:
        return counter


def _within(cursor: str, engineer: Engineer, window: Window) -> bool:
    counter = _counter(engineer, engineer.listed.stream_name)
    counted, _ = replace(counter, count=lambda windows: [0 for _ in windows]).exactly(window)
    return counted.start <= datetime.fromisoformat(cursor) < counted.end


def _quarantined(engineer: Engineer) -> set[str]:
    return {key for (key,) in engineer.bench.query("select _key from ops.quarantine")}


def _window(start: str, end: str) -> Window:
    return Window(*(datetime.fromisoformat(at).replace(tzinfo=UTC) for at in (start, end)))
