"""A table and its log, loaded from end to end: what is published equals what the source has."""

from __future__ import annotations

import itertools

import pytest

from onefold.errors import Rejected
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.postgres.conftest import Log
from tests.effort import TORTURE

MADE_LARGE = (
    "create function large() returns text language sql volatile return repeat(md5(random()::text), 400)",
    "alter table orders alter note set storage external",
)
"""Values that PostgreSQL stores apart from their rows."""


def at_source(log: Log) -> dict[str, dict[str, object]]:
    return {str(row["id"]): row for (row,) in log.ask("select to_jsonb(orders) from orders")}


def test_the_first_load_has_every_row_and_each_further_one_what_changed(log: Log):
    log.run("insert into orders select n, 'Order ' || n, null, n * 1.10 from generate_series(1, 2500) n")
    first = log.load(orders())
    assert (first.rows_new, first.rows_changed, first.rows_deleted) == (2500, 0, 0)
    assert log.published() == at_source(log)
    log.run(
        "update orders set name = 'Żółć \"x\"' where id = 7",
        "insert into orders values (3000, 'New', 'n', null)",
        "delete from orders where id between 10 and 19",
    )
    second = log.load(orders())
    assert (second.rows_new, second.rows_changed, second.rows_deleted) == (1, 1, 10)
    assert log.published() == at_source(log)
    third = log.load(orders())
    assert third.rows_read == 0


def test_a_large_value_that_did_not_change_is_filled_from_the_version_before(log: Log):
    log.run(*MADE_LARGE)
    log.run("insert into orders select n, 'Order', large(), 1 from generate_series(1, 5) n")
    log.load(orders())
    log.run(
        "update orders set amount = 2 where id = 1",
        "update orders set note = large() where id = 2",
        "update orders set amount = 3 where id = 2",
        "insert into orders values (6, 'New', large(), 1)",
        "update orders set amount = 4 where id = 6",
    )
    load = log.load(orders())
    assert (load.rows_new, load.rows_changed, load.rows_quarantined) == (1, 2, 0)
    assert log.published_content() == at_source(log)


def test_a_row_whose_key_changed_is_deleted_under_the_old_one_with_its_large_value_kept(log: Log):
    log.run(*MADE_LARGE)
    log.run("insert into orders select n, 'Order', large(), 1 from generate_series(1, 3) n")
    log.load(orders())
    log.run("update orders set id = 30 where id = 3", "update orders set id = 20, amount = 5 where id = 2")
    load = log.load(orders())
    assert (load.rows_new, load.rows_deleted, load.rows_quarantined) == (2, 2, 0)
    assert log.published_content() == at_source(log)


def test_an_emptied_table_ends_what_was_there_before_and_not_what_came_after(log: Log):
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 8) n")
    log.load(orders())
    log.run(
        "insert into orders values (100, 'Between', null, 1)",
        "update orders set name = 'Again' where id = 1",
        "begin; insert into orders values (101, 'Within', null, 1); truncate orders; "
        "insert into orders values (2, 'After', null, 2); commit",
        "insert into orders values (102, 'Later', null, 1)",
    )
    load = log.load(orders())
    assert log.published_content() == at_source(log)
    assert load.rows_deleted == 7 + 2  # two came and went within the load


def differences(one: dict[str, object], other: dict[str, object]) -> dict[str, tuple[object, object]]:
    return {name: (one.get(name), other.get(name)) for name in one | other if one.get(name) != other.get(name)}


def test_values_of_every_type_are_those_of_the_snapshot(log: Log):
    """What the log says of a row is what reading the row says: the same record, so no new version."""
    log.run(
        "create type mood as enum ('glad', 'sad')",
        "create domain price as numeric(8, 3)",
        """alter table orders add i2 smallint, add i8 bigint, add f4 real, add f8 double precision, add n numeric,
           add p price, add b boolean, add c char(8), add v varchar, add u uuid, add d date, add t time, add tz timetz,
           add ts timestamp, add tsz timestamptz, add iv interval, add j json, add jb jsonb, add by bytea,
           add ints int[], add texts text[], add m mood, add r int4range, add ip inet, add prices price[]""",
        """insert into orders values
           (1, 'x', null, 1.10, 32767, 9223372036854775807, 1.5, 1e300, 123456789.123456789, 1.250, true, 'ab', 'ż"\\',
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2026-02-28', '03:04:05.123', '03:04:05+02',
            '2026-03-29 02:30:00.5', '2026-10-25 02:30:00.123456+02', '1 year 2 days 3 hours', '{"a": 1.10}',
            '{"b": [1, null]}', '\\x00ff', '{1,2,null}', '{a,"b c",null}', 'sad', '[1,5)', '10.0.0.1', '{1.5,2}'),
           (2, 'y', null, 'NaN', -1, 0, 'NaN', '-Infinity', 'NaN', null, false, '', '', null, 'infinity', '24:00:00',
            null, '-infinity', 'infinity', '-3 days', 'null', 'null', '', '{}', '{}', null, 'empty', null, null),
           (3, 'z', null, 0, 0, 0, 0, 0, 0.00000001, 0, null, null, null, null, '0044-03-15 BC', null, null,
            '12345-01-01', '0044-03-15 BC', null, '[]', '{}', null, null, '{{1,2},{3,4}}', null, null, '::1', '{}')""",
    )
    types = {
        "i2": "integer", "i8": "integer", "f4": "numeric", "f8": "numeric", "n": "numeric", "p": "numeric",
        "b": "boolean", "c": "text", "v": "text", "u": "text", "d": "date", "t": "text", "tz": "text",
        "ts": "timestamp", "tsz": "timestamp", "iv": "text", "j": "json", "jb": "json", "by": "text", "ints": "json",
        "texts": "json", "m": "text", "r": "text", "ip": "text", "prices": "json",
    }  # fmt: skip
    system = orders(fields={name: {"type": kind, "required": False} for name, kind in types.items()})
    log.load(system)
    before = log.readings()
    assert set(before) == {"1", "2", "3"}
    log.run("alter table orders replica identity full", "update orders set name = name")
    again = log.load(system)
    assert [differences(before[key], now) for key, now in log.readings().items()] == [{}, {}, {}]
    assert (again.rows_read, again.rows_changed, again.rows_quarantined) == (3, 0, 0)


