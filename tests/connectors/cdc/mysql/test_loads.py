"""A table and its log, loaded from end to end: what is published equals what the source has."""

from __future__ import annotations

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
