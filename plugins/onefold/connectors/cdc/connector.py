"""Change data capture as a connector. What it needs is imported when a database is opened: it takes its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Unpack

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.connector import Connector
from onefold.connectors.lag import Lag
from onefold.connectors.page import PageReader
from onefold.connectors.peek import Peek
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

if TYPE_CHECKING:
    from onefold.connectors.sql.database import Database


class CdcConnector(Connector["Database"]):
    """Reads a table of a PostgreSQL, MariaDB or MySQL, and then its log of changes."""

    capabilities = Capabilities(confirms=True, lets_go=True, peeks=True)

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> Database:
        from onefold.connectors.cdc.sources import open_database

        return open_database(system, endpoint, on_attempt, **settings)

    @classmethod
    def slot_name(cls, system: System, stream_name: str) -> str | None:
        from onefold.connectors.cdc.postgres.slot import LogTable

        return LogTable.of(system.system, stream_name, system.streams[stream_name]).slot

    @classmethod
    def open_peek(cls, system: System, endpoint: Endpoint) -> Peek:
        from onefold.connectors.cdc.sources import open_peek

        return open_peek(system, endpoint)

    def page_reader(self) -> PageReader:
        from onefold.connectors.cdc.sources import log_reader

        return log_reader(self.source.system, self.source.stream_name, self.transport)

    def confirm(self, checkpoint: str) -> Lag | None:
        from onefold.connectors.cdc.sources import confirm

        return confirm(self.source, self.transport, checkpoint)
