"""OData as a connector."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from onefold.connectors.capabilities import Capabilities, Counting
from onefold.connectors.http_connector import HttpConnector
from onefold.connectors.odata.reader import counted, odata_reader, selecting_keys
from onefold.connectors.page import PageReader
from onefold.connectors.window import Window


class ODataConnector(HttpConnector):
    """Reads an OData service, version 2 or 4."""

    capabilities = Capabilities(
        windows="cursor",
        listing="cursor",
        counting=Counting(12, timedelta(milliseconds=1)),
        sweeps=True,
        select_keys=selecting_keys,
    )

    def page_reader(self) -> PageReader:
        return odata_reader(self.source.system, self.source.stream_name, self.transport)

    def count(self, windows: Sequence[Window]) -> list[int]:
        return [counted(self.source.system, self.source.stream, window, self.transport) for window in windows]
