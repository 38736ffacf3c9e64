"""The alert when a source keeps its log for a stream that is gone: its disk would be full one day."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from onefold.catalog.system import System
from onefold.load.source_slots import unused_slots
from onefold.notify import alert


def check_unused_slots(connection: psycopg.Connection, actor: str, systems: Mapping[str, System]) -> None:
    """Open an alert of kind unused_slot for each slot that no stream of the catalogue reads, resolve the others."""
    unused = {f"{each.system}.{each.stream}": each for each in unused_slots(connection, systems)}
    alerts = connection.execute("select subject from ops.alert where kind = 'unused_slot' and resolved_at is null")
    for (subject,) in alerts.fetchall():
        if subject not in unused:
            alert.resolve_alert(connection, actor, "unused_slot", subject)
    for subject, each in unused.items():
        message = f"{each.unused[:1].upper()}{each.unused[1:]} (docs/events.md)."
        alert.open_alert(connection, actor, "unused_slot", subject, message)
