"""Databases as sources, on a real PostgreSQL and a real MariaDB: keyset pages, exact values, a database's faults."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from onefold.connectors.counting import counter
from onefold.connectors.cursor import cursor_text
from onefold.connectors.position import IntegerPosition
from onefold.connectors.sql import reader as sql
from onefold.connectors.sql.dialects.postgresql import PostgreSql
from onefold.connectors.sql.relation import Relation, Rows, described
from onefold.connectors.window import BEGINNING, Window
from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.platform.postgres import Postgres, free_port
from tests.connectors import mariadb
from tests.connectors.databases import EVERYTHING, READER, Source, keys, on_mariadb, on_postgresql, system
from tests.connectors.reading import connector

MORNING = datetime(2026, 3, 1, 8)
HEAVY = "ż" * 100_000


@pytest.fixture(params=["postgresql", "mariadb"])
def source(request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Source]:
    postgresql = request.param == "postgresql"
    with on_postgresql(postgres) if postgresql else on_mariadb(request.getfixturevalue("maria")) as source:
        yield source


def table(*columns: sa.Column[object]) -> sa.Table:
    text = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
    stamp = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    head = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("nazwa", text), sa.Column("zmieniono", stamp))
    made = sa.Table("klienci", sa.MetaData(), *head, *columns)
    sa.Index("klienci_zmiany", made.c.zmieniono, made.c.id)
    return made


def rows(count: int, *, tied: range = range(0), name: str = "Żubr") -> list[dict[str, object]]:
    """Rows in another order than that of their ids; those in `tied` share one stamp."""
    stamps = {n: MORNING if n in tied else MORNING + timedelta(minutes=n - count) for n in range(count)}
    return [{"id": 1000 - n, "nazwa": f"{name} {n}", "zmieniono": stamps[n]} for n in range(count)]


def test_pages_follow_each_other_by_keyset_and_each_token_goes_on_after_its_page(source: Source):
    source.fill(table(), rows(60, tied=range(20, 45)))
    pages = source.pages(system("klienci"))
    read = keys(pages)
    assert len(read) == len(set(read)) == 60
    assert [record.cursor for page in pages for record in page.records] == sorted(
        record.cursor for page in pages for record in page.records
    )
    for number, page in enumerate(pages[:-1]):
        assert keys(source.pages(system("klienci"), token=page.token)) == read[(number + 1) * 7 :]
    assert pages[-1].token is None


def test_a_page_is_found_by_the_index_and_not_by_sorting(source: Source):
    source.fill(table(), rows(3000, tied=range(2000, 2900), name="x"))
    source.run("analyze klienci" if source.name == "postgresql" else "analyze table klienci")
    erp = system("klienci")
    with source.open(erp) as database:
        stream = erp.streams["klient"]
        relation = database.ask("DESCRIBE", "klienci", lambda c: (described(c, database.dialect, erp, stream, "t"), 0))
        query = sql.Query(relation, stream, "t")
        window = query.bounds(EVERYTHING, lambda window: None)
        page = query.page(sql.Place(True, (MORNING - timedelta(minutes=2500), 7)), window, 50)
    text = str(page.compile(source.owner, compile_kwargs={"literal_binds": True}))
    with source.owner.connect() as connection:
        plan = "\n".join(str(tuple(row)) for row in connection.execute(sa.text(f"explain {text}")))
    assert "klienci_zmiany" in plan
    assert "sort" not in plan.lower()
    assert "ROW(zmieniono, id)" in plan if source.name == "postgresql" else "range" in plan


def test_the_same_data_gives_the_same_bytes_on_every_database(postgres: Postgres, maria: int):
    columns = {
        "kwota": (sa.Numeric(14, 4), Decimal("1234567890.1200"), "numeric"),
        "ilosc": (sa.Double(), 0.1 + 0.2, "numeric"),
        "aktywny": (sa.Boolean(), True, "boolean"),
        "dzien": (sa.Date(), date(2026, 2, 28), "date"),
        "kod": (sa.CHAR(10), "AB", "text"),
        "obraz": (sa.LargeBinary(20), b"\x00\xff\x10", "text"),
        "dodatki": (sa.JSON(), {"a": [1, "ą"], "b": 0.1}, "json"),
        "duzy": (sa.BigInteger(), 2**62 + 1, "integer"),
        "brak": (sa.String(5), None, "text"),
    }
    row = {"id": 7, "nazwa": 'Zażółć "gęślą"\n', "zmieniono": datetime(2026, 7, 1, 12, 0, 0, 120)}
    row |= {name: value for name, (_, value, _) in columns.items()}
    erp = system("klienci", timezone="Europe/Warsaw", fields={name: kind for name, (_, _, kind) in columns.items()})
    payloads = []
    for opened in (on_postgresql(postgres), on_mariadb(maria)):
        with opened as source:
            source.fill(table(*(sa.Column(name, kind) for name, (kind, _, _) in columns.items())), [row])
            ((record,),) = [page.records for page in source.pages(erp) if page.records]
            payloads.append(record.payload)
    assert payloads[0] == payloads[1]
    assert b'"kwota":1234567890.1200' in payloads[0]
    assert json.loads(payloads[0]) == row | {
        "kwota": 1234567890.12, "dzien": "2026-02-28", "obraz": "AP8Q", "zmieniono": "2026-07-01T10:00:00.000120Z"
    }  # fmt: skip
    assert record.cursor == "2026-07-01T10:00:00.000120Z"


def test_rows_whose_stamp_is_missing_come_last_and_with_every_load(source: Source):
    given = rows(30)
    for row in given[::3]:
        row["zmieniono"] = None
    source.fill(table(), given)
    pages = source.pages(system("klienci"))
    assert len(keys(pages)) == len(set(keys(pages))) == 30
    assert [record.cursor for page in pages for record in page.records].count(None) == 10
    resumed = [keys(source.pages(system("klienci"), token=page.token)) for page in pages[:-1]]
    assert resumed == [keys(pages[number + 1 :]) for number in range(len(pages) - 1)]
    later = Window(MORNING.replace(tzinfo=UTC) + timedelta(days=1), EVERYTHING.end)
    assert len(keys(source.pages(system("klienci"), later))) == 10


def test_a_window_is_half_open_on_the_clock_of_the_source(source: Source):
    source.fill(table(), rows(60))
    zone = ZoneInfo("Europe/Warsaw")
    start, end = (MORNING.replace(tzinfo=zone) - timedelta(minutes=minutes) for minutes in (30, 10))
    pages = source.pages(system("klienci", timezone="Europe/Warsaw"), Window(start, end))
    assert sorted(map(int, keys(pages))) == list(range(1000 - 49, 1000 - 29))


def test_the_hour_that_comes_twice_is_read_from_its_first_beginning():
    column = sa.column("zmieniono", sa.DateTime())
    relation = Relation(sa.table("t", column), frozenset(), ZoneInfo("Europe/Warsaw"), PostgreSql())
    within = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)  # 02:40 for the first time
    assert relation.stamp("zmieniono", within, lowest=True) == datetime(2026, 10, 25, 1, 40)
    assert relation.stamp("zmieniono", within) == datetime(2026, 10, 25, 2, 40)
    assert relation.stamp("zmieniono", within + timedelta(days=1), lowest=True) == datetime(2026, 10, 26, 1, 40)


def test_a_window_that_begins_or_ends_in_the_hour_that_comes_twice_is_counted_as_it_is_read(source: Source):
    autumn = datetime(2026, 10, 25, tzinfo=UTC)  # clocks show 02:00 in Warsaw then, and once more an hour later
    shown = [datetime(2026, 10, 23) + timedelta(minutes=15 * n) for n in range(400)]
    source.fill(table(), [{"id": n, "nazwa": "Żubr", "zmieniono": stamp} for n, stamp in enumerate(shown, 1)])
    erp = system("klienci", rows=1000, timezone="Europe/Warsaw")
    two_days = timedelta(days=2)
    for minutes in range(-30, 180, 30):
        edge = autumn + timedelta(minutes=minutes)
        for window in (Window(edge - two_days, edge), Window(edge, edge + two_days)):
            with source.open(erp) as database:
                counts = counter(connector(erp, "klient", source.endpoint, database))
                assert counts is not None
                counted, records = counts.exactly(window)
            read = [record.cursor for page in source.pages(erp, window) for record in page.records]
            inside = [at for at in read if cursor_text(counted.start) <= at < cursor_text(counted.end)]
            assert records == len(inside) > 90, window


def test_an_integer_row_version_goes_on_from_what_is_published_less_the_overlap(source: Source):
    version = sa.Column("wersja", sa.BigInteger, nullable=False)
    source.fill(table(version), [row | {"wersja": n + 1} for n, row in enumerate(rows(40))])
    erp = system("klienci", cursor="wersja", kind="integer", of_cursor={"overlap": 5})
    assert len(keys(source.pages(erp))) == 40
    assert len(keys(source.pages(erp, reached=lambda window: IntegerPosition(30)))) == 16
    assert len(keys(source.pages(erp, reached=lambda window: None))) == 40


def test_a_connection_that_is_cut_in_mid_page_goes_on_without_loss_or_repetition(
    source: Source, monkeypatch: pytest.MonkeyPatch
):
    source.fill(table(), rows(40, name=HEAVY))
    monkeypatch.setattr(sql, "FETCH", 1)
    written = Rows.json
    seen: list[int] = []

    def cutting(self: Rows, row: sa.Row) -> bytes:
        seen.append(row[0])
        if len(seen) == 10:  # the third row of the second page
            source.cut()
        return written(self, row)

    monkeypatch.setattr(Rows, "json", cutting)
    pages = source.pages(system("klienci", rows=20))
    assert sorted(map(int, keys(pages))) == list(range(961, 1001))
    assert len(seen) > 40  # that page was read again
    assert [a.error for a in source.attempts if a.error] == ["the connection failed"]
    assert {a.status for a in source.attempts} == {"ok"}
    assert sum(a.bytes for a in source.attempts) == sum(len(r.payload) for page in pages for r in page.records)


def test_a_lock_that_outlasts_the_timeout_is_waited_for_again(source: Source):
    source.fill(table(), rows(3))
    with source.locked("klienci") as release:
        assert len(keys(source.pages(system("klienci"), sleep=release))) == 3
    assert [a.error for a in source.attempts if a.error] == ["no answer within 1 s"]


def test_a_lock_that_stays_says_what_to_look_for(source: Source):
    source.fill(table(), rows(3))
    # The pauses between attempts, random and up to 1 s each, count in the 4 s that there are: 2 attempts fit for sure.
    with source.locked("klienci"), pytest.raises(Retriable) as raised:
        source.pages(system("klienci", limits={"rate": ["1000/s"], "timeout": "PT1S", "attempts": 4}))
    message = str(raised.value)
    assert "test_erp.klient: " in message
    assert re.search(r"had no answer within 1 s, [234] times\.", message)
    assert "index" in message and "limits.timeout" in message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("alter table klienci rename column nazwa to nazwa_pelna", "no column 'nazwa'; did you mean \"nazwa_pelna\"?"),
        ("alter table klienci rename column zmieniono to stempel", "no column 'zmieniono'"),
        ("drop table klienci", "klienci"),
        ("revoke select on klienci from reader", "klienci"),
    ],
)
def test_what_is_not_there_or_not_allowed_is_refused_and_named(source: Source, change: str, said: str):
    source.fill(table(), rows(3))
    source.run(change)
    with pytest.raises(Fatal) as raised:
        source.pages(system("klienci"))
    assert said in str(raised.value)
    assert "test_erp" in str(raised.value)
    assert not source.slept


def test_a_cursor_that_became_another_type_is_refused_and_named(source: Source):
    source.fill(table(), rows(3))
    to = "type varchar(40)" if source.name == "postgresql" else "varchar(40)"
    verb = "alter column" if source.name == "postgresql" else "modify column"
    source.run(f"alter table klienci {verb} zmieniono {to}")
    with pytest.raises(Fatal, match=r"the cursor zmieniono is VARCHAR\(40\) in the database and not a timestamp"):
        source.pages(system("klienci"))


def test_a_server_that_is_down_may_come_back_and_a_wrong_password_may_not(source: Source):
    source.fill(table(), rows(1))
    right = source.endpoint
    scheme, _, rest = right.url.partition("://")
    source.endpoint = Endpoint(f"{scheme}://127.0.0.1:{free_port()}/{rest.rpartition('/')[2]}", READER, "hush-hush")
    with pytest.raises(Retriable, match=r"failed 3 times.*the connection failed.*connection 'test_erp'"):
        source.pages(system("klienci"))
    source.endpoint = Endpoint(right.url, READER, "hush-hush")
    with pytest.raises(Fatal, match="Check login, password, host and database") as raised:
        source.pages(system("klienci"))
    assert "hush-hush" not in f"{raised.value} {source.endpoint} {source.attempts}"
    source.endpoint = Endpoint("ftp://files.example/x")
    with pytest.raises(Fatal, match="'test_erp' leads to no database"):
        source.pages(system("klienci"))


def test_nothing_can_be_written_at_the_source_not_even_after_a_connection_was_cut(source: Source):
    source.fill(table(), rows(1))
    source.run(f"grant all privileges on klienci to {READER}")
    with source.open(system("klienci")) as database:
        for _ in range(2):
            with pytest.raises(Fatal, match=r"(?i)read_?only|1792"):
                database.ask("DELETE", "klienci", lambda c: (c.execute(sa.text("delete from klienci")), 0))
            assert database.ask("SELECT", "klienci", lambda c: (c.scalar(sa.text("select 1")), 0)) == 1
            source.cut()
    assert [a.error for a in source.attempts] == ["Fatal", None, "the connection failed", "Fatal", None]
    assert len(keys(source.pages(system("klienci")))) == 1


def test_a_missing_key_is_refused_because_no_page_can_begin_after_it(source: Source):
    nothing = sa.Column("kod", sa.String(5), nullable=True)
    source.fill(table(nothing), [row | {"kod": None} for row in rows(9)])
    erp = system("klienci", fields={"kod": "text"}).model_copy()
    stream = erp.streams["klient"].model_copy(update={"primary_key": ["kod"]})
    with pytest.raises(Fatal, match="a row has NULL in kod, its primary_key"):
        source.pages(erp.model_copy(update={"streams": {"klient": stream}}))


def test_no_value_of_the_source_reaches_the_log(source: Source, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    source.fill(table(), rows(20, name="Kowalski"))
    caplog.clear()
    source.pages(system("klienci"), Window(BEGINNING, EVERYTHING.end))
    source.cut()
    assert "Kowalski" not in caplog.text
    assert mariadb.PASSWORD not in caplog.text
