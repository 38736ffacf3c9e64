"""SQL databases as a connector. SQLAlchemy is imported when a database is opened: it takes its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Unpack

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities, Counting
from onefold.connectors.connector import Connector
from onefold.connectors.page import PageReader
from onefold.connectors.window import Window
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

if TYPE_CHECKING:
    from onefold.connectors.sql.database import Database


class SqlConnector(Connector["Database"]):
    """Reads a table or view of a database of any kind in dialects/."""

    capabilities = Capabilities(
        windows="cursor", counting=Counting(200), ordered=False, listing="cursor", by_key=True, sweeps=True
    )

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> Database:
        from onefold.connectors.sql.database import Database

        return Database(system, endpoint, on_attempt, **settings)

    def page_reader(self) -> PageReader:
        from onefold.connectors.sql.reader import sql_reader

        return sql_reader(self.source.system, self.source.stream_name, self.transport, self.source.resume_cursor)

    def count(self, windows: Sequence[Window]) -> list[int]:
        from onefold.connectors.sql.counting import counted

        return counted(self.source.system, self.source.stream_name, self.transport, windows)
