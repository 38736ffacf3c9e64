"""Which connector reads a system: its protocol's, or its own where its YAML names one under `python`.

They are imported when they are first asked for, because a scheduler forks its tasks and each costs what it imports.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Unpack

from onefold.catalog.system import System
from onefold.connectors.connector import Connector, Transport
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

PROTOCOLS = {
    "rest": "onefold.connectors.rest.connector.RestConnector",
    "odata": "onefold.connectors.odata.connector.ODataConnector",
    "soap": "onefold.connectors.soap.connector.SoapConnector",
    "graphql": "onefold.connectors.graphql.connector.GraphQLConnector",
    "cdc": "onefold.connectors.cdc.connector.CdcConnector",
    "sql": "onefold.connectors.sql.connector.SqlConnector",
    "files": "onefold.connectors.files.connector.FilesConnector",
    "kafka": "onefold.connectors.kafka.connector.KafkaConnector",
    "rabbitmq": "onefold.connectors.rabbitmq.connector.RabbitConnector",
    "redis_stream": "onefold.connectors.redis_stream.connector.RedisStreamConnector",
    "webhook": "onefold.connectors.webhook.connector.WebhookConnector",
}
"""The class by protocol, as dotted names."""


OpenTransport = Callable[..., Transport]
"""open_transport below, or a test's that does not really sleep between attempts."""


def connector_class(system: System) -> type[Connector[Transport]]:
    """The connector that reads the system. Raises Fatal when its YAML names a module that is missing or holds none."""
    if system.python:
        return _own(system, system.python.module)
    module, _, name = PROTOCOLS[system.protocol].rpartition(".")
    found: type[Connector[Transport]] = getattr(importlib.import_module(module), name)
    return found


def open_transport(
    system: System, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> Transport:
    """The way to the system by its connector, to be entered as a context; each attempt is handed to `on_attempt`."""
    return connector_class(system).open_transport(system, endpoint, on_attempt, **settings)


def _own(system: System, module: str) -> type[Connector[Transport]]:
    """The CONNECTOR of a module in systems/, or of the module `connector` in a folder there."""
    name = f"onefold.systems.{module}"
    try:
        found = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise Fatal(f"{system.system}: its YAML names python.module {module!r}, but {name} does not exist.") from error
    if hasattr(found, "__path__"):
        found = importlib.import_module(f"{name}.connector")
    made: object = vars(found).get("CONNECTOR")
    if not (isinstance(made, type) and issubclass(made, Connector)) or inspect.isabstract(made):
        raise Fatal(
            f"{system.system}: {found.__name__} names no connector. Set CONNECTOR in it to a class that extends a "
            "protocol's and says its capabilities (docs/add-a-system.md)."
        )
    return made
