"""A source's address and credentials, from the Airflow connection that the catalogue names."""

from __future__ import annotations

import os

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.http.limit import kept
from onefold.http.token_store import TokenStore
from onefold.notify.receiver import Receiver, read_receivers
from onefold.orchestration.tasks.token_store import VariableStore, in_task
from onefold.settings import notify_setting, warehouse_url

DATABASES = ("postgres", "mysql", "mssql", "oracle")
"""Airflow's types of connections that lead to a database; MariaDB's is mysql."""
QUEUES = ("redis", "kafka", "amqp")
"""And to a server of queues."""


def endpoint(connection_id: str, rate: str | None = None) -> Endpoint:
    """The endpoint of an Airflow connection; `rate` ('5/s') replaces the system's own and the connection's,
    except for a quota of a day, which stays.

    Raises Fatal when there is no such connection, or it names no host.
    """
    try:
        connection = Connection.get(connection_id)
    except AirflowNotFoundException as error:
        raise Fatal(
            f"There is no Airflow connection {connection_id!r}: make it in the UI, or as a variable."
        ) from error
    extra = {name: str(value) for name, value in connection.extra_dejson.items()}
    host = connection.host or (extra.get("bootstrap.servers") if connection.conn_type == "kafka" else None)
    if not host:
        raise Fatal(f"Airflow connection {connection_id!r} has no host: write the system's base URL there.")
    if rate:
        extra["rate"] = ",".join(kept(kept([], extra.get("rate")), rate))
    tokens = _token_store(connection_id) if in_task() else None
    return Endpoint(_base_url(connection, host), connection.login, connection.password, extra, tokens)


def _token_store(connection_id: str) -> TokenStore:
    """The place of the connection's token, by the settings. Raises Fatal when they name none that can be."""
    if folder := os.environ.get("ONEFOLD_REFRESH_TOKENS"):
        from onefold.orchestration.tasks.vault_token_store import VaultStore  # only where a vault is set

        return VaultStore(connection_id, warehouse_url(), _receivers, folder)
    return VariableStore(connection_id, warehouse_url(), _receivers)


def _receivers() -> list[Receiver]:
    return read_receivers(notify_setting(), endpoint)


def _base_url(connection: Connection, host: str) -> str:
    """The base URL, written as the host or, as Airflow's own connections do it, in schema, host and port.

    A database's or queue's begins with its type, names the database in it, and never who signs in.
    """
    if "://" in host:
        return host.rstrip("/")
    port = f":{connection.port}" if connection.port else ""
    if connection.conn_type in (*DATABASES, *QUEUES):
        return f"{connection.conn_type}://{host}{port}/{connection.schema or ''}"
    return f"{connection.schema or 'https'}://{host.rstrip('/')}{port}"
