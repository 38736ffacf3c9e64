"""The loading process is killed between any two statements; the run is tried again and ends as if nothing had been."""

import os
import signal
import time

import psycopg
import pytest

from onefold.sync import steps
from tests.sync.shop import Shop, pages, record

LANDING_TABLES = "select count(*) from pg_tables where schemaname = 'landing' and tablename like 'load_%'"
OBSERVED = [
    "select _key, _payload, _cursor, _deleted from staging.shop__customer order by _key, _load_id",
    "select value from ops.cursor",
    "select _key, reason, state from ops.quarantine order by 1",
    "select state, rows_read, rows_new, rows_changed, rows_deleted, rows_quarantined, pages from ops.load",
    "select action, count(*) from audit.event where action = 'load.publish' group by 1",
    "select event_type, count(*) from lineage.event where event_type in ('COMPLETE', 'FAIL') group by 1 order by 1",
    "select count(*) from lineage.dataset_edge",
    "select count(*) from landing.checkpoint",
    LANDING_TABLES,
]


def given():
    return pages(
        [record("a", 1), record("b", 2)],
        [record("b", 3, name="Newer"), record("bad", 3, credit=-1)],
        [record("gone", 4, deleted=True), record(None, 4)],
    )


def load_until_killed(shop, run: str, statement: int) -> bool:
    """All three steps in a child that is killed before its nth statement; True when it got through alive."""
    child = os.fork()
    if child == 0:
        executed = 0
        execute = psycopg.Connection.execute

        def counted(self, *args, **kwargs):
            nonlocal executed
            executed += 1
            if executed == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(self, *args, **kwargs)

        psycopg.Connection.execute = counted
        try:
            shop.run(shop.job(given(), run=run))
            os._exit(0)
        finally:  # never back into pytest
            os._exit(3)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


def wait_until_the_server_has_noticed(shop) -> None:
    """A killed client's backend rolls back and lets go of its locks by itself, a moment later."""
    deadline = time.monotonic() + 20
    with psycopg.connect(shop.url) as connection:
        while connection.execute(
            "select count(*) from pg_locks join pg_database on pg_database.oid = pg_locks.database"
            " where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()[0]:
            assert time.monotonic() < deadline, "the killed process's locks are still there"
            connection.rollback()
            time.sleep(0.02)


def observe(shop) -> list:
    return [shop.query(text) for text in OBSERVED]


@pytest.fixture(scope="module")
def statements_of_a_load() -> range:
    """A load takes about a hundred statements; every seventh is enough here, `make torture` takes them all."""
    return range(1, 400, int(os.environ.get("ONEFOLD_KILL_EVERY", "7")))


def test_a_load_killed_anywhere_and_tried_again_ends_as_if_undisturbed(
    shop, warehouse_factory, statements_of_a_load, tmp_path, monkeypatch
):
    shop.run(shop.job(given(), run="undisturbed"))
    expected = observe(shop)
    kills = 0
    for statement in statements_of_a_load:
        with warehouse_factory() as url:
            monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / f"home{statement}"))
            other = Shop(url, shop.suites)
            alive = load_until_killed(other, "killed", statement)
            wait_until_the_server_has_noticed(other)
            if alive:
                break
            kills += 1
            other.run(other.job(given(), run="killed"))
            assert observe(other) == expected, f"killed before statement {statement}"
    assert kills > 5


def test_an_extraction_goes_on_after_the_last_page_that_was_committed(shop):
    from onefold.errors import Retriable

    first, second, third = given()
    lost = Retriable("the connection was lost")
    with pytest.raises(Retriable):
        steps.land(shop.job([first, second, lost], run="broken", last_attempt=False))
    shop.run(shop.job([first, second, third], run="broken"))
    assert [token for _, token in shop.asked] == [None, "2"]
    assert shop.last().pages == 3


def test_landing_that_a_database_crash_emptied_is_read_again(shop):
    job = shop.job(given(), run="crashed")
    steps.land(job)
    steps.gate(job)
    load = shop.last()
    # What PostgreSQL does to unlogged tables when it recovers from a crash.
    for table in (f"load_{load.load_id}", f"load_{load.load_id}__candidate", "checkpoint", "unreadable"):
        shop.execute(f"truncate landing.{table}")
    steps.publish(job)
    assert set(shop.current()) == {"a", "b"}
    assert shop.last().state == "published"


def test_the_ledger_says_why_a_load_waits_and_that_the_last_attempt_failed(shop):
    from onefold.errors import Retriable

    failing = Retriable("shop is down: status 503")
    with pytest.raises(Retriable):
        steps.land(shop.job([failing], run="r", last_attempt=False))
    assert (shop.last().state, shop.last().error) == ("extracting", "shop is down: status 503")
    with pytest.raises(Retriable):
        steps.land(shop.job([failing], run="r", last_attempt=True))
    assert (shop.last().state, shop.last().error) == ("rejected", "shop is down: status 503")
    assert shop.query("select count(*) from pg_tables where schemaname = 'landing' and tablename like 'load_%'") == [
        (0,)
    ]
