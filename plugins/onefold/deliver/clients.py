"""The clients of warehouses that are not installed by default, since few need them and they are large."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.errors import Fatal

_CLIENTS = {"bigquery": ("google", "google.cloud.bigquery"), "snowflake": ("snowflake", "snowflake.connector")}
"""By the kind of a target the package at whose presence it is seen, and the module that is its client."""


def client_of(kind: str) -> Any:
    """The client's module. Raises Fatal where it is not installed."""
    try:
        return importlib.import_module(_CLIENTS[kind][1])
    except ModuleNotFoundError as error:
        raise Fatal(f"The client of {kind} is not installed. Run: make warehouses") from error


def missing_clients(targets: Iterable[DeliveryTarget]) -> list[str]:
    """What is to be installed before these can be delivered to; a line for each."""
    return [
        f"{each.warehouse}: the client of {each.kind} is not installed. Run: make warehouses"
        for each in targets
        if each.kind in _CLIENTS and not _is_installed(each.kind)
    ]


def _is_installed(kind: str) -> bool:
    top, module = _CLIENTS[kind]
    try:
        return find_spec(top) is not None and find_spec(module) is not None
    except ModuleNotFoundError:
        return False
