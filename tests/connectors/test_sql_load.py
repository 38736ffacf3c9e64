"""Loads from a database, from end to end: what is published, what is counted, and what nobody may read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from psycopg import sql

from onefold.errors import Fatal, Rejected
from tests.connectors.databases import system
from tests.connectors.loaded_database import Erp


def filled(erp: Erp, *columns: sa.Column[object], count: int = 20, **more: Callable[[int], object]) -> sa.Table:
    """The table klienci, last changed an hour ago, a second apart; `more` gives further values by the row's number."""
    head = (sa.Column("id", sa.Integer, primary_key=True), sa.Column("nazwa", sa.String(80)))
    table = sa.Table("klienci", sa.MetaData(), *head, sa.Column("zmieniono", sa.DateTime), *columns)
    begun = datetime.now(UTC).replace(tzinfo=None) - timedelta(hours=1)
    erp.source.fill(
        table,
        [
            {"id": n, "nazwa": f"Kowalczyk {n}", "zmieniono": begun + timedelta(seconds=n)}
            | {name: value(n) for name, value in more.items()}
            for n in range(count)
        ],
    )
    return table


def test_a_row_that_was_stamped_before_and_committed_after_a_load_arrives_with_the_next(erp: Erp):
    table = filled(erp)
    late = {"id": 100, "nazwa": "Late", "zmieniono": datetime.now(UTC).replace(tzinfo=None) - timedelta(minutes=2)}
    last = {"id": 101, "nazwa": "Last", "zmieniono": datetime.now(UTC).replace(tzinfo=None)}
    with erp.source.owner.connect().execution_options(isolation_level="READ COMMITTED") as slow:
        slow.execute(table.insert(), late)
        erp.source.run(table.insert().values(**last))
        assert erp.load(system("klienci")).rows_new == 21
        slow.commit()
    assert erp.query("select value >= to_char(now() - interval '1 minute', 'YYYY-MM-DD') from ops.cursor") == [(True,)]
    again = erp.load(system("klienci"))
    assert (again.rows_new, again.rows_changed) == (1, 0)
    assert again.rows_read < 21


def test_a_row_version_is_read_on_from_what_is_published_and_late_ones_within_the_overlap_arrive(erp: Erp):
    version = sa.Column("wersja", sa.BigInteger, nullable=False)
    table = filled(erp, version, count=40, wersja=lambda n: 2 * n)
    of = system("klienci", cursor="wersja", kind="integer", of_cursor={"overlap": 9})
    assert erp.load(of).rows_read == 40
    erp.source.run(table.insert().values(id=900, nazwa="Late", wersja=71, zmieniono=None))
    load = erp.load(of)
    assert (load.rows_read, load.rows_new, load.rows_changed) == (6, 1, 0)  # 69 and above: 70, 71, 72, 74, 76, 78


def test_every_query_is_counted_by_how_it_ended(erp: Erp, monkeypatch: pytest.MonkeyPatch):
    filled(erp)
    load = erp.load(system("klienci", rows=7))
    ((status, requests, size, took),) = erp.query("select status, requests, bytes, milliseconds from ops.usage")
    (staged,) = erp.query("select sum(length(_payload::text)) from staging.test_erp__klient")
    assert (status, requests) == ("ok", 5)  # what the table is, three pages, and the rows without a stamp
    assert 0 < size < staged[0] + 200
    assert took >= 0
    assert load.pages == 4
    erp.source.run("alter table klienci rename column nazwa to nazwa_pelna")
    with pytest.raises(Fatal):
        erp.load(system("klienci"))
    assert erp.query("select status, requests from ops.usage order by load_id desc limit 1") == [("Fatal", 1)]


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("nazwa type integer using id", "field nazwa was text and is now number"),
        ("nazwa type json using to_json(id)", "field nazwa was text and is now number"),
    ],
)
def test_a_retyped_column_refuses_the_load_and_touches_nothing(erp: Erp, to: str, said: str):
    filled(erp)
    erp.load(system("klienci"))
    before = erp.query("select * from staging.test_erp__klient order by _key")
    erp.source.run(f"alter table klienci alter column {to}", "update klienci set zmieniono = now()")
    with pytest.raises(Rejected, match=said):
        erp.load(system("klienci"))
    assert erp.query("select * from staging.test_erp__klient order by _key") == before


def test_nothing_secret_or_personal_is_in_logs_audit_lineage_or_errors(erp: Erp, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    filled(erp)
    caplog.clear()
    erp.load(system("klienci", rows=7))
    erp.source.run("create view widok as select id, nazwa, zmieniono, nazwa::integer as liczba from klienci")
    erp.source.run("grant select on widok to reader")
    with pytest.raises(Fatal) as raised:  # PostgreSQL's message quotes the value that is no number
        erp.load(system("widok", fields={"liczba": "integer"}))
    tables = (("audit", "event"), ("lineage", "event"), ("ops", "load"), ("ops", "usage"))
    row = sql.SQL("select row_to_json(t)::text from {} t")
    written = json.dumps([erp.query(row.format(sql.Identifier(*table))) for table in tables])
    assert "22P02" in str(raised.value)
    for text in (caplog.text, written, str(raised.value)):
        assert "Kowalczyk" not in text
        assert "test-only" not in text
    assert f"postgres://127.0.0.1:{sa.make_url(erp.source.endpoint.url).port}" in written


def test_a_table_without_a_cursor_is_listed_whole_and_its_deleted_rows_are_deleted(erp: Erp):
    filled(erp)
    whole = system("klienci", cursor=None)
    assert erp.load(whole).rows_new == 20
    erp.source.run("delete from klienci where id in (3, 11)")
    load = erp.load(whole)
    assert (load.rows_deleted, load.rows_read) == (2, 18)  # its pages follow the key, so once is enough
    assert erp.query("select count(*) from staging.test_erp__klient__current where not _deleted") == [(18,)]


def test_a_sweep_asks_the_database_for_the_keys_alone_and_deletes_what_is_gone(erp: Erp):
    filled(erp)
    erp.load(system("klienci"))
    erp.source.run("delete from klienci where id = 3", "revoke select on klienci from reader")
    erp.source.run("grant select (id) on klienci to reader")
    load = erp.load(system("klienci"), sweep=True)
    assert (load.rows_read, load.rows_deleted, load.pages) == (19, 1, 3)
    living = erp.query("select _key from staging.test_erp__klient__current where not _deleted")
    assert {int(key) for (key,) in living} == set(range(20)) - {3}
    assert erp.query("select sum(requests) from ops.usage where load_id = %s", load.load_id) == [(4,)]
