"""Change data capture as a connector. What it needs is imported when a database is opened: it takes its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Unpack

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.connector import Connector
from onefold.connectors.lag import Lag
from onefold.connectors.page import PageReader
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

if TYPE_CHECKING:
    from onefold.connectors.cdc.postgres.database import LogDatabase


class CdcConnector(Connector["LogDatabase"]):
    """Reads a table of a PostgreSQL and then its log of changes."""

    capabilities = Capabilities(confirms=True, lets_go=True)

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> LogDatabase:
        from onefold.connectors.cdc.postgres.database import LogDatabase

        return LogDatabase(system, endpoint, on_attempt, **settings)

    def page_reader(self) -> PageReader:
        from onefold.connectors.cdc.postgres.reader import cdc_reader

        return cdc_reader(self.source.system, self.source.stream_name, self.transport)

    def confirm(self, checkpoint: str) -> Lag | None:
        from onefold.connectors.cdc.postgres.position import Checkpoint
        from onefold.connectors.cdc.postgres.slot import LogTable, confirm, lag_of

        table = LogTable.of(self.source.system.system, self.source.stream_name, self.source.stream)
        held = Checkpoint.of(checkpoint, self.source.named)
        self.transport.tell("CONFIRM", table.table, lambda connection: confirm(connection, table, held))
        return self.transport.tell("CHECK", table.table, lambda connection: lag_of(connection, table, held))
