"""SQL Server and Oracle, as far as no server is needed: statements, values, and what their drivers' errors mean."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import oracledb
import pymssql
import pytest
import sqlalchemy as sa
from purgatory import SyncCircuitBreakerFactory
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql

from onefold.connectors.sql.database import DIALECTS, Database, dialect_of
from onefold.connectors.sql.database_errors import Slow, classed
from onefold.connectors.sql.dialects.dialect import Dialect
from onefold.connectors.sql.dialects.mssql import SqlServer
from onefold.connectors.sql.dialects.mysql import MySql
from onefold.connectors.sql.dialects.oracle import Oracle
from onefold.connectors.sql.dialects.postgresql import PostgreSql
from onefold.connectors.sql.query import Place, Query
from onefold.connectors.sql.relation import Relation, Rows, is_single_precision
from onefold.connectors.window import Window
from onefold.errors import Fatal, Retriable
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again
from onefold.http.limit import MemoryLimiter
from onefold.orchestration.tasks.connections import DATABASES
from onefold.platform.postgres import free_port
from tests.connectors.databases import system

WINDOW = Window(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC))
WARSAW = ZoneInfo("Europe/Warsaw")


def query(dialect: Dialect, stamp: sa.types.TypeEngine[object], **of: object) -> Query:
    """The statements of a stream klient, whose cursor is of this type as the database describes it."""
    columns = {"id": sa.Integer(), "nazwa": sa.String(50), "zmieniono": stamp}
    table = sa.table("klienci", *(sa.column(name, dialect.plain(kind)) for name, kind in columns.items()))
    stream = system("klienci", **of).streams["klient"]
    return Query(Relation(table, frozenset(), WARSAW, dialect), stream, "test_erp.klient")


def written(dialect: Dialect, statement: sa.Select) -> str:
    """The statement with its parameters as the driver is given them."""
    engine = sa.create_engine(f"{dialect.driver}://host/db")
    compiled = statement.compile(engine)
    given = {}
    for bound, name in compiled.bind_names.items():
        process = bound.type.dialect_impl(engine.dialect).bind_processor(engine.dialect)
        value = bound.effective_value
        given[name] = repr(process(value) if process else value)
    text = str(compiled)
    for name, value in given.items():
        text = re.sub(rf"%\({name}\)s|:{name}\b|__\[POSTCOMPILE_{name}\]", lambda _, value=value: value, text)
    return " ".join(text.split())


def after(dialect: Dialect, stamp: sa.types.TypeEngine[object], value: object, **of: object) -> str:
    asked = query(dialect, stamp, **of)
    bounds = asked.bounds(WINDOW, lambda window: None)
    return written(dialect, asked.page(Place(True, (value, 7)), bounds, 50))


def test_a_page_of_sql_server_begins_after_a_time_of_seven_digits():
    sql = after(SqlServer(), mssql.DATETIME2(), "2026-01-02T03:04:05.1234567")
    assert sql.startswith(
        "SELECT TOP 50 klienci.id, klienci.nazwa, convert(varchar(33), CAST(klienci.zmieniono AS datetime2(7)), 126)"
    )
    assert "klienci.zmieniono >= CAST('2026-01-02T01:00:00.000000' AS datetime2(7))" in sql  # on Warsaw's clock
    assert "klienci.zmieniono > CAST('2026-01-02T03:04:05.1234567' AS datetime2(7))" in sql
    assert sql.endswith("ORDER BY klienci.zmieniono, klienci.id")


def test_a_page_of_sql_server_with_zones_is_asked_for_in_utc():
    sql = after(SqlServer(), mssql.DATETIMEOFFSET(), "2026-01-02T03:04:05.1234567")
    assert "switchoffset(klienci.zmieniono, '+00:00')" in sql
    assert "klienci.zmieniono < CAST('2026-01-03T00:00:00.000000' AS datetimeoffset(7))" in sql


def test_a_row_version_of_sql_server_is_a_whole_number_and_compared_as_bytes():
    asked = query(SqlServer(), mssql.ROWVERSION(), kind="integer")
    sql = written(SqlServer(), asked.page(Place(True, (2001, 7)), [], 50))
    assert "CAST(klienci.zmieniono AS BIGINT)" in sql
    assert "klienci.zmieniono > CAST(CAST(2001 AS BIGINT) AS binary(8))" in sql


@pytest.mark.parametrize(
    ("stamp", "read", "compared"),
    [
        (oracle.DATE(), "to_char(klienci.zmieniono, {seconds}')", "> to_date(substr({nine}, 1, 19), "),
        (oracle.TIMESTAMP(), "to_char(klienci.zmieniono, {seconds}.FF9')", "> to_timestamp({nine}, "),
        (
            oracle.TIMESTAMP(timezone=True),
            "to_char(sys_extract_utc(klienci.zmieniono), {seconds}.FF9')",
            "> from_tz(to_timestamp({nine}, ",
        ),
        (
            oracle.TIMESTAMP(local_timezone=True),
            "to_char(sys_extract_utc(klienci.zmieniono), {seconds}.FF9')",
            "> from_tz(to_timestamp({nine}, ",
        ),
    ],
)
def test_a_page_of_oracle_begins_after_a_time_of_nine_digits(stamp: sa.types.TypeEngine, read: str, compared: str):
    sql = after(Oracle(), stamp, "2026-01-02T03:04:05.123456789")
    assert read.format(seconds='\'SYYYY-MM-DD"T"HH24:MI:SS') in sql
    assert compared.format(nine="'2026-01-02T03:04:05.123456789'") in sql
    assert "FETCH FIRST 50 ROWS ONLY" in sql


@pytest.mark.parametrize(
    ("dialect", "stamp"), [(SqlServer(), mssql.DATETIME2()), (Oracle(), oracle.TIMESTAMP())], ids=["mssql", "oracle"]
)
def test_the_token_of_a_page_keeps_every_digit_of_a_time(dialect: Dialect, stamp: sa.types.TypeEngine):
    asked = query(dialect, stamp)
    place = Place(True, ("2026-01-02T03:04:05.1234567", 7))
    assert asked.place(asked.token(place)) == place


@pytest.mark.parametrize(
    ("given", "zoned", "told"),
    [
        ("2026-07-02T03:04:05.1234567", False, "2026-07-02T01:04:05.1234567Z"),
        ("2026-01-02T03:04:05", False, "2026-01-02T02:04:05.000Z"),
        ("2026-01-02T03:04:05.1234567+00:00", True, "2026-01-02T03:04:05.1234567Z"),
        (" 2026-01-02T03:04:05.120000000", True, "2026-01-02T03:04:05.120Z"),
        ("-0044-03-15T00:00:00", False, "-0044-03-15T00:00:00"),
        ("0001-01-01T00:00:00.0000000", False, "0001-01-01T00:00:00.0000000"),
        (None, False, None),
    ],
)
def test_a_time_that_came_as_text_is_given_in_utc_with_all_its_digits(given: str | None, zoned: bool, told: str | None):
    kind = SqlServer().plain(mssql.DATETIMEOFFSET() if zoned else mssql.DATETIME2())
    relation = Relation(sa.table("t", sa.column("at", kind)), frozenset(), WARSAW, SqlServer())
    stream = system("t", fields={"at": "timestamp"}).streams["klient"]
    assert json.loads(Rows(relation, stream).json([given]))["at"] == told


@dataclass(frozen=True)
class Told:
    """What python-oracledb's errors carry."""

    full_code: str
    message: str


