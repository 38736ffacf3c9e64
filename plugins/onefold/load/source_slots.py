"""Which slots sources keep their logs for (ops.source_slot), and which of them no stream of the catalogue reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.audit import AuditEvent, actor, append
from onefold.catalog.system import System
from onefold.connectors.registry import connector_class
from onefold.connectors.source_slot import SourceSlot
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint
from onefold.load.ledger import Load


@dataclass(frozen=True, slots=True)
class StreamSlot:
    """A slot at a source, the stream that it was made for, and the Airflow connection that leads there."""

    system: str
    stream: str
    slot: str
    connection: str
    made_at: datetime

    @property
    def unused(self) -> str:
        """What to say where no stream reads it."""
        return (
            f"no stream of the catalogue reads the replication slot {self.slot} any more, and its server keeps its log "
            f"for it until the disk is full. Drop it while there is still the connection {self.connection}: "
            f"bin/onefold slots --drop {self.slot}"
        )


def slot_statement(load: Load, slot: SourceSlot) -> sql.Composed:
    """Stores that the load's stream reads the slot, and no other stream any more."""
    return _STORE.format(system=load.system, stream=load.stream, slot=slot.name, connection=slot.connection)


_STORE = sql.SQL(
    """
    with others as (
        delete from ops.source_slot where slot = {slot} and connection = {connection}
            and (system, stream) <> ({system}, {stream})
    )
    insert into ops.source_slot (system, stream, slot, connection) values ({system}, {stream}, {slot}, {connection})
    on conflict (system, stream, slot) do update set connection = excluded.connection
    """
)


def stream_slots(connection: psycopg.Connection) -> Sequence[StreamSlot]:
    """All slots that were made and not dropped since."""
    with connection.cursor(row_factory=class_row(StreamSlot)) as cursor:
        return cursor.execute(
            "select system, stream, slot, connection, made_at from ops.source_slot order by system, stream, slot"
        ).fetchall()


def unused_slots(connection: psycopg.Connection, systems: Mapping[str, System]) -> Sequence[StreamSlot]:
    """Those that no stream of the catalogue reads: it was taken out, renamed, or reads another slot."""
    return [each for each in stream_slots(connection) if each.slot != _slot_now(each, systems)]


def drop_unused(
    connection: psycopg.Connection,
    systems: Mapping[str, System],
    name: str,
    endpoint_of: Callable[[str], Endpoint] | None,
) -> Iterator[str]:
    """Drop the slots of this name that no stream reads at their sources, and forget them; without `endpoint_of`, which
    gives a connection's endpoint, no source is asked. What was done is audited; returns it in words.

    Raises Fatal when there is no such slot, or a stream of the catalogue reads it.
    """
    from onefold.connectors.cdc.postgres.drop import drop_at_source

    chosen = [each for each in unused_slots(connection, systems) if each.slot == name]
    if not chosen:
        read = [each for each in stream_slots(connection) if each.slot == name]
        raise Fatal(
            f"{read[0].system}.{read[0].stream} reads the replication slot {name}. Nothing was changed. Take the "
            "stream out of catalog/systems first."
            if read
            else f"Onefold has made no replication slot {name!r}, or has dropped it. See bin/onefold slots."
        )
    for each in chosen:
        left = drop_at_source(SourceSlot(name, each.connection), endpoint_of(each.connection)) if endpoint_of else None
        with connection.transaction():
            forget_slot(connection, each)
            action = "source_slot.drop" if endpoint_of else "source_slot.forget"
            subject, payload = f"{each.system}.{each.stream}", {"slot": name, "connection": each.connection}
            append(connection, AuditEvent(actor=actor(), action=action, subject=subject, payload=payload))
        yield f"{name} is {'dropped at its source' if endpoint_of else 'forgotten'}."
        if left:
            yield f"Its publication belongs to another login; have that run: {left}"


def forget_slot(connection: psycopg.Connection, slot: StreamSlot) -> None:
    """The slot is dropped: with it goes the position in it, so that a stream which comes back is read from scratch."""
    names = (slot.system, slot.stream)
    with connection.transaction():
        connection.execute(
            "delete from ops.source_slot where (system, stream, slot) = (%s, %s, %s)", (*names, slot.slot)
        )
        connection.execute(
            "delete from ops.stream_checkpoint where (system, stream) = (%s, %s)"
            " and pg_input_is_valid(checkpoint, 'jsonb') and checkpoint::jsonb ->> 'slot' = %s",
            (*names, slot.slot),
        )
        connection.execute(
            "delete from ops.stream_lag lag where (system, stream) = (%s, %s) and not exists (select from"
            " ops.stream_checkpoint held where held.system = lag.system and held.stream = lag.stream)",
            names,
        )


def _slot_now(slot: StreamSlot, systems: Mapping[str, System]) -> str | None:
    """The slot that the stream reads by the catalogue; None where there is no such stream, or it reads none."""
    system = systems.get(slot.system)
    if system is None or slot.stream not in system.streams:
        return None
    return connector_class(system).slot_name(system, slot.stream)
