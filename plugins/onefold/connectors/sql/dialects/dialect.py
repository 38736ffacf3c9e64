"""What the reader of SQL databases needs to know of one kind of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa

Code = str | int | None
"""An error's SQLSTATE, number, or name with number (ORA-00942); None: the driver gave none."""

CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Codes:
    """What error codes mean. `later` takes texts as prefixes; `no_entry_texts` are parts of messages without a code."""

    slow: frozenset[Code]
    later: frozenset[Code]
    no_entry: frozenset[Code]
    no_right: frozenset[Code]
    not_there: frozenset[Code]
    no_entry_texts: tuple[str, ...] = ()
    names: Mapping[str | int, str] | None = None

    def is_later(self, code: Code) -> bool:
        """Whether the same question may be answered later."""
        if isinstance(code, str):
            return code.startswith(tuple(each for each in self.later if isinstance(each, str)))
        return code in self.later

    def name(self, code: Code) -> str | None:
        """What the code is called: UndefinedTable, NO_SUCH_TABLE."""
        return (self.names or {}).get(code) if code else None


class Dialect(ABC):
    """One kind of database. `tls` are the keys of the connection's extra that go to the driver; `row_values`: (a, b) >
    (1, 2) is found in an index; `begin` is the statement that each transaction begins with, and `begin_snapshot` are
    those after which all of it sees the database as it was then. `begin_write` are those that begin a transaction which
    writes, None where none was tried. `not_committed`: a commit that ends with one of these codes has surely failed."""

    driver: ClassVar[str]
    codes: ClassVar[Codes]
    tls: ClassVar[tuple[str, ...]] = ()
    row_values: ClassVar[bool] = False
    begin: ClassVar[str | None] = None
    begin_snapshot: ClassVar[tuple[str, ...]] = ()
    begin_write: ClassVar[tuple[str, ...] | None] = None
    not_committed: ClassVar[frozenset[Code]] = frozenset()

    def address(self, url: sa.URL) -> sa.URL:
        """The URL as the driver wants it."""
        return url

    @abstractmethod
    def arguments(self, timeout: float) -> dict[str, object]:
        """What the driver is given when it connects. `timeout`: seconds that a statement may take."""

    @abstractmethod
    def start_session(self, connection: sa.Connection, timeout: float) -> None:
        """Read only where the database can say so, every statement within the timeout (locks that it waits for too),
        times in UTC."""

    def ending(self, connection: sa.Connection) -> Callable[[], None] | None:
        """What ends the connection's statement from another thread, whatever the server does; None: nothing does."""
        return None

    def plain(self, kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
        """A type as reflected, but without what SQLAlchemy would do to its values."""
        return sa.Float() if isinstance(kind, sa.Float) else kind

    def selected(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        """The column such that the driver gives its values whole."""
        return column

    def ordered(self, column: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        """The column as it is both sorted and compared."""
        return column

    def stamp(self, text: str) -> sa.ColumnElement[Any]:
        """A timestamp without a zone, `2026-01-02 03:04:05`, as SQL."""
        return sa.literal_column(f"timestamp '{text}'")


def driver_connection(connection: sa.Connection) -> object:
    """The driver's own connection."""
    return connection.connection.driver_connection
