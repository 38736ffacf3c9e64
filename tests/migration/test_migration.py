"""A migration on the real engine: rehearsed chunk by chunk, approved by another, published as it was rehearsed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from onefold.connectors.page import BEGINNING, PageReader, Window
from onefold.errors import Fatal
from onefold.migration import ledger
from onefold.migration.chunks import publish_chunks, quarantined, rehearse_chunks
from onefold.migration.ledger import Migration
from onefold.migration.plan import Plan, Wish, make_plan
from onefold.sync.job import Job
from onefold.sync.usage import Usage
from onefold.warehouse.window import Wanted
from sandbox.process import Sandbox, running
from tests.acceptance.bench import Bench
from tests.acceptance.streams import CATALOG, Listed
from tests.roles import as_role

ORDER = Listed("salesforce.order")
NOW = datetime.now(UTC)


class Crash(BaseException):
    """The end of the process."""


class Engineer:
    """Starts a migration of Salesforce's orders in one warehouse, as the DAG's tasks do."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.loader = as_role(bench.url, "onefold_loader")
        self.connection = psycopg.connect(self.loader, autocommit=True)
        self.asked: list[Window] = []

    def wish(self, first: datetime, chunks: int = 4) -> Wish:
        chunk = (NOW - first) / chunks + timedelta(microseconds=1)  # a division that rounds down leaves a rest
        return Wish("salesforce", ("order",), first, NOW, chunk, "the years before us")

    def begin(self, wish: Wish, run: str = "manual__1") -> Migration:
        return ledger.begin(self.connection, wish, self.plan(wish), f"airflow:by:engineer/migrate/{run}", run)

    def plan(self, wish: Wish) -> Plan:
        return make_plan(self.connection, CATALOG.systems, wish)

    def rehearse(self, migration: Migration, may_go_on: Callable[[], None] = lambda: None) -> None:
        rehearse_chunks(self.loader, migration, "order", self._job(migration), may_go_on)

    def publish(self, migration: Migration, may_go_on: Callable[[], None] = lambda: None) -> None:
        publish_chunks(self.loader, migration, "order", self._job(migration), may_go_on)

    def _job(self, migration: Migration) -> Callable[[Wanted, int | None], Job]:
        def noted(pages: PageReader) -> PageReader:
            def read(window: Window, token: str | None) -> Iterator[object]:
                self.asked.append(window)
                yield from pages(window, token)

            return read

        return lambda wanted, rehearsed: self.bench.job(
            ORDER, wanted=wanted, rehearsed=rehearsed, run=migration.run_id, wrap=noted
        )


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox"), companies=800) as sandbox:
        yield sandbox


