"""A migration on the real engine: a dry run of each chunk, approved by another, published as read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from onefold.catalog.limits import Limits
from onefold.connectors.window import Window
from onefold.errors import Fatal
from onefold.load.usage import Usage
from onefold.load.window import WindowRequest
from onefold.migration import ledger
from onefold.migration.approval import ask_approval
from onefold.migration.chunks import close_abandoned, quarantined, withheld
from onefold.migration.ledger import Migration
from onefold.migration.plan import make_plan
from onefold.migration.request import MigrationRequest
from onefold.service_window import Closed, within
from sandbox.process import Sandbox
from tests.acceptance.bench import Bench
from tests.approvals import answer
from tests.migration.conftest import NOW, ORDER, Crash, Engineer


def test_a_migration_ends_in_the_same_tables_as_one_load_and_asks_the_source_once(
    engineer: Engineer,
    first: datetime,
    sandbox: Sandbox,
    warehouse_factory: Callable[[], AbstractContextManager[str]],
    tmp_path: Path,
) -> None:
    migration = engineer.begin(engineer.request(first))
    engineer.dry_run(migration)
    assert engineer.bench.observed(ORDER).versions == []
    assert [(window.start, window.end) for window in engineer.asked] == _windows(engineer, migration)

    engineer.approve(migration)
    engineer.publish(migration)
    assert len(engineer.asked) == 4  # only the dry run asked
    with warehouse_factory() as url:
        twin = Bench(sandbox, url, tmp_path / "twin")
        twin.load(ORDER, requested=WindowRequest(first, NOW, exactly=True))
        assert engineer.bench.observed(ORDER) == twin.observed(ORDER)


def test_either_pass_goes_on_after_a_crash_with_the_chunk_that_it_was_at(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.request(first))
    for do, state in ((engineer.dry_run, "dry_run"), (engineer.publish, "published")):
        with pytest.raises(Crash):
            do(migration, _crash_at(3))
        assert _loads(engineer, state) == 2
        do(migration)
        if state == "dry_run":
            engineer.approve(migration)
        assert _loads(engineer, state) == 4
    assert len(engineer.asked) == 4


def test_a_chunk_whose_end_was_not_written_down_is_not_done_again(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.request(first))
    for do, column, state in (
        (engineer.dry_run, "dry_run_load", "dry_run"),
        (engineer.publish, "load_id", "published"),
    ):
        do(migration)
        engineer.bench.execute(f"update ops.migration_chunk set {column} = null where position = 2")  # noqa: S608 - our own two
        do(migration)
        assert _loads(engineer, state) == 4
        if state == "dry_run":
            engineer.approve(migration)


def test_the_control_totals_are_those_of_the_source_and_name_what_was_refused(
    engineer: Engineer, first: datetime
) -> None:
    migration = engineer.begin(engineer.request(first))
    engineer.dry_run(migration)
    with engineer.bench.job(ORDER).source("order", Usage()) as pages:
        read = {record.key: record for page in pages(Window(first, NOW), None) for record in page.records}

    chunks = ledger.chunks(engineer.connection, migration, "order")
    became = [fate for chunk in chunks for fate in chunk.totals["became"].values()]
    assert sum(int(fate["records"]) for fate in became) == len(read)
    refused = sum(int(chunk.totals["became"].get("quarantined", {}).get("records", 0)) for chunk in chunks)
    assert sum(quarantined(chunks).values()) == refused > 0
    money = sum(Decimal(fate.get("order.net_amount PLN", 0)) for fate in became)
    assert money > 0
    engineer.approve(migration)
    engineer.publish(migration)
    (staged,) = engineer.bench.query(
        "select sum((_payload ->> 'TotalAmount')::numeric) from staging.salesforce__order"
        " where _payload ->> 'CurrencyIsoCode' = 'PLN' and not _deleted"
    )[0]
    accepted = sum(Decimal(chunk.totals["became"]["accepted"].get("order.net_amount PLN", 0)) for chunk in chunks)
    assert accepted == staged
    lacking = engineer.bench.query(
        "select attribute, count(*) from ops.quarantine where attribute is not null group by 1"
    )
    assert withheld(chunks) == dict(lacking) != {}


def test_who_starts_a_migration_cannot_approve_it(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.request(first))
    engineer.report(migration)
    with pytest.raises(Fatal, match="must be approved by somebody else"):
        answer(engineer.loader, migration.subject, "engineer", approved=True)
    assert ledger.get(engineer.connection, migration.migration_id).state == "dry_run"


def test_a_text_about_another_plan_approves_nothing(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.request(first))
    engineer.dry_run(migration)
    ledger.record_report(engineer.connection, migration, {})
    ask_approval(engineer.connection, replace(migration, reason="one week, to see how it goes"), "nothing is wrong")
    answer(engineer.loader, migration.subject, "approver", approved=True)
    with pytest.raises(Fatal, match="the text that was approved is about something else"):
        engineer.publish(migration)
    assert engineer.done()[0] == 0


def test_two_migrations_of_one_stream_at_once_are_refused(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.request(first))
    with pytest.raises(
        Fatal, match=rf"Migration {migration.migration_id} \(run manual__1\) of salesforce is in progress"
    ):
        engineer.begin(engineer.request(first), run="manual__2")
    ledger.end(engineer.connection, migration, "refused", "user:approver")
    assert engineer.begin(engineer.request(first), run="manual__2").migration_id > migration.migration_id


def test_a_migration_whose_run_is_over_makes_way_for_another(engineer: Engineer, first: datetime) -> None:
    migration, request = engineer.begin(engineer.request(first)), engineer.request(first)
    engineer.dry_run(migration)
    close_abandoned(engineer.connection, request, "os:tester", lambda dag_id, run_id: False)
    assert engineer.now(migration).is_in_progress
    close_abandoned(engineer.connection, request, "os:tester", lambda *run: run == ("migrate", "manual__1"))
    assert engineer.now(migration).state == "failed"
    assert engineer.bench.query("select count(*) from landing.resume_token") == [(0,)]
    engineer.begin(request, run="manual__2")


def test_a_quota_that_the_plan_would_exceed_is_refused(engineer: Engineer, first: datetime) -> None:
    engineer.bench.load(ORDER)
    request = engineer.request(first)
    (estimate,) = engineer.plan(request).estimates.values()
    allowed = engineer.plan(replace(request, rate=f"{estimate.requests}/day"))
    assert (allowed.days_of_quota, allowed.quota) == (1.0, f"{estimate.requests}/day")
    with pytest.raises(Fatal, match=r"which allows 1 a day: \d+ days of its quota.*Migrate fewer streams"):
        engineer.plan(replace(request, rate="1/day"))


def test_a_window_before_the_history_of_the_source_is_refused(engineer: Engineer) -> None:
    request = replace(engineer.request(NOW - timedelta(days=10)), system="stripe", streams=("event",))
    assert engineer.plan(request).chunks == 4
    with pytest.raises(Fatal, match=r"stripe\.event goes back to .* Nothing was changed"):
        engineer.plan(replace(request, start=NOW - timedelta(days=40)))


def test_a_migration_pauses_outside_its_service_window_and_goes_on_at_the_next(
    engineer: Engineer, first: datetime
) -> None:
    migration = engineer.begin(engineer.request(first))
    clock = datetime(2026, 3, 2, 3, 30, tzinfo=UTC)  # 04:30 in Warsaw, which is an hour ahead of UTC in winter

    def an_hour_a_chunk() -> datetime:
        return clock + timedelta(hours=len(engineer.asked))

    may_go_on = within("22:00-06:00 Europe/Warsaw", an_hour_a_chunk)
    with pytest.raises(Closed) as closed:
        engineer.dry_run(migration, may_go_on)
    assert closed.value.opens == datetime(2026, 3, 2, 21, tzinfo=UTC)
    assert _loads(engineer, "dry_run") == 2  # at 04:30 and 05:30

    with pytest.raises(Closed):
        engineer.dry_run(migration, may_go_on)
    assert _loads(engineer, "dry_run") == 2
    clock = closed.value.opens - timedelta(hours=2)
    engineer.dry_run(migration, may_go_on)
    assert _loads(engineer, "dry_run") == 4


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        ("22:00-05:00", "2026-03-02T23:00", None),
        ("22:00-05:00", "2026-03-03T04:59", None),
        ("22:00-05:00", "2026-03-03T05:00", "2026-03-03T22:00"),
        ("08:00-16:00 Europe/Warsaw", "2026-03-28T16:00", "2026-03-29T06:00"),  # summer begins that night
        ("08:00-16:00 Europe/Warsaw", "2026-03-27T06:59", "2026-03-27T07:00"),
    ],
)
def test_a_service_window_opens_by_the_clock_of_its_zone(hours: str, now: str, opens: str | None) -> None:
    at, opening = (each and datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (now, opens))
    if opening is None:
        within(hours, lambda: at)()
        return
    with pytest.raises(Closed, match=r"is closed\. It goes on at") as closed:
        within(hours, lambda: at)()
    assert closed.value.opens == opening


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"system": "sales"}, "There is no system 'sales'"),
        ({"streams": ("orders",)}, "has no stream orders; it has: account, contact"),
        ({"start": NOW, "end": NOW - timedelta(days=1)}, "is not before to"),
        ({"end": NOW + timedelta(days=400)}, "is in the future"),
        ({"chunk": timedelta(seconds=1)}, "does not divide this window"),
        ({"reason": " "}, "Say why"),
        ({"mode": "service_window"}, "belong together"),
        ({"mode": "service_window", "service_window": "at night"}, "is no service window"),
        ({"mode": "service_window", "service_window": "22:00-05:00 Europe"}, "is no service window"),
        *(({"rate": wrong}, "is no rate. Write it like 5/s") for wrong in ("", "5", "0/s", "5/week", "fast")),
        ({"rate": "1/day"}, "requests would be asked of salesforce, which allows 1 a day"),
    ],
)
def test_a_request_that_cannot_be_is_refused_before_anything_is_touched(
    engineer: Engineer, wrong: dict[str, object], said: str
) -> None:
    first = NOW - timedelta(days=90)
    if "requests would be asked" in said:  # how many, says what was asked before
        engineer.bench.load(ORDER)
    request = MigrationRequest(
        **{**{f: getattr(engineer.request(first), f) for f in MigrationRequest.__dataclass_fields__}, **wrong}
    )
    with pytest.raises(Fatal, match=said):
        engineer.plan(request)
    assert engineer.bench.query("select count(*) from ops.migration") == [(0,)]


@pytest.mark.parametrize("own", [None, "5/s"])
def test_a_rate_of_ones_own_does_not_lift_the_quota_of_a_day(
    engineer: Engineer, first: datetime, own: str | None
) -> None:
    engineer.bench.load(ORDER)
    limits = Limits(rate=["10/s", "1/day@Europe/Warsaw"])
    metered = {"salesforce": ORDER.system.model_copy(update={"limits": limits})}
    with pytest.raises(Fatal, match="requests would be asked of salesforce, which allows 1 a day"):
        make_plan(engineer.connection, metered, replace(engineer.request(first), rate=own))
    bought = replace(engineer.request(first), rate="5000/day")
    assert make_plan(engineer.connection, metered, bought).quota == "5,000/day"


def _crash_at(number: int) -> Callable[[], None]:
    left = iter(range(number - 1))

    def may_go_on() -> None:
        if next(left, None) is None:
            raise Crash

    return may_go_on


def _loads(engineer: Engineer, state: str) -> int:
    return engineer.bench.query("select count(*) from ops.load where state = %s", state)[0][0]


def _windows(engineer: Engineer, migration: Migration) -> list[tuple[datetime, datetime]]:
    chunks = ledger.chunks(engineer.connection, migration, "order")
    return [(chunk.window_start, chunk.window_end) for chunk in chunks]
