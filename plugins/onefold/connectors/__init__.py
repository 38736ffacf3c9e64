"""Connectors: one module per protocol, each gives pages of records for a window of a stream."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from onefold.catalog.system import System
from onefold.connectors.lookup import LookupKeys
from onefold.connectors.page import PageReader
from onefold.connectors.window import ResumeCursor
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint

if TYPE_CHECKING:  # http knows page.Endpoint, so this package must not need http when it is imported
    from onefold.connectors.files.store import Store
    from onefold.connectors.sql.database import Database
    from onefold.http.client import Client


def reader(
    system: System,
    stream_name: str,
    endpoint: Endpoint,
    http: Client | Database | Store,
    questions: LookupKeys,
    reached: ResumeCursor = lambda window: None,
) -> PageReader:
    """What reads the pages of a stream: the system's own module where its YAML names one, else its protocol's.

    `http` is the way out: a Client, for protocol sql a Database, for files a Store. `reached` tells where an integer
    cursor goes on. Raises Fatal when the stream is unknown or the module is missing. Only what is needed is imported.
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
            from onefold.connectors.rest.reader import rest_reader

            return rest_reader(system, stream_name, http)
        case "odata":
            from onefold.connectors.odata.reader import odata_reader

            return odata_reader(system, stream_name, http)
        case "soap":
            soap = importlib.import_module("onefold.connectors.soap.reader")
            read: PageReader = soap.reader(system, stream_name, endpoint, http, questions)
            return read
        case "graphql":
            from onefold.connectors.graphql.reader import graphql_reader

            return graphql_reader(system, stream_name, http)
        case "sql":
            from onefold.connectors.sql.reader import sql_reader

            return sql_reader(system, stream_name, http, reached)
        case "files":
            from onefold.connectors.files.reader import files_reader

            return files_reader(system, stream_name, endpoint, http)


def confirm(
    system: System, stream_name: str, endpoint: Endpoint, http: Client | Database | Store, keys: Sequence[str]
) -> None:
    """Tell the system that the records with these keys are published. It may hear of a key more than once."""
    own_module(system).confirm(system, stream_name, endpoint, http, keys)


def _own(system: System, stream_name: str, endpoint: Endpoint, http: Client, questions: LookupKeys) -> PageReader:
    read: PageReader = own_module(system).reader(system, stream_name, endpoint, http, questions)
    return read


def own_module(system: System) -> ModuleType:
    """The module in systems/ that the system's YAML names. Raises Fatal when it is missing."""
    name = f"onefold.systems.{system.python.module}" if system.python else ""
    try:
        module = importlib.import_module(name)
        return importlib.import_module(f"{name}.connector") if hasattr(module, "__path__") else module
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise Fatal(
            f"{system.system}: its YAML names python.module {name.rsplit('.', 1)[1]!r}, but {name} does not exist."
        ) from error