@pytest.fixture
def engineer(sandbox: Sandbox, warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engineer:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return Engineer(Bench(sandbox, warehouse_url, tmp_path / "home"))


@pytest.fixture
def first(engineer: Engineer) -> datetime:
    """When the first order was changed last."""
    with engineer.bench.job(ORDER).source("order", Usage()) as pages:
        cursors = [record.cursor for page in pages(Window(BEGINNING, NOW), None) for record in page.records]
    return datetime.fromisoformat(min(cursors))


def test_a_migration_ends_in_the_same_tables_as_one_load_and_asks_the_source_once(
    engineer: Engineer,
    first: datetime,
    sandbox: Sandbox,
    warehouse_factory: Callable[[], AbstractContextManager[str]],
    tmp_path: Path,
) -> None:
    migration = engineer.begin(engineer.wish(first))
    engineer.rehearse(migration)
    assert engineer.bench.observed(ORDER).versions == []
    assert [(window.start, window.end) for window in engineer.asked] == _windows(engineer, migration)

    ledger.keep_report(engineer.connection, migration, {})
    ledger.decide(engineer.connection, migration, "approver", approved=True)
    engineer.publish(migration)
    assert len(engineer.asked) == 4  # only the rehearsal asked
    with warehouse_factory() as url:
        twin = Bench(sandbox, url, tmp_path / "twin")
        twin.load(ORDER, wanted=Wanted(first, NOW, exactly=True))
        assert engineer.bench.observed(ORDER) == twin.observed(ORDER)


def test_either_pass_goes_on_after_a_crash_with_the_chunk_that_it_was_at(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.wish(first))
    for do, state in ((engineer.rehearse, "rehearsed"), (engineer.publish, "published")):
        with pytest.raises(Crash):
            do(migration, _crash_at(3))
        assert _loads(engineer, state) == 2
        do(migration)
        assert _loads(engineer, state) == 4
    assert len(engineer.asked) == 4


def test_a_chunk_whose_end_was_not_written_down_is_not_done_again(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.wish(first))
    for do, column, state in (
        (engineer.rehearse, "rehearsed_load", "rehearsed"),
        (engineer.publish, "load_id", "published"),
    ):
        do(migration)
        engineer.bench.execute(f"update ops.migration_chunk set {column} = null where position = 2")  # noqa: S608 - our own two
        do(migration)
        assert _loads(engineer, state) == 4


def test_the_control_totals_are_those_of_the_source_and_name_what_was_refused(
    engineer: Engineer, first: datetime
) -> None:
    migration = engineer.begin(engineer.wish(first))
    engineer.rehearse(migration)
    with engineer.bench.job(ORDER).source("order", Usage()) as pages:
        read = {record.key: record for page in pages(Window(first, NOW), None) for record in page.records}

    chunks = ledger.chunks(engineer.connection, migration, "order")
    became = [fate for chunk in chunks for fate in chunk.totals["became"].values()]
    assert sum(int(fate["records"]) for fate in became) == len(read)
    refused = sum(int(chunk.totals["became"].get("quarantined", {}).get("records", 0)) for chunk in chunks)
    assert sum(quarantined(engineer.connection, migration)["order"].values()) == refused > 0
    money = sum(Decimal(fate.get("order.net_amount PLN", 0)) for fate in became)
    assert money > 0
    engineer.publish(migration)
    (staged,) = engineer.bench.query(
        "select sum((_payload ->> 'TotalAmount')::numeric) from staging.salesforce__order"
        " where _payload ->> 'CurrencyIsoCode' = 'PLN' and not _deleted"
    )[0]
    accepted = sum(Decimal(chunk.totals["became"]["accepted"].get("order.net_amount PLN", 0)) for chunk in chunks)
    assert accepted == staged


def test_who_starts_a_migration_cannot_approve_it(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.wish(first))
    ledger.keep_report(engineer.connection, migration, {})
    with pytest.raises(Fatal, match="must be approved by somebody else"):
        ledger.decide(engineer.connection, migration, "engineer", approved=True)
    assert ledger.get(engineer.connection, migration.migration_id).state == "rehearsed"


def test_two_migrations_of_one_stream_at_once_are_refused(engineer: Engineer, first: datetime) -> None:
    migration = engineer.begin(engineer.wish(first))
    with pytest.raises(
        Fatal, match=rf"Migration {migration.migration_id} \(run manual__1\) of salesforce is on its way"
    ):
        engineer.begin(engineer.wish(first), run="manual__2")
    ledger.end(engineer.connection, migration, "refused", "user:approver")
    assert engineer.begin(engineer.wish(first), run="manual__2").migration_id > migration.migration_id


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
        ({"rate": "1/day"}, "requests would be asked of salesforce, which allows 1 a day"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_before_anything_is_touched(
    engineer: Engineer, wrong: dict[str, object], said: str
) -> None:
    first = NOW - timedelta(days=90)
    engineer.bench.load(ORDER)
    wish = Wish(**{**{f: getattr(engineer.wish(first), f) for f in Wish.__dataclass_fields__}, **wrong})
    with pytest.raises(Fatal, match=said):
        engineer.plan(wish)
    assert engineer.bench.query("select count(*) from ops.migration") == [(0,)]


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
