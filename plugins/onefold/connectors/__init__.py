"""Connectors: one module per protocol, each gives pages of records for a window of a stream."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from onefold.catalog.system import System
from onefold.connectors.page import Endpoint, PageReader, Questions
from onefold.errors import Fatal

if TYPE_CHECKING:  # http knows page.Endpoint, so this package must not need http when it is imported
    from onefold.http.client import Client


def reader(system: System, stream_name: str, endpoint: Endpoint, http: Client, questions: Questions) -> PageReader:
    """What reads the pages of a stream: the system's own module where its YAML names one, else its protocol's.

    Raises Fatal when the stream is unknown or the module is missing. Only the module needed is imported.
    """
    if stream_name not in system.streams:
        raise Fatal(
            f"{system.system} has no stream {stream_name!r}; it has: {', '.join(sorted(system.streams))}. "
            f"Add it to catalog/systems/{system.system}.yaml."
        )
    if system.python:
        return _own(system, stream_name, endpoint, http, questions)
    match system.protocol:
        case "rest":
            from onefold.connectors.rest import rest_reader

            return rest_reader(system, stream_name, http)
        case "odata":
            from onefold.connectors.odata import odata_reader

            return odata_reader(system, stream_name, http)
        case "soap":
            soap = importlib.import_module("onefold.connectors.soap")
            read: PageReader = soap.reader(system, stream_name, endpoint, http, questions)
            return read


def _own(system: System, stream_name: str, endpoint: Endpoint, http: Client, questions: Questions) -> PageReader:
    name = f"onefold.systems.{system.python.module}" if system.python else ""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise Fatal(
            f"{system.system}: its YAML names python.module {name.rsplit('.', 1)[1]!r}, but {name} does not exist."
        ) from error
    read: PageReader = module.reader(system, stream_name, endpoint, http, questions)
    return read
