"""The databases whose logs can be read: which one a connection leads to, and what reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import sqlalchemy as sa

from onefold.catalog.system import System
from onefold.connectors.cdc.mysql import dump, server
from onefold.connectors.cdc.mysql import position as mysql
from onefold.connectors.cdc.mysql.peek import BinlogPeek
from onefold.connectors.cdc.mysql.reader import binlog_reader
from onefold.connectors.cdc.postgres import database, slot
from onefold.connectors.cdc.postgres import position as postgres
from onefold.connectors.cdc.postgres.peek import SlotPeek
from onefold.connectors.cdc.postgres.reader import cdc_reader
from onefold.connectors.connector import StreamSource
from onefold.connectors.lag import Lag
from onefold.connectors.page import PageReader
from onefold.connectors.peek import Peek
from onefold.connectors.sql.database import Database
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings


def open_database(
    system: System,
    endpoint: Endpoint,
    on_attempt: Callable[[Attempt], None],
    **settings: Unpack[AttemptSettings],
) -> Database:
    """The way to the database. Raises Fatal when the connection is of another type."""
    kinds: dict[str, type[Database]] = {"postgres": database.LogDatabase, "mysql": dump.LogDatabase}
    kind = kinds.get(endpoint.url.partition(":")[0])
    if kind is None:
        raise Fatal(
            f"{system.system}: changes are read from the log of a PostgreSQL, MariaDB or MySQL, and the Airflow "
            f"connection {system.connection!r} leads to none. Make it one of type postgres or mysql (which is "
            "MariaDB's too), or read the tables with protocol: sql."
        )
    return kind(system, endpoint, on_attempt, **settings)


def open_peek(system: System, endpoint: Endpoint) -> Peek:
    """What says whether the log has anything to load."""
    return (SlotPeek if endpoint.url.startswith("postgres:") else BinlogPeek)(system, endpoint)


def log_reader(system: System, stream_name: str, opened: Database) -> PageReader:
    """What reads the stream's table and its log."""
    if isinstance(opened, dump.LogDatabase):
        return binlog_reader(system, stream_name, opened)
    return cdc_reader(system, stream_name, _postgres(opened))


def confirm(source: StreamSource, opened: Database, checkpoint: str) -> Lag | None:
    """Tell the source up to where the stream is published, where it wants to hear that; returns how far it is behind
    after that."""
    named = source.named
    if isinstance(opened, dump.LogDatabase):
        reached = mysql.Checkpoint.of(checkpoint, named)

        def ask(connection: sa.Connection) -> tuple[Lag | None, int]:
            return server.lag_of(connection, reached), 0

        return opened.ask("CHECK", source.stream.request.table or "", ask)
    held = postgres.Checkpoint.of(checkpoint, named)
    table = slot.LogTable.of(source.system.system, source.stream_name, source.stream)
    there = _postgres(opened)
    there.tell("CONFIRM", table.table, lambda connection: slot.confirm(connection, table, held))
    return there.tell("CHECK", table.table, lambda connection: slot.lag_of(connection, table, held))


def _postgres(opened: Database) -> database.LogDatabase:
    if not isinstance(opened, database.LogDatabase):
        raise TypeError(f"{type(opened).__name__} has no log")
    return opened
