"""SOAP as a connector."""

from __future__ import annotations

from onefold.connectors.capabilities import Capabilities
from onefold.connectors.http_connector import HttpConnector
from onefold.connectors.page import PageReader
from onefold.connectors.soap.reader import soap_reader


class SoapConnector(HttpConnector):
    """Reads a SOAP service whose one call answers a stream."""

    capabilities = Capabilities(windows="request", listing="request", sweeps=True)

    def page_reader(self) -> PageReader:
        return soap_reader(self.source.system, self.source.stream_name, self.source.endpoint, self.transport)
