"""A bill's parts add up to it, and a count by another way comes to the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onefold.catalog.prices import PriceList
from onefold.cost.budget_alerts import check_budgets
from onefold.cost.daily import company_day, settle_costs
from onefold.cost.price_list import apply_prices, is_applied
from onefold.errors import Retriable
from onefold.insight.costs import bill, months
from onefold.load import steps
from onefold.warehouse.rows import one_row
from tests.cost.recount import Part, recount
from tests.effort import TORTURE
from tests.load.shop import SHOP, Shop, pages, record
from tests.retention.conftest import Warehouse

ACTOR = "os:tester"
EXAMPLES = 300 if TORTURE else 15
FIRST, LAST = date(2026, 2, 20), date(2026, 4, 10)
"""Two ends of months and the last Sunday of March, whose night has 23 hours in Warsaw."""
EDGES = [
    datetime(2026, 2, 28, 22, 59, 59, tzinfo=UTC),  # the last second of February in Warsaw
    datetime(2026, 2, 28, 23, 0, tzinfo=UTC),  # March there
    datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),  # summer time begins
    datetime(2026, 3, 31, 21, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 3, 31, 22, 0, tzinfo=UTC),
]


@dataclass(frozen=True)
class Used:
    """A load, or a comparison with the source (`compared`), and what it used; a language model's tokens for it."""

    system: str
    at: datetime
    state: str
    requests: int
    cpu: Decimal | None
    compared: bool = False
    tokens: tuple[int, int] = (0, 0)


AMOUNTS = st.decimals(0, 1000, places=4)
STATES = ("published", "rejected", "rolled_back", "dry_run", "extracting")
USED = st.lists(
    st.builds(
        Used,
        st.sampled_from(["shop", "crm"]),
        st.one_of(
            st.sampled_from(EDGES),
            st.datetimes(datetime(2026, 2, 20), datetime(2026, 4, 10), timezones=st.just(UTC)),
        ),
        st.sampled_from(STATES),
        st.integers(0, 100_000),
        st.none() | st.decimals(0, 5000, places=6),
        st.booleans(),
        st.tuples(st.integers(0, 10**7), st.integers(0, 10**6)),
    ),
    max_size=12,
)
STORED = st.dictionaries(
    st.tuples(st.dates(FIRST, LAST), st.sampled_from(["shop", "crm"])), st.integers(0, 10**13), max_size=10
)


@st.composite
def price_histories(draw: st.DrawFn) -> list[dict[str, object]]:
    """Prices that change on some days, with days between them on which none holds."""
    days = sorted(draw(st.sets(st.dates(FIRST, LAST), max_size=6)))
    return [
        {"price": draw(AMOUNTS), "valid_from": first, "valid_to": draw(st.just(next_ - timedelta(days=1)))}
        for first, next_ in zip(days[::2], days[1::2], strict=False)
    ] + ([{"price": draw(AMOUNTS), "valid_from": days[-1]}] if len(days) % 2 else [])


PRICES = st.builds(
    lambda zone, general, shop, crm, idle: PriceList.model_validate(
        {
            "currency": "PLN",
            "timezone": zone,
            "prices": general,
            "systems": {"shop": shop, "crm": crm, "idle": idle},
        }
    ),
    st.sampled_from(["Europe/Warsaw", "UTC", "America/New_York"]),
    st.fixed_dictionaries({kind: price_histories() for kind in ("requests", "cpu", "storage", "input_tokens")}),
    st.fixed_dictionaries({"requests": price_histories(), "licence": price_histories()}),
    st.fixed_dictionaries({"storage": price_histories(), "output_tokens": price_histories()}),
    st.fixed_dictionaries({"licence": price_histories()}),
)


def fill(connection: psycopg.Connection, used: Sequence[Used], stored: dict[tuple[date, str], int]) -> None:
    """Write it into an empty ledger."""
    for number, each in enumerate(used):
        about = (each.system, f"s{number}", each.at)
        if each.compared:
            row = connection.execute(
                "insert into ops.reconciliation (system, stream, started_at, window_start, window_end, dag_id, run_id,"
                " actor, state) values (%s, %s, %s, now(), now() + '1 hour', 'd', 'r', 'a', 'compared')"
                " returning null, reconciliation_id",
                about,
            )
        else:
            row = connection.execute(
                "insert into ops.load (system, stream, started_at, window_start, window_end, dag_id, run_id, actor,"
                " state, cpu_seconds) values (%s, %s, %s, now(), now() + '1 hour', 'd', 'r', 'a', %s, %s)"
                " returning load_id, null",
                (*about, each.state, each.cpu),
            )
        whose = (*one_row(row), each.system, f"s{number}")
        connection.execute(
            "insert into ops.usage (load_id, reconciliation_id, system, stream, status, requests, bytes, milliseconds)"
            " values (%s, %s, %s, %s, '200', %s, 1, 1), (%s, %s, %s, %s, 'Timeout', 3, 0, 1)",
            (*whose, each.requests, *whose),
        )
        call(connection, each.system, each.tokens, each.at)
    for (day, system), size in stored.items():
        connection.execute("insert into ops.stream_storage values (%s, %s, 'stored', %s)", (day, system, size))


