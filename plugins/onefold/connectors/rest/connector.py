"""REST as a connector."""

from __future__ import annotations

from onefold.connectors.capabilities import Capabilities
from onefold.connectors.http_connector import HttpConnector
from onefold.connectors.page import PageReader
from onefold.connectors.rest.reader import rest_reader


class RestConnector(HttpConnector):
    """Reads a REST service that answers JSON."""

    capabilities = Capabilities(windows="request", listing="request", sweeps=True)

    def page_reader(self) -> PageReader:
        return rest_reader(self.source.system, self.source.stream_name, self.transport)
