"""The way to a PostgreSQL whose log is read: the SQL connector's, and a connection of the replication protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
import sqlalchemy as sa

from onefold.connectors.sql.database import Database
from onefold.connectors.sql.dialects.postgresql import psycopg_connection
from onefold.http.failure import Again

T = TypeVar("T")


class LogDatabase(Database):
    """A PostgreSQL whose log of changes is read. What it asks keeps the rates, is tried again and counted."""

    def tell(
        self, verb: str, table: str, question: Callable[[psycopg.Connection], T], *,
        writes: bool = False, longest: float | None = None,
    ) -> T:  # fmt: skip
        """What `question` finds out over the driver's own connection, in one transaction; `writes`: it may write.

        `longest` as in `ask`; the question then sees to the server's own time limit.
        """

        def ask(connection: sa.Connection) -> tuple[T, int]:
            driver = psycopg_connection(connection)
            if writes:
                connection.exec_driver_sql("set transaction read write")
            try:
                return question(driver), 0
            except psycopg.Error as error:  # SQLAlchemy has not seen it
                lost = driver.closed or driver.broken
                raise sa.exc.DBAPIError("", None, error, connection_invalidated=lost) from error

        return self.ask(verb, table, ask, longest)

    @contextmanager
    def replication(self, named: str) -> Iterator[psycopg.Connection]:
        """A connection of the replication protocol, over which a slot is made together with a snapshot.

        Raises Retriable when the server cannot be reached now, Fatal when it refuses.
        """
        try:
            with psycopg.connect(**self.driver_arguments(), replication="database", autocommit=True) as connection:
                yield connection
        except psycopg.Error as error:
            why = self.classed(sa.exc.DBAPIError("", None, error), named)
            raise (why.in_the_end(named, 1, self.system.connection) if isinstance(why, Again) else why) from error
