"""GraphQL as a connector."""

from __future__ import annotations

from onefold.connectors.capabilities import Capabilities
from onefold.connectors.graphql.reader import graphql_reader
from onefold.connectors.http_connector import HttpConnector
from onefold.connectors.page import PageReader


class GraphQLConnector(HttpConnector):
    """Reads a GraphQL service: connections, and lists by offset, number or token."""

    capabilities = Capabilities(windows="request", listing="request", sweeps=True)

    def page_reader(self) -> PageReader:
        return graphql_reader(self.source.system, self.source.stream_name, self.transport)
