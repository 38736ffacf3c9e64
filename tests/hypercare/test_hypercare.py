"""What is new is watched for its first weeks: one digest a day for who has signed, and a report at the end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.types.json import Jsonb
from tenacity import wait_none

from onefold.catalog.reader import Catalog, read_catalog
from onefold.errors import Fatal, Retriable
from onefold.hypercare.daily import watch_new
from onefold.hypercare.figures import Figures
from onefold.hypercare.send import HypercareMessage, read_signers
from onefold.hypercare.subjects import find_subjects
from onefold.hypercare.thresholds import findings, tightened
from onefold.load.ledger import Run
from onefold.notify import alert
from onefold.reconcile.sla_checks import check_slas
from tests.load.shop import SHOP, Shop, record
from tests.retention.conftest import Warehouse

ACTOR, WARSAW = "os:tester", ZoneInfo("Europe/Warsaw")
CATALOG = Catalog({"shop": SHOP}, {})
FIRST = datetime(2026, 3, 10, 12, tzinfo=UTC)
MORNING = timedelta(hours=17)
"""From a first load at noon to the daily run of the next day, at 05:00 UTC."""


@dataclass
class Recorder:
    """A receiver that records what it is sent; `dies` is raised before it is."""

    name: str = "recorder"
    dies: BaseException | None = None
    received: list[HypercareMessage] = field(default_factory=list)

    def send(self, message: HypercareMessage) -> None:
        if self.dies:
            raise self.dies
        self.received.append(message)

    @property
    def titles(self) -> list[str]:
        return [f"{each.kind} {each.day}" for each in self.received]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between two attempts."""
    monkeypatch.setattr(alert.send.retry, "wait", wait_none())


@pytest.fixture
def old(warehouse: Warehouse) -> Warehouse:
    """A warehouse that could do this before anything of the test happened."""
    warehouse.execute("update ops.schema_migration set applied_at = %s where name = '0832_hypercare'", date(2026, 1, 1))
    return warehouse


def load(
    warehouse: Warehouse, at: datetime, rows: int = 100, state: str = "published", run: str = "scheduled", bad: int = 0
) -> None:
    warehouse.execute(
        "insert into ops.load (system, stream, started_at, ended_at, window_start, window_end, dag_id, run_id, actor,"
        " state, rows_read, rows_new, rows_quarantined, cpu_seconds) values ('shop', 'customer', %s, %s, '2026-01-01',"
        " '2026-01-02', 'sync__shop', %s, %s, %s, %s, %s, %s, 1)",
        *(at, at, run, f"airflow:sync__shop/{run}", state, rows, rows - bad, bad),
    )


def watch(
    warehouse: Warehouse,
    now: datetime,
    receiver: Recorder,
    catalog: Catalog = CATALOG,
    days: int = 28,
    zone: ZoneInfo = WARSAW,
    signers: dict[str, Sequence[Recorder]] | None = None,
) -> None:
    with psycopg.connect(warehouse.url, autocommit=True) as connection:
        watch_new(connection, ACTOR, catalog, days, zone, now, signers or {}, [receiver])


