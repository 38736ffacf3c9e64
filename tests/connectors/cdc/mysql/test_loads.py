"""A table and its log, loaded from end to end: what is published equals what the source has."""

from __future__ import annotations

import itertools

from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.mysql.conftest import Log

MANY = "insert into orders select seq, concat('Order ', seq), null, seq * 1.10 from seq_1_to_2500"


def test_the_first_load_has_every_row_and_each_further_one_what_changed(log: Log):
    log.run(MANY)
    first = log.load(orders())
    assert (first.rows_new, first.rows_changed, first.rows_deleted) == (2500, 0, 0)
    assert log.published() == log.at_source()
    log.run(
        "update orders set name = 'Żółć 😀 \"x\"' where id = 7",
        "insert into orders values (3000, 'New', 'n', null)",
        "delete from orders where id between 10 and 19",
        "begin",
        "update orders set amount = -0.05 where id = 1",
        "update orders set amount = 12345.6 where id = 1",
        "commit",
    )
    second = log.load(orders())
    assert (second.rows_new, second.rows_changed, second.rows_deleted) == (1, 2, 10)
    assert log.published() == log.at_source()
    third = log.load(orders())
    assert third.rows_read == 0


def test_a_row_whose_key_changed_is_deleted_under_the_old_one(log: Log):
    log.run("insert into orders values (1, 'One', 'note', 1), (2, 'Two', null, 2)")
    log.load(orders())
    log.run("update orders set id = 30 where id = 1", "update orders set id = 20, amount = 5 where id = 2")
    load = log.load(orders())
    assert (load.rows_new, load.rows_deleted, load.rows_quarantined) == (2, 2, 0)
    assert log.published() == log.at_source()


def test_an_emptied_table_ends_what_was_there_before_and_not_what_came_after(log: Log):
    log.run("insert into orders select seq, 'Order', null, 1 from seq_1_to_8")
    log.load(orders())
    log.run(
        "insert into orders values (100, 'Between', null, 1)",
        "update orders set name = 'Again' where id = 1",
        "truncate table orders",
        "insert into orders values (2, 'After', null, 2)",
        "insert into orders values (102, 'Later', null, 1)",
    )
    load = log.load(orders(deletes={"max_share": 1}))
    assert log.published() == log.at_source()
    assert load.rows_deleted == 7 + 1  # one came and went within the load


def test_whatever_came_and_went_before_a_table_was_emptied_only_what_came_after_is_there(log: Log):
    """Every order of up to three changes of a row before the table is emptied, and one or none after it."""
    add = "insert ignore into orders values ({}, 'In', null, 1)"
    change, remove = "update orders set amount = amount + 2 where id = {}", "delete from orders where id = {}"
    log.run("insert into orders select seq, 'Order', null, 1 from seq_1_to_200")
    log.load(orders())
    kinds = list(itertools.product((add, change, remove), repeat=3))
    rows = dict(enumerate(kinds, start=100)) | dict(enumerate(kinds, start=300))
    before = [each.format(key) for key, made in rows.items() for each in made]
    log.run(*before, f"truncate `{log.name}`.orders", *(add.format(key) for key in rows if key % 2))
    log.load(orders(rows=11, deletes={"max_share": 1}))
    assert log.published() == log.at_source()


def test_a_quiet_table_moves_on_with_the_log_that_others_fill(log: Log):
    log.run("insert into orders values (1, 'One', null, 1)", "create table busy (text text)")
    log.load(orders())
    log.run("insert into busy select repeat('x', 1000) from seq_1_to_2000", "flush binary logs")
    assert log.load(orders()).rows_read == 0
    assert log.position().file == log.log_end()[0]


def test_the_log_is_read_across_its_files_and_where_its_events_are_compressed(log: Log):
    log.load(orders())
    log.run(
        "insert into orders values (1, 'One', repeat('compressible ', 9000), 1)",
        "flush binary logs",
        "set global log_bin_compress = on",
        "insert into orders values (2, 'Two', repeat('compressible ', 9000), 1), (3, 'Three', repeat('x', 70000), 1)",
        "flush binary logs",
        "update orders set note = repeat('again ', 5000) where id = 1",
        "delete from orders where id = 2",
        "insert into orders select seq, 'Many', repeat('n', 500), seq from seq_10_to_400",
        "set global log_bin_compress = off",
    )
    assert log.load(orders()).rows_read == 1 + 2 + 1 + 1 + 391
    assert log.published() == log.at_source()
