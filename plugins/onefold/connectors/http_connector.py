"""What the connectors of all protocols over HTTP have in common: their transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from onefold.catalog.system import System
from onefold.connectors.connector import Connector
from onefold.http.attempt import Attempt
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings


class HttpConnector(Connector[Client]):
    """Reads a stream through an HTTP client."""

    @classmethod
    def open_transport(
        cls,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> Client:
        return Client(system, endpoint, on_attempt, **settings)
