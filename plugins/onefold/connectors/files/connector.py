"""Files as a connector. openpyxl and botocore are imported when files are read: they take their time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Unpack

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.connector import Connector
from onefold.connectors.page import PageReader
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

if TYPE_CHECKING:
    from onefold.connectors.files.store import Store


class FilesConnector(Connector["Store"]):
    """Reads the files of a folder or a bucket."""

    capabilities = Capabilities(windows="always", ordered=False)

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> Store:
        from onefold.connectors.files.opening import open_store

        return open_store(system, endpoint, on_attempt, **settings)

    def page_reader(self) -> PageReader:
        from onefold.connectors.files.reader import files_reader

        return files_reader(self.source.system, self.source.stream_name, self.source.endpoint, self.transport)
