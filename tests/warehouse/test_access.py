"""What a reader of the warehouse may do to others: connect, take locks, stay, fill the disk. Each test is an attack."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from onefold.platform.postgres import Postgres
from onefold.warehouse.access import apply_access
from onefold.warehouse.install import install
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.roles import PASSWORDS, as_role

READERS = ("onefold_engineer", "onefold_analyst", "onefold_auditor")
ANY_LOCK = 31365104204213348


@pytest.fixture(scope="module")
def warehouse(postgres: Postgres) -> Iterator[str]:
    """A warehouse as `up` leaves it: the copies of other tests lack what is the server's. The superuser's URL."""
    name = copy_database(postgres, TEMPLATE)
    install(postgres.url(), PASSWORDS, name)
    yield postgres.url(name)
    drop_database(postgres, name)


@pytest.fixture
def stranger(postgres: Postgres) -> Iterator[Callable[[str], psycopg.Connection]]:
    """Connects to a database as a role that has been granted nothing."""
    with psycopg.connect(postgres.url(), autocommit=True) as server:
        server.execute("create role stranger login password 'test-only'")
        yield lambda name: psycopg.connect(make_conninfo(postgres.url(name), user="stranger", password="test-only"))
        server.execute("drop role stranger")


def database(url: str) -> str:
    return str(conninfo_to_dict(url)["dbname"])


@pytest.mark.parametrize(
    "lock",
    [
        f"pg_advisory_lock({ANY_LOCK})",
        f"pg_try_advisory_xact_lock_shared({ANY_LOCK})",
        "pg_try_advisory_lock(hashtextextended('onefold conform', 0))",
        "pg_advisory_lock(1, 2)",
    ],
)
def test_a_reader_cannot_take_the_locks_that_loads_wait_for(warehouse: str, lock: str) -> None:
    for role in READERS:
        with psycopg.connect(as_role(warehouse, role)) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"select {lock}")
    with psycopg.connect(as_role(warehouse, "onefold_loader")) as loader:
        loader.execute(f"select {lock}")


@pytest.mark.parametrize("mode", ["row share", "row exclusive", "share", "exclusive", "access exclusive"])
def test_an_analyst_cannot_lock_a_table_against_those_who_write(warehouse: str, mode: str) -> None:
    with psycopg.connect(as_role(warehouse, "onefold_analyst")) as analyst:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(f"lock table conformed.customer in {mode} mode")
        analyst.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute("select customer_id from conformed.customer_crosswalk for share")


def test_an_analyst_who_opens_a_hundred_connections_gets_twenty(warehouse: str) -> None:
    url = as_role(warehouse, "onefold_analyst")
    with ExitStack() as opened:
        with pytest.raises(psycopg.OperationalError, match='too many connections for role "onefold_analyst"'):
            for _ in range(100):
                opened.enter_context(psycopg.connect(url))
        opened.enter_context(psycopg.connect(as_role(warehouse, "onefold_loader")))


def test_what_an_analyst_starts_ends_by_itself(warehouse: str) -> None:
    with psycopg.connect(as_role(warehouse, "onefold_analyst")) as analyst:
        shown = {
            name: analyst.execute("select current_setting(%s)", [name]).fetchone()
            for name in ("statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout")
        }
    assert shown == {
        "statement_timeout": ("15min",),
        "transaction_timeout": ("30min",),
        "idle_in_transaction_session_timeout": ("5min",),
    }


def test_a_statement_of_the_engine_ends_by_itself_unless_somebody_says_otherwise(warehouse: str) -> None:
    def shown() -> tuple[str, str]:
        with psycopg.connect(as_role(warehouse, "onefold_loader")) as loader:
            query = "select current_setting('statement_timeout'), current_setting('lock_timeout')"
            return loader.execute(query).fetchone()

    assert shown() == ("6h", "10min")
    with psycopg.connect(warehouse, autocommit=True) as owner:
        owner.execute("alter role onefold_loader set lock_timeout to '1h'")
        apply_access(owner, owner.info.dbname)
        assert shown() == ("6h", "1h")
        owner.execute("alter role onefold_loader reset lock_timeout")
        apply_access(owner, owner.info.dbname)
    assert shown() == ("6h", "10min")


def test_an_endless_query_is_ended_although_its_analyst_has_switched_the_time_outs_off(warehouse: str) -> None:
    lost: list[psycopg.Error] = []
    options = "-c statement_timeout=0 -c transaction_timeout=0"
    with (
        psycopg.connect(as_role(warehouse, "onefold_analyst"), options=options) as analyst,
        psycopg.connect(as_role(warehouse, "onefold_loader"), autocommit=True) as loader,
    ):

        def run() -> None:
            try:
                analyst.execute("select count(*) from generate_series(1, 1e12::bigint)")
            except psycopg.Error as error:
                lost.append(error)

        query = threading.Thread(target=run)
        query.start()
        while not loader.execute("select from pg_stat_activity where usename = 'onefold_analyst'").rowcount:
            pass
        overdue = "select * from ops.end_overdue_readers('1 h', %s, '1 h')"
        assert loader.execute(overdue, ["1 h"]).fetchall() == []
        while not (ended := loader.execute(overdue, ["0 s"]).fetchall()):
            pass
        query.join(30)
        assert ended == [("onefold_analyst", "its transaction was open too long")]
        assert [error.sqlstate for error in lost] == ["57P01"]


@pytest.mark.parametrize("role", ["onefold_analyst", "onefold_engineer"])
def test_a_reader_that_holds_what_the_engine_waits_for_is_ended(warehouse: str, role: str) -> None:
    with (
        psycopg.connect(as_role(warehouse, role)) as reader,
        psycopg.connect(as_role(warehouse, "onefold_loader")) as replacing,
        psycopg.connect(as_role(warehouse, "onefold_loader"), autocommit=True) as loader,
    ):
        reader.execute("select count(*) from conformed.customer")
        replace = threading.Thread(
            target=lambda: replacing.execute("alter view conformed.customer set (security_barrier)")
        )
        replace.start()
        while not (ended := loader.execute("select * from ops.end_overdue_readers('1 h', '1 h', '0 s')").fetchall()):
            pass
        replace.join(30)
        assert ended == [(role, "another session has waited for it")]
        replacing.rollback()
        with pytest.raises(psycopg.OperationalError):
            reader.execute("select 1")


def test_readers_cannot_end_each_other_and_the_engine_is_never_overdue(warehouse: str) -> None:
    with (
        psycopg.connect(as_role(warehouse, "onefold_analyst")) as analyst,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        analyst.execute("select * from ops.end_overdue_readers('0 s', '0 s', '0 s')")
    with (
        psycopg.connect(as_role(warehouse, "onefold_loader")) as at_work,
        psycopg.connect(as_role(warehouse, "onefold_loader"), autocommit=True) as loader,
    ):
        at_work.execute("select count(*) from ops.load")
        assert loader.execute("select * from ops.end_overdue_readers('0 s', '0 s', '0 s')").fetchall() == []


@pytest.mark.parametrize(
    "statement",
    [
        "create temporary table much as select generate_series(1, 10)",
        "set temp_file_limit = -1",
        "select lo_from_bytea(0, 'x')",
        "select lo_creat(-1)",
        "do $$ begin loop null; end loop; end $$",
        "create table public.much (id int)",
    ],
)
def test_an_analyst_cannot_fill_the_disk_or_turn_for_ever(warehouse: str, statement: str) -> None:
    with (
        psycopg.connect(as_role(warehouse, "onefold_analyst")) as analyst,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        analyst.execute(statement)


def test_who_has_been_granted_nothing_connects_to_nothing(
    warehouse: str, postgres: Postgres, stranger: Callable[[str], psycopg.Connection]
) -> None:
    for name in ("postgres", "template1", database(warehouse)):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            stranger(name)


def test_databases_functions_and_members_that_are_made_later_are_brought_in_line_by_the_next_up(
    warehouse: str, postgres: Postgres, stranger: Callable[[str], psycopg.Connection]
) -> None:
    with psycopg.connect(warehouse, autocommit=True) as owner:
        owner.execute("create database made_later")
        try:
            owner.execute("grant execute on function pg_advisory_lock(bigint) to public")  # as an upgrade would
            owner.execute("create function ops.made_later() returns int language sql as 'select 1'")
            owner.execute("create extension fuzzystrmatch")
            owner.execute("create role some_analyst login in role onefold_analyst")
            open_functions = (
                "select p.oid::regprocedure::text from pg_proc as p where p.proname = any(%s)"
                " and has_function_privilege('public', p.oid, 'execute')"
            )
            names = ["made_later", "soundex", "pg_advisory_lock"]
            assert owner.execute(open_functions, [names]).fetchall() == [("pg_advisory_lock(bigint)",)]
            upgrade = install(postgres.url(), PASSWORDS, database(warehouse))
            assert upgrade.refreshed
            assert owner.execute(open_functions, [names]).fetchall() == []
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                stranger("made_later")
            assert owner.execute("select rolconnlimit from pg_roles where rolname = 'some_analyst'").fetchone() == (20,)
            assert not install(postgres.url(), PASSWORDS, database(warehouse)).refreshed
        finally:
            owner.execute("drop database made_later")
            owner.execute("drop role some_analyst")


def test_the_server_keeps_connections_for_the_engine(warehouse: str) -> None:
    with psycopg.connect(warehouse) as owner:
        kept = owner.execute("select current_setting('reserved_connections')::int").fetchone()
        may = owner.execute("select pg_has_role('onefold_loader', 'pg_use_reserved_connections', 'member')").fetchone()
    assert (kept, may) == ((60,), (True,))