def test_an_emptied_table_of_which_nothing_is_left_is_accepted_by_its_share_or_once(log: Log):
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 30) n")
    log.load(orders())
    log.run("truncate orders")
    with pytest.raises(Rejected, match="--accept-deletes order=30"):
        log.load(orders())
    assert len(log.published()) == 30
    assert log.load(orders(deletes={"max_share": 1})).rows_deleted == 30
    assert log.published() == {}


DRAINS = 288 if TORTURE else 3
"""As many as a day has of five minutes each."""


@pytest.mark.timeout(3600)
def test_a_quiet_table_keeps_none_of_the_log_that_others_fill_all_day(log: Log):
    log.run("insert into orders values (1, 'One', null, 1)", "create table busy (text text)")
    log.load(orders())
    begin, kept = log.ask("select pg_current_wal_lsn()")[0][0], 0
    for _ in range(DRAINS):
        log.run("insert into busy select repeat(md5(n::text), 30) from generate_series(1, 8000) n", "checkpoint")
        assert log.load(orders()).rows_read == 0
        ((now,),) = log.ask(
            "select (pg_current_wal_lsn() - restart_lsn)::bigint from pg_replication_slots"
            " where database = current_database()"
        )
        kept = max(kept, now)
    ((written,),) = log.ask(f"select (pg_current_wal_lsn() - '{begin}')::bigint")
    assert written > DRAINS * (7 << 20)
    assert kept < 64 << 20, "at any time of the day"
    log.run("checkpoint")
    log.load(orders())
    ((kept,),) = log.ask(
        "select (pg_current_wal_lsn() - restart_lsn)::bigint from pg_replication_slots"
        " where database = current_database()"
    )
    assert kept < 1 << 20


def test_a_row_that_was_deleted_and_came_again_before_its_table_was_emptied_is_gone(log: Log):
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 3) n")
    log.load(orders())
    log.run(
        "delete from orders where id = 1",
        "insert into orders values (1, 'Again', null, 1), (4, 'New', null, 1)",
        "delete from orders where id = 4",
        "insert into orders values (4, 'New again', null, 1)",
        "truncate orders",
        "insert into orders values (2, 'After', null, 1)",
        "delete from orders where id = 2",
        "insert into orders values (2, 'After again', null, 1)",
    )
    log.load(orders(deletes={"max_share": 1}))
    assert log.published() == at_source(log)


def test_whatever_came_and_went_before_a_table_was_emptied_only_what_came_after_is_there(log: Log):
    """Every order of up to three changes of a row before the table is emptied, and one or none after it."""
    add = "insert into orders values ({}, 'In', null, 1) on conflict do nothing"
    change, remove = "update orders set amount = 2 where id = {}", "delete from orders where id = {}"
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 200) n")
    log.load(orders())
    kinds = list(itertools.product((add, change, remove), repeat=3))
    rows = dict(enumerate(kinds, start=100)) | dict(enumerate(kinds, start=300))
    before = [each.format(key) for key, made in rows.items() for each in made]
    after = [add.format(key) for key in rows if key % 2]
    log.run(*before, "truncate orders", *after)
    log.load(orders(rows=11, deletes={"max_share": 1}))
    assert log.published() == at_source(log)


def test_a_table_that_was_emptied_after_many_changes_of_few_rows_costs_what_they_cost(log: Log):
    """Each reading was once compared with every other one of its row: hours, for a million of them."""
    log.run("insert into orders select n, 'Order', null, 1 from generate_series(1, 300) n")
    log.load(orders())
    log.run(
        "do $$ begin for n in 1..20 loop update orders set amount = n; delete from orders where id % 30 = 0;"
        " insert into orders select 30 * i, 'Again', null, n from generate_series(1, 10) i; end loop; end $$",
        "truncate orders",
        "insert into orders values (1, 'After', null, 1)",
    )
    load = log.load(orders(deletes={"max_share": 1}))
    assert (load.rows_changed, load.rows_deleted) == (1, 299)
    assert log.published() == at_source(log)
