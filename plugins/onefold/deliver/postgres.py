"""Another PostgreSQL. Rows are copied in; only the pointer's row shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from onefold.deliver.dialect import PostgresDialect
from onefold.deliver.table import Column
from onefold.deliver.target import Text
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.warehouse.db_errors import safe_message

_ROWS = 10_000


class PostgresSession:
    """A connection to the other PostgreSQL; each statement commits by itself, unless within transaction()."""

    dialect = PostgresDialect()

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str) -> int:
        return max(self._connection.execute(statement.encode()).rowcount, 0)

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        with self._connection.transaction(), self._connection.cursor(name="rows") as cursor:
            cursor.itersize = _ROWS
            cursor.execute(query.encode())
            yield from cursor

    def load(self, stored: str, columns: Sequence[Column], rows: Iterator[Sequence[Text]]) -> int:
        names = ", ".join(self.dialect.quote(each.name) for each in columns)
        statement = f"copy {self.dialect.table(stored)} ({names}) from stdin"
        written = 0
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(row)
                written += 1
        return written

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._connection.transaction():
            yield


class PostgresTarget:
    """A database of another PostgreSQL, reached as a role that owns what Onefold makes there."""

    forgets_only_anew = False

    def __init__(self, name: str, url: str, place: str) -> None:
        self.name = name
        self.place = place
        self._url = url

    @contextmanager
    def reading(self) -> Iterator[PostgresSession | None]:
        with self._connected() as connection:
            yield PostgresSession(connection)

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[PostgresSession]:
        with self._connected() as connection:
            yield PostgresSession(connection)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection]:
        """A session in UTC. An error's text that could quote a row is left out."""
        options = "-c TimeZone=UTC -c DateStyle=ISO,DMY -c client_min_messages=warning"
        try:
            with psycopg.connect(
                self._url, autocommit=True, options=options, application_name="onefold", connect_timeout=10
            ) as connection:
                yield connection
        except OnefoldError:
            raise
        except psycopg.OperationalError as error:
            raise Retriable(
                f"{self.name}: the other PostgreSQL cannot be reached, or ended the session ({_said(error)}). Readers "
                "there see the publish before. See whether it is up; the next attempt begins again."
            ) from error
        except psycopg.Error as error:
            raise Fatal(
                f"{self.name}: the other PostgreSQL refused a statement ({safe_message(error)}). Readers there see the "
                "publish before. The role needs CREATE in its database, and owns the schemas onefold, conformed and "
                "marts there (docs/targets/postgres.md)."
            ).with_traceback(error.__traceback__) from None


def _said(error: psycopg.Error) -> str:
    return str(error).strip().split("\n")[0] if error.sqlstate is None else safe_message(error)