def oracle_error(code: str) -> Exception:
    return oracledb.DatabaseError(Told(code, f"{code}: a text of user jan"))


@pytest.mark.parametrize(
    ("dialect", "error", "becomes", "says"),
    [
        (SqlServer(), pymssql.OperationalError(1222, b"Lock request time out"), Slow, "no answer within 9 s"),
        (SqlServer(), pymssql.OperationalError((20009, b"Unable to connect")), Again, "the connection failed"),
        (
            SqlServer(),
            pymssql.OperationalError((18456, b"No login for jan")),
            Fatal,
            "Check login, password",
        ),
        (SqlServer(), pymssql.ProgrammingError(208, b"Invalid object name"), Fatal, "Compare request.table"),
        (SqlServer(), pymssql.OperationalError(229, b"The SELECT permission was denied"), Fatal, "Grant the login"),
        (Oracle(), oracle_error("ORA-00054"), Slow, "no answer within 9 s"),
        (Oracle(), oracle_error("ORA-03113"), Again, "the connection failed"),
        (Oracle(), oracle_error("DPY-6005"), Again, "the connection failed"),
        (Oracle(), oracle_error("ORA-01017"), Fatal, "Check login, password"),
        (Oracle(), oracle_error("ORA-00942"), Fatal, "Compare request.table"),
        (Oracle(), oracle_error("ORA-01031"), Fatal, "Grant the login"),
        (Oracle(), oracle_error("ORA-00933"), Fatal, "The query does not fit the table"),
    ],
)
def test_an_error_of_the_driver_says_whether_to_ask_again(
    dialect: Dialect, error: Exception, becomes: type[Exception], says: str
):
    wrapped = sa.exc.DBAPIError.instance(
        "select 1", {}, error, pymssql.Error if isinstance(dialect, SqlServer) else oracledb.Error
    )
    found = classed(wrapped, "test_erp.klient", system("klienci"), 9, dialect.codes)
    assert type(found) is becomes
    assert says in str(found)
    assert "jan" not in str(found)


