"""The warehouse as an OpenLineage transport: events are rows, committed with the work that they describe."""

from __future__ import annotations

import logging
from itertools import product
from typing import TYPE_CHECKING

import psycopg
from openlineage.client import OpenLineageClient, event_v2
from openlineage.client.serde import Serde
from openlineage.client.transport import Transport
from psycopg.types.json import Jsonb

from onefold.errors import Fatal

if TYPE_CHECKING:
    from openlineage.client.client import Event

# The client would read the repository's URL from .git and put it, user and token included, into every event.
CLIENT_CONFIG = {"facets": {"source_code_location": {"disabled": True}}}

# It logs at every event which transport it uses.
logging.getLogger("openlineage.client").setLevel(logging.WARNING)

_INSERT = """
insert into lineage.event (event_time, event_type, job_namespace, job_name, run_id, event)
values (%s, %s, %s, %s, %s, %s)
"""
_EDGE = """
insert into lineage.dataset_edge (run_id, input_dataset, output_dataset, load_id) values (%s, %s, %s, %s)
on conflict (run_id, input_dataset, output_dataset)
do update set load_id = coalesce(excluded.load_id, dataset_edge.load_id)
"""


class WarehouseTransport(Transport):
    """Inserts events into lineage.event, and a completed run's edges into lineage.dataset_edge.

    Everything happens in the connection's open transaction: it neither commits nor rolls back.
    """

    kind = "warehouse"

    def __init__(self, conn: psycopg.Connection, load_id: int | None = None) -> None:
        self._conn = conn
        self._load_id = load_id
        self.stored = 0

    def emit(self, event: Event) -> None:
        """Insert one run event. Raises Fatal for any other kind of event."""
        if not isinstance(event, event_v2.RunEvent) or event.eventType is None:
            raise Fatal(f"Lineage: {type(event).__name__} is no run event with a type; use run_event().")
        kind = event.eventType.value
        with self._conn.cursor() as cursor:
            cursor.execute(
                _INSERT,
                (
                    event.eventTime,
                    kind,
                    event.job.namespace,
                    event.job.name,
                    event.run.runId,
                    Jsonb(Serde.to_dict(event)),
                ),
            )
            if kind == "COMPLETE":
                for source, target in product(event.inputs or (), event.outputs or ()):
                    names = (f"{d.namespace}/{d.name}" for d in (source, target))
                    cursor.execute(_EDGE, (event.run.runId, *names, self._load_id))
        self.stored += 1


def emit(conn: psycopg.Connection, event: event_v2.RunEvent, load_id: int | None = None) -> None:
    """Store the event through the standard client, in the caller's transaction.

    The client's own switches (OPENLINEAGE_DISABLED, its job filters) apply to external receivers only: an event that
    they filter out is stored all the same.
    """
    transport = WarehouseTransport(conn, load_id)
    OpenLineageClient(transport=transport, config=CLIENT_CONFIG).emit(event)
    if not transport.stored:
        transport.emit(event)
