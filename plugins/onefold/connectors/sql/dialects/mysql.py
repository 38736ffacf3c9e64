"""MySQL and MariaDB. Source: MariaDB, "MariaDB Error Codes" (2000 and up are the client's own)."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from typing import Any

import pymysql
import sqlalchemy as sa
from pymysql.constants import CR, ER
from sqlalchemy.dialects import mysql

from onefold.connectors.sql.dialects.dialect import CONNECT_SECONDS, Codes, Dialect, driver_connection
from onefold.connectors.sql.time_limit import shut_down
from onefold.connectors.sql.values import Clock, Single

_AS_WRITTEN = (
    *("inet4", "inet6", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring"),
    *("multipolygon", "geometrycollection", "geomcollection"),
)
"""Types that SQLAlchemy does not know and would warn of: values are read as the server writes them."""
mysql.dialect.ischema_names.update(dict.fromkeys(_AS_WRITTEN, sa.types.NullType))


class _Members(mysql.SET):
    """MySQL's SET as the text that the server writes, in the order of its definition; a Python set has none."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> None:
        return None


class MySql(Dialect):
    """The driver finds out by itself whether it meets MariaDB."""

    driver = "mysql+pymysql"
    begin_snapshot = (
        "set session transaction isolation level repeatable read",
        "start transaction with consistent snapshot, read only",
    )
    begin_write = ("start transaction read write",)
    not_committed = frozenset({1205, 1213})
    tls = ("ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity")
    codes = Codes(
        slow=frozenset({1205, 1317, 1969, 3024}),
        later=frozenset({1040, 1053, 1203, 1213, 1226, 1927, 2002, 2003, 2006, 2013, 2014, 2055, 4031}),
        no_entry=frozenset({1044, 1045, 1049, 1130, 1251, 1698}),
        no_right=frozenset({1142, 1143, 1227, 1345}),
        not_there=frozenset({1054, 1146}),
        no_entry_texts=("not permitted to",),
        names={number: name for names in (ER, CR) for name, number in vars(names).items() if isinstance(number, int)},
    )

    def arguments(self, timeout: float) -> dict[str, object]:
        # a server that is gone without a word must not be waited for for ever
        return {
            "connect_timeout": CONNECT_SECONDS,
            "charset": "utf8mb4",
            "read_timeout": timeout + CONNECT_SECONDS,
        }

    def start_session(self, connection: sa.Connection, timeout: float) -> None:
        mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
        name, unit = ("max_statement_time", 1) if mariadb else ("max_execution_time", 1000)
        seconds = math.ceil(timeout)
        connection.execute(sa.text("set session transaction read only"))
        connection.execute(
            sa.text(f"set session time_zone = '+00:00', lock_wait_timeout = :wait, {name} = :longest"),
            {"wait": seconds, "longest": seconds * unit},
        )

    def ending(self, connection: sa.Connection) -> Callable[[], None] | None:
        driver = driver_connection(connection)
        wire = vars(driver).get("_sock") if isinstance(driver, pymysql.Connection) else None  # it has no public way
        return shut_down(wire.fileno()) if isinstance(wire, socket.socket) else None

    def plain(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        """SQLAlchemy would round MySQL's doubles to decimals."""
        if isinstance(kind, mysql.TIME):
            return Clock()
        if isinstance(kind, mysql.SET):
            return _Members(*kind.values)
        return Single() if isinstance(kind, mysql.FLOAT) else super().plain(kind)

    def selected(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        """FLOAT as a double: as FLOAT the server writes six digits of it."""
        if isinstance(column.type, Single):
            return sa.type_coerce(column + sa.literal_column("0e0"), sa.Float()).label(column.name)
        return column

    def ordered(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        """ENUM and SET are sorted by the places of their members and compared with a text by their names (MariaDB:
        "ENUM")."""
        return sa.cast(column, sa.CHAR) if isinstance(column.type, mysql.ENUM | mysql.SET) else column
