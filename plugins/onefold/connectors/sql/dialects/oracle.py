"""Oracle Database. Not run against a server by the tests. Sources: Oracle, "Database Error Messages", "Format Models",
"Datetime Data Types"; python-oracledb, "Fetching data", "Connection.call_timeout".

Times are read as text: the driver gives a TIMESTAMP WITH TIME ZONE without its zone, and Python ends at the
microsecond. What it calls DATE has a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa
from sqlalchemy.dialects import oracle

from onefold.connectors.sql.dialects.dialect import CONNECT_SECONDS, Codes, Dialect, driver_connection
from onefold.connectors.sql.values import Single, StampText, Written

_SECONDS = 'SYYYY-MM-DD"T"HH24:MI:SS'
_FRACTION = f"{_SECONDS}.FF9"
_READ_SECONDS = 'YYYY-MM-DD"T"HH24:MI:SS'


@runtime_checkable
class _Driver(Protocol):
    """What is used of python-oracledb's connection."""

    call_timeout: int

    def cancel(self) -> None: ...


class _Date(StampText):
    """DATE, to the second."""

    def bind_expression(self, bindvalue: sa.BindParameter[Any]) -> sa.ColumnElement[Any]:
        return sa.func.to_date(sa.func.substr(bindvalue, 1, 19), _READ_SECONDS)


class _Stamp(StampText):
    """TIMESTAMP, to the nanosecond."""

    def bind_expression(self, bindvalue: sa.BindParameter[Any]) -> sa.ColumnElement[Any]:
        at = sa.func.to_timestamp(bindvalue, f"{_READ_SECONDS}.FF9")
        return sa.func.from_tz(at, "UTC") if self.timezone else at


class _ZonedStamp(_Stamp):
    timezone = True


class Oracle(Dialect):
    """Its connection's schema is the service name."""

    driver = "oracle+oracledb"
    begin = "set transaction read only"
    begin_snapshot = ("set transaction read only",)
    tls = ("wallet_location", "wallet_password", "ssl_server_dn_match", "ssl_server_cert_dn", "config_dir")
    codes = Codes(
        slow=frozenset({"ORA-00054", "ORA-01013", "ORA-04021", "ORA-30006", "DPY-4024"}),
        later=frozenset(
            {"ORA-00018", "ORA-00020", "ORA-00060", "ORA-01012", "ORA-01033", "ORA-01034", "ORA-01089", "ORA-01090"}
            | {"ORA-01092", "ORA-01555", "ORA-03113", "ORA-03114", "ORA-03135", "ORA-08176", "ORA-08177"}
            | {"ORA-12170", "ORA-12514", "ORA-12516", "ORA-12518", "ORA-12519", "ORA-12520", "ORA-12528", "ORA-12537"}
            | {"ORA-12541", "ORA-12547", "ORA-12570", "ORA-12571", "DPY-1001", "DPY-4011", "DPY-6005", "DPY-6000"}
        ),
        no_entry=frozenset({"ORA-01005", "ORA-01017", "ORA-28000", "ORA-28001", "ORA-01045", "DPY-6001", "DPY-6003"}),
        no_right=frozenset({"ORA-01031", "ORA-01720", "ORA-41900"}),
        not_there=frozenset({"ORA-00942", "ORA-00904", "ORA-04043"}),
    )

    def address(self, url: sa.URL) -> sa.URL:
        service = {"service_name": url.database or ""}
        return sa.URL.create(url.drivername, url.username, url.password, url.host, url.port, query=service)

    def arguments(self, timeout: float) -> dict[str, object]:
        return {"tcp_connect_timeout": float(CONNECT_SECONDS), "program": "onefold"}

    def start_session(self, connection: sa.Connection, timeout: float) -> None:
        if isinstance(driver := driver_connection(connection), _Driver):
            driver.call_timeout = round(timeout * 1000)
        connection.exec_driver_sql("alter session set time_zone = '+00:00'")

    def ending(self, connection: sa.Connection) -> Callable[[], None] | None:
        driver = driver_connection(connection)
        return driver.cancel if isinstance(driver, _Driver) else None

    def plain(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        if isinstance(kind, oracle.TIMESTAMP):
            return _ZonedStamp() if kind.timezone or kind.local_timezone else _Stamp()
        if isinstance(kind, sa.DateTime):
            return _Stamp() if isinstance(kind, sa.TIMESTAMP) else _Date()
        if isinstance(kind, oracle.INTERVAL):
            return Written()
        if isinstance(kind, oracle.BINARY_FLOAT):
            return Single()
        if isinstance(kind, oracle.FLOAT | oracle.NUMBER):  # both are decimal
            return sa.Numeric()
        return super().plain(kind)

    def selected(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        kind = column.type
        if isinstance(kind, StampText):
            at = sa.func.sys_extract_utc(column) if kind.timezone else column
            text = sa.func.to_char(at, _SECONDS if isinstance(kind, _Date) else _FRACTION)
            return sa.type_coerce(text, kind).label(column.name)
        if isinstance(kind, Written):
            return sa.type_coerce(sa.func.to_char(column), sa.Text()).label(column.name)
        return column