def test_there_is_one_digest_a_day_however_often_and_at_once_the_daily_run_runs(old: Warehouse) -> None:
    receiver = Recorder()
    load(old, FIRST)
    watch(old, FIRST, receiver)  # the day is not over
    assert receiver.received == []
    for hours in (0, 1, 12):
        watch(old, FIRST + MORNING + timedelta(hours=hours), receiver)
    assert receiver.titles == ["digest 2026-03-10"]
    barrier = threading.Barrier(3)

    def at_once() -> None:
        barrier.wait()
        watch(old, FIRST + MORNING + timedelta(days=1), receiver)

    threads = [threading.Thread(target=at_once) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    watch(old, FIRST + MORNING + timedelta(days=1), receiver)
    assert receiver.titles == ["digest 2026-03-10", "digest 2026-03-11"]


@pytest.mark.parametrize("dies", [Retriable("no answer"), SystemExit("killed")], ids=["fails", "dies"])
def test_a_digest_that_was_not_sent_is_sent_once_by_the_next_run(old: Warehouse, dies: BaseException) -> None:
    receiver = Recorder(dies=dies)
    load(old, FIRST)
    if isinstance(dies, SystemExit):
        with pytest.raises(SystemExit):
            watch(old, FIRST + MORNING, receiver)
    else:
        watch(old, FIRST + MORNING, receiver)
    receiver.dies = None
    for _ in range(2):
        watch(old, FIRST + MORNING, receiver)
    assert receiver.titles == ["digest 2026-03-10"]


def test_days_on_which_nothing_ran_have_their_digests_later(old: Warehouse) -> None:
    receiver = Recorder()
    load(old, FIRST)
    watch(old, FIRST + MORNING, receiver)
    watch(old, FIRST + MORNING + timedelta(days=3), receiver)
    assert receiver.titles == [f"digest 2026-03-{day}" for day in (10, 11, 12, 13)]


def test_days_of_before_the_upgrade_have_none(warehouse: Warehouse) -> None:
    receiver = Recorder()
    upgraded = datetime(2026, 3, 12, 9, tzinfo=UTC)
    warehouse.execute("update ops.schema_migration set applied_at = %s where name = '0832_hypercare'", upgraded)
    load(warehouse, FIRST)
    watch(warehouse, FIRST + MORNING + timedelta(days=3), receiver)
    assert receiver.titles == ["digest 2026-03-12", "digest 2026-03-13"]


def test_a_day_ends_at_midnight_of_the_company(old: Warehouse) -> None:
    """In Warsaw, 29 March has 23 hours: from 23:00 UTC on the 28th to 22:00 UTC on the 29th."""
    receiver = Recorder()
    load(old, datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC), 1)
    load(old, datetime(2026, 3, 28, 23, 0, tzinfo=UTC), 20)
    load(old, datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC), 300)
    load(old, datetime(2026, 3, 29, 22, 0, tzinfo=UTC), 4000)
    watch(old, datetime(2026, 3, 29, 22, 30, tzinfo=UTC), receiver)
    assert receiver.titles == ["digest 2026-03-28", "digest 2026-03-29"]
    assert "loads 1, rejected 0, rows read 1," in receiver.received[0].text
    assert "rows read 320 (" in receiver.received[1].text


def test_a_week_before_in_which_nothing_was_loaded_is_said(old: Warehouse) -> None:
    receiver = Recorder()
    load(old, FIRST, 100, bad=7)
    watch(old, FIRST + MORNING, receiver)
    assert receiver.received[0].text == (
        "Hypercare, 2026-03-10: 1 new. Each figure: the day (a day of the week before).\n"
        "- New stream shop.customer, day 1 of 28: loads 1, rejected 0, rows read 100, written 93, quarantined 7,"
        " withheld 0, drift not compared, cost 0.00 (no prices); nothing was loaded in the week before"
    )


def test_a_day_is_told_against_an_average_day_of_the_week_before(old: Warehouse) -> None:
    receiver = Recorder()
    for day in range(8):
        load(old, FIRST + timedelta(days=day), 70 if day < 7 else 700, state="published" if day < 7 else "rejected")
    watch(old, FIRST + MORNING + timedelta(days=7), receiver)
    last = receiver.received[-1]
    assert last.day == date(2026, 3, 17)
    assert "day 8 of 28: loads 1 (1.0), rejected 1 (0.0), rows read 700 (70.0)" in last.text


def test_it_ends_once_with_a_report(old: Warehouse) -> None:
    receiver = Recorder()
    for day in range(5):
        load(old, FIRST + timedelta(days=day), 10)
    for day in (1, 2, 3, 4, 4, 5):
        watch(old, FIRST + MORNING + timedelta(days=day - 1), receiver, days=3)
    assert receiver.titles == [*(f"digest 2026-03-{day}" for day in (10, 11, 12)), "report 2026-03-12"]
    assert "shop.customer, 2026-03-10 to 2026-03-12, loaded on 3 of 3 days: loads 3" in receiver.received[-1].text
    assert old.query("select count(*) from ops.hypercare where ended_at is null") == [(0,)]


def test_what_is_older_than_hypercare_lasts_is_not_new(old: Warehouse) -> None:
    receiver = Recorder()
    load(old, FIRST)
    for days, later in ((28, 28), (0, 0)):
        watch(old, FIRST + MORNING + timedelta(days=later), receiver, days=days)
    assert (receiver.received, old.query("select from ops.hypercare")) == ([], [])


def test_a_new_entity_and_each_later_mapping_of_it_are_new_from_their_publishes(old: Warehouse) -> None:
    catalog = read_catalog()
    for minute, mappings in enumerate(
        [
            {"payment:resolution": "a"},
            {"payment:resolution": "a"},
            {"payment:resolution": "b", "refund:resolution": "a"},
            {"payment:resolution": "b", "refund:resolution": "a", "refund:stripe.refund": "c"},
        ]
    ):
        old.execute(
            "insert into ops.publish (state, actor, mappings, ended_at) values ('published', %s, %s, %s)",
            *("airflow:by:anna.kowal/conform/m", Jsonb(mappings), FIRST + timedelta(minutes=minute)),
        )
    with psycopg.connect(old.url, autocommit=True) as connection:
        for _ in range(2):
            found = find_subjects(connection, catalog, 28, WARSAW, FIRST + MORNING)
    assert [(each.kind, each.name, each.signed_by) for each in found] == [
        ("entity", "payment", "airflow:anna.kowal"),
        ("entity", "refund", "airflow:anna.kowal"),
        ("mapping", "payment", "airflow:anna.kowal"),
        ("mapping", "refund", "airflow:anna.kowal"),
    ]
    assert found[0].streams == sorted(catalog.entities["payment"].streams)