def call(connection: psycopg.Connection, system: str, tokens: tuple[int, int], at: datetime) -> None:
    """A call to a language model that has ended."""
    connection.execute(
        "insert into ops.llm_call (purpose, system, provider, model, prompt_sha256, actor, state, reserved_tokens,"
        " input_tokens, output_tokens, reserved_at, expires_at, ended_at)"
        " values ('explain', %s, 'p', 'm', sha256(''), 'a', 'answered', 0, %s, %s, %s, now(), now())",
        (system, *tokens, at),
    )


def billed(connection: psycopg.Connection) -> dict[Part, Decimal]:
    """Every part of every month that has a price, and that each month's parts add up to it."""
    found: dict[Part, Decimal] = {}
    for month in months(connection):
        whole = bill(connection, month)
        assert whole.total == sum(each.amount for each in whole.systems)
        for line in whole.lines:
            if line.unpriced < line.quantity or not line.quantity:
                found[f"{month:%Y-%m}", line.system, line.stream, line.kind] = line.amount
    return found


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(used=USED, stored=STORED, prices=PRICES)
def test_every_bill_is_what_a_count_of_each_row_by_itself_comes_to(
    warehouse: Warehouse, used: list[Used], stored: dict[tuple[date, str], int], prices: PriceList
) -> None:
    with psycopg.connect(warehouse.superuser_url) as connection:
        apply_prices(connection, ACTOR, prices)
        fill(connection, used, stored)
        counted = recount(connection, prices, company_day(prices, datetime.now(UTC)))
        found = billed(connection)
        connection.rollback()
    for part, amount in counted.items():
        assert abs(Fraction(found.get(part, Decimal(0))) - amount) <= Fraction(1, 10**6), part
    assert abs(Fraction(sum(found.values(), Decimal(0))) - sum(counted.values())) <= Fraction(len(counted), 10**6)
    assert all(not amount for part, amount in found.items() if part not in counted)


def price_list(**more: object) -> PriceList:
    said = {"currency": "PLN", "prices": {"requests": [{"price": 2, "valid_from": date(2020, 1, 1)}]}}
    return PriceList.model_validate(said | more)


def test_a_bill_of_the_past_stays_though_retention_deletes_its_loads(shop: Shop, warehouse: Warehouse) -> None:
    for _ in range(4):
        shop.load([record("a", 0)])
    warehouse.execute(
        "insert into ops.usage (load_id, system, stream, status, requests, bytes, milliseconds)"
        " select load_id, system, stream, '200', 300, 100, 1 from ops.load"
    )
    warehouse.time_passes()
    shop.load([record("a", 0)])
    always = {"valid_from": date(2020, 1, 1)}
    kinds = {"requests": 2, "cpu": 3600, "input_tokens": 5, "output_tokens": 7}
    prices = price_list(prices={kind: [{"price": price, **always}] for kind, price in kinds.items()})
    with psycopg.connect(shop.url, autocommit=True) as connection:
        apply_prices(connection, ACTOR, prices)
        call(connection, "shop", (3_000_000, 1_000_000), datetime(2026, 3, 1, tzinfo=UTC))
        before = billed(connection)
        warehouse.retain(SHOP)
        assert warehouse.query("select from ops.usage union all select from ops.llm_call") == []
        assert billed(connection) == before
    for kind, amount in (("requests", "2.4"), ("input_tokens", "15"), ("output_tokens", "7")):
        assert sum(amount for part, amount in before.items() if part[3] == kind) == Decimal(amount)


def test_a_load_that_fails_is_charged_with_what_its_attempts_have_used(shop: Shop) -> None:
    failing = shop.job([*pages([record("a", 1)]), Retriable("the source is down")], run="r", last_attempt=False)
    with pytest.raises(Retriable):
        steps.land(failing)
    ((first,),) = shop.query("select cpu_seconds from ops.load")
    assert first > 0
    shop.run(shop.job(pages([record("a", 1)], [record("b", 2)]), run="r"))
    ((last,),) = shop.query("select cpu_seconds from ops.load")
    assert last > first


def test_cpu_time_that_was_not_for_the_load_is_not_charged_to_it(shop: Shop) -> None:
    job = shop.job(pages([record("a", 1)]))
    job.cpu.charge(-1000)  # as if the process had worked so long on something else
    shop.run(job)
    ((seconds,),) = shop.query("select cpu_seconds from ops.load")
    assert 0 < seconds < 500


def test_what_has_no_price_is_said_and_costs_nothing(shop: Shop) -> None:
    load = shop.load([record("a", 1)])
    with psycopg.connect(shop.url, autocommit=True) as connection:
        apply_prices(connection, ACTOR, price_list())
        today = company_day(None, load.started_at)
        found = bill(connection, today.replace(day=1))
    (line,) = found.unpriced
    assert (line.kind, line.unpriced, line.amount) == ("cpu", line.quantity, 0)


