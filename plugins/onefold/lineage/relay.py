"""Sends stored events on to an external receiver (Marquez, DataHub), after the commit, at least once."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from openlineage.client import OpenLineageClient, event_v2
from psycopg.rows import tuple_row

from onefold.lineage.store import CLIENT_CONFIG
from onefold.time_limit import within

log = logging.getLogger(__name__)

_UNDELIVERED = """
select event_id, event from lineage.event where delivered_at is null
order by attempts, event_id limit 1 for update skip locked
"""
_DELIVERED = "update lineage.event set delivered_at = clock_timestamp() where event_id = %s"
_FAILED = "update lineage.event set attempts = attempts + 1 where event_id = %s"
_CLOSE_SECONDS = 10.0
EVENT_SECONDS = 10.0
"""How long a receiver may take for one event, from the first byte to the last; its client's time-out is for each."""
ALL_SECONDS = 60.0
"""How long one load stays to send events on; the next one goes on."""


@dataclass(frozen=True)
class Delivery:
    """How many events were delivered, and whether the receiver failed before all were."""

    delivered: int
    failed: bool


def external() -> OpenLineageClient | None:
    """The client as its own settings configure it; None when no receiver is set or OPENLINEAGE_DISABLED
    is true.

    Settings: OPENLINEAGE_URL, OPENLINEAGE_CONFIG (a YAML file), OPENLINEAGE__TRANSPORT__….
    """
    named = ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT")
    if not any(key.startswith(named) and value for key, value in os.environ.items()):
        return None
    client = OpenLineageClient(config=CLIENT_CONFIG)
    return None if client.transport.kind in ("noop", "console") else client


def deliver(conn: psycopg.Connection, limit: int = 500) -> Delivery:
    """Send up to `limit` undelivered events through the client's own transport; a failing receiver never raises.

    Call it after the commit, outside any transaction. Each event is marked in a transaction of its own
    once the receiver took it. At the first failure it stops with a warning; the next call goes on,
    least-tried first.
    """
    delivered, until = 0, time.monotonic() + ALL_SECONDS
    try:
        client = external()
        if client is None:
            return Delivery(0, failed=False)
        while delivered < limit and (took := _deliver_one(conn, client)) is not None:
            if not took:
                return Delivery(delivered, failed=True)
            delivered += 1
            if time.monotonic() > until:
                log.info(
                    "The receiver of lineage is slow: %s events were sent on, the next load sends more.", delivered
                )
                break
        client.close(_CLOSE_SECONDS)
    except Exception as error:  # noqa: BLE001  a receiver or its settings must never fail a load
        log.warning("Lineage was not sent on (%s); it is stored and will be sent again.", type(error).__name__)
        return Delivery(delivered, failed=True)
    return Delivery(delivered, failed=False)


def _deliver_one(conn: psycopg.Connection, client: OpenLineageClient) -> bool | None:
    """Whether the next event was taken; None when there is none left."""
    with conn.transaction(), conn.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_UNDELIVERED).fetchone()
        if row is None:
            return None
        event_id, stored = row
        event = _rebuilt(stored)
        try:
            if client.filter_event(event) is not None:
                within(EVENT_SECONDS, lambda: client.transport.emit(event))
        except Exception as error:  # noqa: BLE001  transports raise whatever their library raises
            status = getattr(getattr(error, "response", None), "status_code", "no answer")
            log.warning(
                "Lineage event %s was not delivered (%s, %s); it is stored and will be sent again.",
                event_id,
                type(error).__name__,
                status,
            )
            cursor.execute(_FAILED, (event_id,))
            return False
        cursor.execute(_DELIVERED, (event_id,))
        return True


def _rebuilt(stored: dict[str, Any]) -> event_v2.RunEvent:
    """The event as the client's class; its facets stay plain JSON, which the client's Serde writes as it
    is.
    """
    fields = {key: value for key, value in stored.items() if key != "schemaURL"}
    return event_v2.RunEvent(
        **fields
        | {
            "eventType": event_v2.RunState(stored["eventType"]),
            "run": event_v2.Run(**stored["run"]),
            "job": event_v2.Job(**stored["job"]),
            "inputs": [event_v2.InputDataset(**dataset) for dataset in stored.get("inputs", ())],
            "outputs": [event_v2.OutputDataset(**dataset) for dataset in stored.get("outputs", ())],
        }
    )
