"""SQL Server. Not run against a server by the tests. Sources: Microsoft, "Database Engine events and errors", "CAST and
CONVERT", "datetime2", "rowversion"; pymssql, "Module reference".

Times are read as the text of 100 ns, and compared as such: Python ends at the microsecond, and a page that began after
a rounded time would begin with the rows that the one before had. datetime's .003 is .0033333 for the server.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from onefold.connectors.sql.dialects.dialect import CONNECT_SECONDS, Codes, Dialect
from onefold.connectors.sql.values import Single, StampText, Written


class _Type(sa.types.UserDefinedType[str]):
    """A type by its name."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: object) -> str:
        return self.name


_ZONED, _LOCAL, _BYTES = (_Type(name) for name in ("datetimeoffset(7)", "datetime2(7)", "binary(8)"))


class _Stamp(StampText):
    def bind_expression(self, bindvalue: sa.BindParameter[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(bindvalue, _ZONED if self.timezone else _LOCAL)


class _ZonedStamp(_Stamp):
    timezone = True


class _RowVersion(sa.BigInteger):
    """ROWVERSION as the whole number that its eight bytes are, for a cursor of kind integer."""

    cache_ok = True

    def bind_expression(self, bindvalue: sa.BindParameter[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(sa.cast(bindvalue, sa.BigInteger()), _BYTES)


class SqlServer(Dialect):
    """It has no session that can only read: the login must have no other right."""

    driver = "mssql+pymssql"
    begin_snapshot = ("set transaction isolation level snapshot",)
    tls = ("encryption", "tds_version")
    codes = Codes(
        slow=frozenset({1222, 20003}),
        later=frozenset(
            {233, 921, 1204, 1205, 3960, 4221, 9001, 10053, 10054, 10060, 10928, 10929}
            | {20002, 20004, 20006, 20009, 20017, 20047, 40143, 40197, 40501, 40540, 40613, 49918, 49919, 49920}
        ),
        no_entry=frozenset({4060, 4064, 18452, 18456, 18470, 18486, 18487, 18488}),
        no_right=frozenset({229, 230, 262, 297, 300, 916}),
        not_there=frozenset({207, 208}),
    )

    def arguments(self, timeout: float) -> dict[str, object]:
        return {
            "timeout": max(1, round(timeout)),
            "login_timeout": CONNECT_SECONDS,
            "charset": "UTF-8",
            "appname": "onefold",
            "read_only": True,
            "encryption": "require",
        }

    def start_session(self, connection: sa.Connection, timeout: float) -> None:
        connection.exec_driver_sql(f"set lock_timeout {timeout * 1000:.0f}")

    def plain(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        if isinstance(kind, mssql.DATETIMEOFFSET):
            return _ZonedStamp()
        if isinstance(kind, sa.DateTime):
            return _Stamp()
        if isinstance(kind, mssql.TIMESTAMP):  # ROWVERSION is one
            return _RowVersion()
        if isinstance(kind, sa.Time):
            return Written()
        return Single() if isinstance(kind, sa.REAL) else super().plain(kind)

    def selected(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        if isinstance(column.type, StampText):
            zoned = column.type.timezone
            at = sa.func.switchoffset(column, "+00:00") if zoned else sa.cast(column, _LOCAL)
            text = sa.func.convert(sa.literal_column("varchar(33)"), at, sa.literal_column("126"))
            return sa.type_coerce(text, column.type).label(column.name)
        if isinstance(column.type, _RowVersion):
            return sa.type_coerce(sa.cast(column, sa.BigInteger()), column.type).label(column.name)
        if isinstance(column.type, Written):
            return sa.cast(column, sa.String(16)).label(column.name)
        return column

    def stamp(self, text: str) -> sa.ColumnElement[Any]:
        return sa.literal_column(f"cast('{text.replace(' ', 'T')}' as datetime2(7))")
