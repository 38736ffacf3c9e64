"""What the source lacks or has lost: each says what to do, and neither the source nor what is published changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from onefold.connectors.cdc.mysql.position import Checkpoint, Position
from onefold.errors import Fatal, Retriable
from onefold.load import steps
from tests.connectors.cdc.loaded_log import orders
from tests.connectors.cdc.mysql.conftest import ORDERS, RIGHTS, Log
from tests.connectors.databases import READER
from tests.platform.polling import until

GRANT = f"grant select on orders to {READER}@'%'"
REVOKE = " ".join(("revoke select on orders from", f"{READER}@'%'"))


def refused(log: Log, error: type[Exception] = Fatal, **more: object) -> str:
    with pytest.raises(error) as raised:
        steps.land(log.job(orders(**more)))
    return str(raised.value)


def remedy(message: str, starts: str) -> str:
    """The SQL that a message names."""
    found = re.search(rf"{starts}[^;]*;", message)
    assert found, message
    return found[0]


@contextmanager
def healed(log: Log) -> Iterator[None]:
    """The server as it was, at the end."""
    try:
        yield
    finally:
        log.run(
            RIGHTS,
            "set global binlog_format = 'ROW', binlog_row_image = FULL, binlog_row_metadata = FULL,"
            " binlog_expire_logs_seconds = 0",
        )


LACKING = (
    ("set global binlog_format = 'MIXED'", "SET GLOBAL binlog_format"),
    ("set global binlog_row_image = MINIMAL", "SET GLOBAL binlog_row_image"),
    ("set global binlog_row_metadata = NO_LOG", "SET GLOBAL binlog_row_metadata"),
    ("set global binlog_expire_logs_seconds = 7000", "SET GLOBAL binlog_expire_logs_seconds"),
    (f"revoke binlog monitor on *.* from {READER}@'%'", "GRANT BINLOG MONITOR"),
    (f"revoke replication slave on *.* from {READER}@'%'", "GRANT REPLICATION SLAVE"),
    (REVOKE, "GRANT SELECT ON orders"),
    ("alter table orders engine = Aria", "ALTER TABLE"),
)


def test_what_the_source_lacks_is_named_with_the_sql_that_mends_it(log: Log):
    log.run("insert into orders values (1, 'One', null, 1)", "create table other (id int)")
    log.run(f"grant select on other to {READER}@'%'")  # without any right there is no way into the database
    with healed(log):
        for broken, starts in LACKING:
            log.run(broken)
            log.run(remedy(refused(log), starts))
        log.load(orders())
    assert log.published() == log.at_source()


def test_everything_that_is_missing_is_named_at_once(log: Log):
    with healed(log):
        log.run(
            "set global binlog_row_metadata = NO_LOG",
            f"revoke replication slave on *.* from {READER}@'%'",
            "alter table orders engine = Aria, modify name varchar(20) character set gbk not null",
        )
        message = refused(log)
    assert all(
        words in message
        for words in ("binlog_row_metadata = FULL", "GRANT REPLICATION SLAVE", "InnoDB", "texts in gbk")
    )


def test_what_a_foreign_key_changes_by_itself_is_in_no_log_and_so_it_is_refused(log: Log):
    log.run("create table parents (id int primary key)", "insert into parents values (1)")
    log.run("insert into orders values (1, 'One', null, 1)")
    add = "alter table orders add constraint of_parent foreign key (id) references parents (id) "
    for rule in ("on delete cascade", "on update cascade"):
        log.run(add + rule)
        message = refused(log)
        assert "the foreign key of_parent" in message
        log.run(remedy(message, "ALTER TABLE"))
    log.run(add + "on delete restrict")
    log.load(orders())
    assert log.published() == log.at_source()


def loaded(log: Log) -> dict[str, dict[str, object]]:
    """What is published of a table with five rows."""
    log.run("insert into orders select seq, 'Order', null, 1 from seq_1_to_5")
    log.load(orders())
    return log.published()


def refused_until_anew(log: Log, why: str, before: dict[str, dict[str, object]], **more: object) -> None:
    """The stream stops, what is published stays, and a load anew brings it to the source's state."""
    message = refused(log, **more)
    assert why in message and "bin/onefold sync test_log --anew order" in message
    assert log.published() == before
    assert refused(log, **more) == message
    log.load(orders(**more), anew=True)
    assert log.published_content() == log.at_source()
    log.run("insert into orders (id, name) values (6, 'Six')")
    log.load(orders(**more))
    assert log.published_content() == log.at_source()