def test_who_approved_the_run_that_made_a_stream_gets_its_digests_and_nobody_else(old: Warehouse) -> None:
    own, everybody = Recorder("own"), Recorder("everybody")
    load(old, FIRST, run="migrated")
    old.execute(
        "insert into ops.approval (subject, dag_id, run_id, plan, plan_sha256, content_sha256, decision, decided_by)"
        " values ('migration:1', 'sync__shop', 'migrated', '', '', '', 'approved', 'airflow:piotr.zaremba')"
    )
    watch(old, FIRST + MORNING, everybody, signers={"piotr.zaremba": [own]})
    assert (own.titles, everybody.titles) == (["digest 2026-03-10"], [])
    assert "piotr" not in own.received[0].text


def test_no_digest_holds_anything_of_a_record(shop: Shop, old: Warehouse) -> None:
    receiver = Recorder()
    shop.load([record("person-key-1", 1), record("person-key-2", 2, credit=-1, name="Jan Nowak")])
    (at,) = old.query("select started_at from ops.load")[0]
    watch(old, at + timedelta(days=1), receiver)
    (found,) = receiver.received
    assert "quarantined 1" in found.text
    assert not any(word in found.title + found.text for word in ("person-key", "Nowak", "Name person"))


def test_thresholds_are_half_of_what_they_are_later() -> None:
    stream = SHOP.streams["customer"]
    nightly = tightened(stream, "0 2 * * *")
    assert (nightly.freshness, stream.freshness) == (timedelta(hours=25), timedelta(hours=26))
    assert nightly.gate.max_quarantined_share == stream.gate.max_quarantined_share / 2
    assert nightly.gate.max_withheld_share == stream.gate.max_withheld_share / 2
    assert tightened(stream, "0 2 * * 1").freshness == stream.freshness  # a schedule that is rarer than the SLA


def test_what_is_not_as_it_should_be_is_found() -> None:
    stream = tightened(SHOP.streams["customer"], SHOP.schedule)
    week = Figures(loads=7, read=700, days_loaded=7)
    assert findings(Figures(loads=1, read=100), week, stream) == []
    assert findings(Figures(loads=1, read=100, quarantined=2), week, stream) == []
    bad = findings(Figures(loads=2, rejected=1, read=200, quarantined=6), week, stream)
    assert bad == [
        "3.0% of the rows are quarantined (limit here 2.5%)",
        "1 of 2 loads were rejected",
        "200 rows were read, in the week before 100 a day",
    ]
    assert findings(Figures(), week, stream) == ["0 rows were read, in the week before 100 a day"]
    assert findings(Figures(), Figures(read=700, days_loaded=2), stream) == []


def test_a_new_stream_that_is_not_as_it_should_be_opens_an_alert_which_resolves(old: Warehouse) -> None:
    receiver = Recorder()
    load(old, FIRST, 100, bad=10)
    load(old, FIRST + timedelta(days=1), 100)
    watch(old, FIRST + MORNING, receiver)
    alerts = "select kind, subject, resolved_at is null from ops.alert"
    assert old.query(alerts) == [("hypercare", "shop.customer", True)]
    watch(old, FIRST + MORNING + timedelta(days=1), receiver)
    assert old.query(alerts) == [("hypercare", "shop.customer", False)]


def test_the_freshness_of_a_new_stream_is_checked_by_its_tighter_limit(shop: Shop, old: Warehouse) -> None:
    """26 hours, and a sync each hour: 13.5 while it is new."""
    shop.load([record("a", 1)])
    old.execute("update ops.cursor set window_end = now() - interval '14 hours'")

    def late() -> object:
        run = Run("reconcile", "scheduled", ACTOR)
        return check_slas(shop.url, {"shop": SHOP}, run, [], only=None, expected=[])["freshness"]

    assert late() == []
    watch(old, datetime.now(UTC), Recorder())
    assert late() == ["shop.customer"]


def test_a_setting_that_names_no_receiver_is_refused() -> None:
    assert list(read_signers("anna=log, piotr=log", lambda _: pytest.fail("not asked"))) == ["anna", "piotr"]
    with pytest.raises(Fatal, match="ONEFOLD_HYPERCARE"):
        read_signers("anna", lambda _: pytest.fail("not asked"))
