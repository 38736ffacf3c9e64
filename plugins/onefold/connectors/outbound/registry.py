"""Which connector writes to a target: its protocol's. Each is imported when it is first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Protocol, Unpack, cast

from onefold.connectors.outbound.contract import Outbound, Place
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.persistent import AttemptSettings

PROTOCOLS = {
    "rest": "onefold.connectors.outbound.rest.connector.open_rest",
    "salesforce": "onefold.connectors.outbound.salesforce.open_salesforce",
    "odata_v2": "onefold.connectors.outbound.odata.connector.open_v2",
    "odata_v4": "onefold.connectors.outbound.odata.connector.open_v4",
    "soap": "onefold.connectors.outbound.soap.connector.open_soap",
    "sql": "onefold.connectors.outbound.sql.connector.open_sql",
}
"""The opener by protocol, as dotted names."""


class Opener(Protocol):
    """Opens the way to a place."""

    def __call__(
        self,
        place: Place,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> Outbound: ...


def open_outbound(
    protocol: str,
    place: Place,
    endpoint: Endpoint,
    on_attempt: Callable[[Attempt], None],
    **settings: Unpack[AttemptSettings],
) -> Outbound:
    """What writes to the place, to be entered as a context; each attempt is handed to `on_attempt`.

    Raises Fatal when there is no such protocol, or when the place or endpoint cannot be one of its.
    """
    dotted = PROTOCOLS.get(protocol)
    if dotted is None:
        raise Fatal(
            f"{place.target}: nothing is written by the protocol {protocol!r}. Name one of "
            f"{', '.join(sorted(PROTOCOLS))} in catalog/targets/{place.target}.yaml."
        )
    module, _, name = dotted.rpartition(".")
    opener = cast("Opener", getattr(importlib.import_module(module), name))
    return opener(place, endpoint, on_attempt, **settings)
