"""PostgreSQL. Sources: manual, "Error Codes", "Range Types"; psycopg, "Adapting basic Python types"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql.ranges import AbstractMultiRange, AbstractRange

from onefold.connectors.sql.dialects.dialect import CONNECT_SECONDS, Codes, Dialect, driver_connection
from onefold.connectors.sql.time_limit import shut_down
from onefold.connectors.sql.values import Written
from onefold.errors import Fatal
from onefold.warehouse.exact_values import load_intervals_as_text

_RANGES = (AbstractRange, AbstractMultiRange)
_KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}


class PostgreSql(Dialect):
    """Its refusal to let us in has no code at all on our side, only its text."""

    driver = "postgresql+psycopg"
    tls = ("sslmode", "sslrootcert", "sslcert", "sslkey")
    row_values = True
    begin_snapshot = ("set transaction isolation level repeatable read",)
    begin_write = ("set transaction read write",)
    not_committed = frozenset({"23502", "23503", "23505", "23514", "23P01", "40001", "40002", "40P01"})
    codes = Codes(
        slow=frozenset({"57014", "55P03"}),
        later=frozenset({"08", "25P", "40", "53", "55", "57", "58", "XX"}),
        no_entry=frozenset({"28000", "28P01", "3D000"}),
        no_right=frozenset({"42501"}),
        not_there=frozenset({"42P01", "42703", "3F000"}),
        no_entry_texts=("authentication failed", "does not exist", "pg_hba.conf", "no password supplied"),
        names={
            each.sqlstate: name
            for name, each in vars(psycopg.errors).items()
            if isinstance(each, type) and issubclass(each, psycopg.Error) and each.sqlstate
        },
    )

    def arguments(self, timeout: float) -> dict[str, object]:
        return {"connect_timeout": CONNECT_SECONDS, "application_name": "onefold", **_KEEPALIVE}

    def start_session(self, connection: sa.Connection, timeout: float) -> None:
        settings = {
            "default_transaction_read_only": "on",
            "statement_timeout": f"{timeout * 1000:.0f}",
            "idle_in_transaction_session_timeout": f"{timeout * 1000:.0f}",
            "TimeZone": "UTC",
            "DateStyle": "ISO",
            "IntervalStyle": "iso_8601",
        }
        connection.execute(sa.select(*(sa.func.set_config(name, value, False) for name, value in settings.items())))
        load_intervals_as_text(psycopg_connection(connection))

    def ending(self, connection: sa.Connection) -> Callable[[], None] | None:
        driver = psycopg_connection(connection)
        return None if driver.closed else shut_down(driver.fileno())

    def plain(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        base = _base(kind)
        return Written() if isinstance(base, _RANGES) else super().plain(base)

    def selected(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        kind = column.type
        if isinstance(kind, Written):
            return sa.cast(column, sa.Text()).label(column.name)
        if isinstance(kind, sa.ARRAY) and (given := _known_items(kind.item_type)) is not kind.item_type:
            return sa.cast(column, given).label(column.name)
        return column


def psycopg_connection(connection: sa.Connection) -> psycopg.Connection:
    """The driver's own connection. Raises Fatal when it is not PostgreSQL's."""
    found = driver_connection(connection)
    if not isinstance(found, psycopg.Connection):
        raise Fatal(f"the driver of this connection is {type(found).__name__}, not psycopg. Please report it as a bug.")
    return found


def _known_items(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """What an array of such items is read as: the driver does not know arrays of domains, of ranges, or of types that
    were added to the database, and gives `{1.50}` as one text. `kind` itself where it knows them."""
    base = _base(kind)
    if isinstance(base, sa.ARRAY):
        return sa.Text()
    if isinstance(base, (sa.types.NullType, postgresql.CITEXT, *_RANGES)):
        return postgresql.ARRAY(sa.Text())
    return kind if base is kind else postgresql.ARRAY(base)


def _base(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    """The type under a domain, and under that one's."""
    while isinstance(kind, postgresql.DOMAIN):
        kind = kind.data_type
    return kind
