"""Reads a stream as a load does, over a transport that the test has opened."""

from __future__ import annotations

from onefold.catalog.system import System
from onefold.connectors.connector import Connector, StreamSource, Transport, no_cursor
from onefold.connectors.lookup import LookupKeys
from onefold.connectors.page import PageReader
from onefold.connectors.registry import connector_class
from onefold.connectors.window import ResumeCursor
from onefold.http.endpoint import Endpoint


def connector(
    system: System,
    stream_name: str,
    endpoint: Endpoint,
    transport: Transport,
    keys: LookupKeys | None = None,
    resume_cursor: ResumeCursor = no_cursor,
) -> Connector[Transport]:
    source = StreamSource(system, stream_name, endpoint, keys, resume_cursor)
    return connector_class(system)(source, transport)


def reader(
    system: System, stream_name: str, endpoint: Endpoint, transport: Transport, keys: LookupKeys | None = None
) -> PageReader:
    return connector(system, stream_name, endpoint, transport, keys).read
