"""A table and its log, loaded from end to end: what is published equals what the source has."""

from __future__ import annotations

from tests.connectors.cdc.conftest import Log, orders


def at_source(log: Log) -> dict[str, dict[str, object]]:
    return {
        str(row["id"]): row
        for (row,) in log.ask("select to_jsonb(orders) from orders")
    }


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
