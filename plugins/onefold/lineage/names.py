"""Names of jobs, datasets and runs, after OpenLineage's naming conventions
(openlineage.io/docs/spec/naming).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import psycopg

from onefold.errors import Fatal

if TYPE_CHECKING:
    from openlineage.client.facet_v2 import DatasetFacet, InputDatasetFacet, OutputDatasetFacet

_RUNS = UUID("6f6e6566-6f6c-5400-8000-72756e730000")
"""The uuid5 namespace of task runs; it must never change, or the same attempt would get another id."""


@dataclass(frozen=True)
class Job:
    """A job: `name` is the DAG's task, "sync__crm.account.load"."""

    name: str
    namespace: str = "onefold"


@dataclass(frozen=True)
class DatasetRef:
    """A dataset that a run read or wrote, with what is known about it there."""

    namespace: str
    name: str
    facets: tuple[DatasetFacet | InputDatasetFacet | OutputDatasetFacet, ...] = ()

    def having(self, *facets: DatasetFacet | InputDatasetFacet | OutputDatasetFacet) -> DatasetRef:
        """The same dataset with these facets added."""
        return replace(self, facets=(*self.facets, *facets))

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def source_dataset(system: str, stream: str, url: str) -> DatasetRef:
    """A stream of a source system: namespace is the scheme, host and port of its URL, name "system.stream".

    Credentials, path and query of the URL are left out; of a folder on this machine (file:///…) the namespace is
    "file", as OpenLineage names it. Raises Fatal when the URL of anything else has no host.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return DatasetRef("file", f"{system}.{stream}")
    if not parts.hostname:
        raise Fatal(f"The URL of system {system} has no host, so its lineage cannot be named: give https://host.")
    port = f":{parts.port}" if parts.port else ""
    return DatasetRef(f"{parts.scheme}://{parts.hostname}{port}", f"{system}.{stream}")


def warehouse_dataset(conn: psycopg.Connection, table: str) -> DatasetRef:
    """A table of the warehouse: "postgres://host:port", "database.schema.table"; `table` is
    "schema.table".
    """
    info = conn.info
    host = "localhost" if info.host.startswith("/") else info.host
    return DatasetRef(f"postgres://{host}:{info.port}", f"{info.dbname}.{table}")


def task_run_id(dag_id: str, run_id: str, task_id: str, attempt: int = 1, map_index: int = -1) -> UUID:
    """The OpenLineage run id of one attempt of one task: the same arguments give the same id, in every
    process.
    """
    return uuid5(_RUNS, json.dumps([dag_id, run_id, task_id, attempt, map_index]))