def test_a_load_of_before_cpu_time_was_measured_is_counted_as_such(shop: Shop, warehouse: Warehouse) -> None:
    load = shop.load([record("a", 1)])
    warehouse.execute("update ops.load set cpu_seconds = null")
    with psycopg.connect(shop.url) as connection:
        (found,) = bill(connection, company_day(None, load.started_at).replace(day=1)).systems
    assert (found.system, found.without_cpu) == ("shop", 1)


def test_requests_known_by_the_month_have_a_price_only_where_one_holds_all_month(warehouse: Warehouse) -> None:
    changing = [
        {"price": 2, "valid_from": date(2026, 1, 1), "valid_to": date(2026, 2, 14)},
        {"price": 4, "valid_from": date(2026, 2, 15)},
    ]
    with psycopg.connect(warehouse.superuser_url) as connection:
        connection.execute(
            "insert into ops.usage (api_client, month, system, stream, status, requests, bytes, milliseconds)"
            " select 'erp', month, system, 'number', '200', 500, 1, 1"
            " from unnest(array['2026-01-01', '2026-02-01', '2026-03-01']::date[]) month,"
            " unnest(array['vies', 'api']) system"
        )
        apply_prices(connection, ACTOR, price_list(prices={"requests": changing}))
        lines = [bill(connection, date(2026, month, 1)).lines for month in (1, 2, 3)]
        connection.rollback()
    assert [[(line.system, line.amount, line.unpriced) for line in of_month] for of_month in lines] == [
        [("vies", 1, 0)],
        [("vies", 0, 500)],
        [("vies", 2, 0)],
    ]


def test_what_is_stored_is_measured_once_a_day(shop: Shop) -> None:
    shop.load([record("a", 1)])
    now = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # the 2nd in Warsaw
    with psycopg.connect(shop.url, autocommit=True) as connection:
        measured = [
            settle_costs(connection, ACTOR, {"shop": SHOP}, None, now + timedelta(hours=hours))["streams measured"]
            for hours in (0, 1, 22, 24)
        ]
        days = connection.execute("select day, stream, bytes > 0 from ops.stream_storage order by 1").fetchall()
    assert measured == [1, 0, 0, 1]
    assert days == [(date(2026, 3, 2), "customer", True), (date(2026, 3, 3), "customer", True)]


BUDGET = {"crm": {"licence": [{"price": 310, "valid_from": date(2026, 3, 1)}], "budget": {"month": 310}}}


def test_each_threshold_of_a_budget_opens_one_alert_a_month(warehouse: Warehouse) -> None:
    """The licence adds 10 a day up to the last day of March."""
    with psycopg.connect(warehouse.superuser_url, autocommit=True) as connection:
        apply_prices(connection, ACTOR, price_list(systems=BUDGET))
        # a restart finds what was opened
        opened = [check_budgets(connection, ACTOR, date(2026, 3, 31)) for _ in range(2)]
        connection.execute("update ops.alert set resolved_at = now() where subject like '%:80'")
        opened.append(check_budgets(connection, ACTOR, date(2026, 4, 2)))
        still = connection.execute("select subject from ops.alert where resolved_at is null order by 1").fetchall()
        check_budgets(connection, ACTOR, date(2026, 4, 20))
        left = connection.execute("select subject from ops.alert where resolved_at is null order by 1").fetchall()
    assert opened[:2] == [["crm:2026-03:80", "crm:2026-03:100"], []]
    assert opened[2] == ["crm:2026-04:80", "crm:2026-04:100"]
    assert ("crm:2026-03:100",) in still and ("crm:2026-03:100",) not in left


def test_a_list_is_applied_once_and_in_the_audit_trail(shop: Shop) -> None:
    with psycopg.connect(shop.url, autocommit=True) as connection:
        assert [apply_prices(connection, ACTOR, price_list()) for _ in range(2)] == [True, False]
        assert is_applied(connection, price_list()) and not is_applied(connection, None)
        assert apply_prices(connection, ACTOR, None)
        assert connection.execute("select from ops.price").fetchall() == []
        events = connection.execute("select count(*) from audit.event where action = 'prices.apply'").fetchone()
    assert events == (2,)


def test_the_command_prints_a_bill_whose_parts_add_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from onefold.commands.cost import cost

    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", shop.url)
    runner = CliRunner()
    told = runner.invoke(cost, ["salesforce", "--month", "2026-03", "--apply", "--json"])
    found = json.loads(told.stdout)
    assert (found["month"], found["currency"], found["total"]) == ("2026-03", "PLN", "400.000000")
    assert sum(Decimal(line["amount"]) for line in found["lines"]) == Decimal(found["total"])
    text = runner.invoke(cost, ["salesforce", "--month", "2026-03"]).stdout
    assert "salesforce: 400.00 of its budget of 500.00 (80 %)" in text
    assert runner.invoke(cost, ["--month", "March"]).exception is not None