def test_changes_that_were_purged_stop_the_stream_until_it_is_loaded_anew(log: Log):
    before = loaded(log)
    held = log.position().file
    log.run("update orders set name = 'Changed' where id = 1", "delete from orders where id = 2")

    def purged() -> bool:  # the server keeps a file for a moment, for the case that it crashes
        log.run("flush binary logs", f"purge binary logs to '{log.log_end()[0]}'")
        return held not in {file for file, _ in log.ask("show binary logs")}

    until(purged, 30, lambda: "the file is there still")
    refused_until_anew(log, f"the server has removed {held}", before)


def test_a_log_that_was_begun_anew_is_noticed_also_once_it_has_grown_past_the_position(log: Log):
    before = loaded(log)
    log.run("reset master", "delete from orders where id = 2")
    while Position.of(*log.log_end()) <= log.position():
        log.run("insert into orders values (100, repeat('x', 200), null, 1)", "delete from orders where id = 100")
        if log.log_end()[0] < log.position().file:
            log.run("flush binary logs")
    refused_until_anew(log, "began its log anew", before)


def test_a_log_that_ends_before_the_position_is_one_that_was_restored(log: Log):
    before = loaded(log)
    log.run("flush binary logs")
    log.load(orders())
    log.run("reset master", "delete from orders where id = 2")
    refused_until_anew(log, "it was begun anew (RESET), or restored from a backup", before)


def test_another_server_is_noticed(log: Log):
    before = loaded(log)
    log.run("delete from orders where id = 2", "set global gtid_domain_id = 3")
    try:
        refused_until_anew(log, "the server is another one than before", before)
    finally:
        log.run("set global gtid_domain_id = 0")


UNTOLD = (
    (["drop table orders", ORDERS, GRANT], "it was dropped, renamed"),
    (["alter table orders modify amount decimal(14, 4)"], "amount is new or of another type"),
    (["alter table orders drop column amount", "alter table orders add amount decimal(14, 4)"], "was dropped or"),
    (["alter table orders convert to character set latin1"], "is new or of another type"),
    (["set binlog_format = 'STATEMENT'", "update orders set amount = 7"], "by a statement, not in the ROW format"),
    (["set binlog_row_image = MINIMAL", "update orders set amount = 7"], "writes parts of rows only"),
    (["xa start 'a'", "update orders set amount = 8", "xa end 'a'", "xa prepare 'a'", "xa commit 'a'"], "(XA)"),
)


def test_what_the_log_does_not_tell_of_the_rows_stops_the_stream_until_it_is_loaded_anew(log: Log):
    loaded(log)
    for altered, why in UNTOLD:
        before = log.published()
        log.run("replace into orders (id, name, amount) values (7, 'Seven', 1)", *altered)
        log.run("replace into orders (id, name, amount) values (8, 'Eight', 1)")
        message = refused(log)
        assert why in message and "bin/onefold sync test_log --anew order" in message
        assert log.published() == before
        log.load(orders(), anew=True)
        assert log.published_content() == log.at_source()


def test_a_stream_that_reads_another_column_is_loaded_anew(log: Log):
    before = loaded(log)
    log.run("alter table orders add note2 varchar(20) default 'x'")
    fields = {"note2": {"type": "text", "required": False}}
    message = refused(log, fields=fields)
    assert "note2 is new" in message and log.published() == before


def test_what_leaves_the_rows_as_they_are_does_not_stop_the_stream(log: Log):
    loaded(log)
    log.run(
        "alter table orders add other int not null default 5 first, add index (name)",
        "update orders set amount = 3 where id = 1",
        "alter table orders drop index name, alter column name set default 'x'",
        "create table another (id int primary key, foreign key (id) references orders (id))",
        "create table like_it like orders",
        "create table if not exists orders (id int)",
        "analyze table orders",
        "update orders set amount = 4, other = 6 where id = 2",
    )
    assert log.load(orders()).rows_quarantined == 0
    assert log.published() == log.at_source()


def test_a_source_that_cannot_be_reached_is_retriable(log: Log):
    loaded(log)
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setattr(log, "port", 1)
        assert "nothing was changed here" in refused(log, Retriable)


def test_a_checkpoint_of_a_postgresql_is_none_of_a_binlog():
    text = '{"source": "1", "slot": "s", "epoch": 1, "position": "0/1", "columns": {}}'
    with pytest.raises(Fatal, match="no position in a log of changes"):
        Checkpoint.of(text, "test_log.order")