@pytest.mark.parametrize("kind", ["mssql", "oracle"])
def test_a_server_that_is_down_may_come_back(kind: str):
    endpoint = Endpoint(f"{kind}://127.0.0.1:{free_port()}/erp", "reader", "hush-hush")
    slept: list[float] = []
    limits = {"rate": ["1000/s"], "timeout": "PT2S", "attempts": 2}
    with (
        Database(
            system("klienci", limits=limits),
            endpoint,
            lambda attempt: None,
            limiter=MemoryLimiter(),
            stream="klient",
            breakers=SyncCircuitBreakerFactory(default_threshold=100),
            sleep=slept.append,
        ) as database,
        pytest.raises(Retriable, match=r"failed [12] times?.*the connection failed") as raised,
    ):
        database.ask("SELECT", "klienci", lambda connection: (None, 0))
    assert "hush-hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("dialect", "single", "others"),
    [
        (PostgreSql(), sa.REAL(), [postgresql.DOUBLE_PRECISION(), sa.Numeric(), sa.Integer()]),
        (MySql(), mysql.FLOAT(), [mysql.DOUBLE(), mysql.DECIMAL(), mysql.BIGINT()]),
        (SqlServer(), mssql.REAL(), [mssql.DOUBLE_PRECISION(), mssql.MONEY(), mssql.ROWVERSION()]),
        (Oracle(), oracle.BINARY_FLOAT(), [oracle.BINARY_DOUBLE(), oracle.FLOAT(), oracle.NUMBER()]),
    ],
)
def test_only_a_number_of_single_precision_is_refused_as_a_key(
    dialect: Dialect, single: sa.types.TypeEngine, others: list[sa.types.TypeEngine]
):
    assert is_single_precision(dialect, single)
    assert not any(is_single_precision(dialect, each) for each in others)


def test_every_database_has_a_type_of_airflows_connections():
    assert tuple(DIALECTS) == DATABASES
    assert [dialect_of(each).driver.partition("+")[0] for each in DATABASES] == [
        "postgresql",
        "mysql",
        "mssql",
        "oracle",
    ]
