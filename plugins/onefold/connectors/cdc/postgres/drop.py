"""Drops what was made at a source for a stream that is not read any more."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.system import System
from onefold.connectors.cdc.postgres.database import LogDatabase
from onefold.connectors.source_slot import SourceSlot
from onefold.errors import Retriable
from onefold.http.endpoint import Endpoint


def drop_at_source(slot: SourceSlot, endpoint: Endpoint) -> str | None:
    """Drop the slot and the publication of its name; what is gone already is no error.

    Returns what is left for the owner of the table to do, or None. Raises Retriable while the server is not there or
    somebody reads the slot, Fatal when it refuses.
    """
    system = System.model_validate(
        {"system": "source", "title": slot.connection, "protocol": "cdc", "connection": slot.connection,
         "schedule": "@daily", "limits": {"attempts": 2}, "streams": {}}
    )  # fmt: skip
    with LogDatabase(system, endpoint, lambda _: None) as database:
        database.tell("DROP SLOT", slot.name, lambda connection: _drop_slot(connection, slot.name))
        owned = database.tell("CHECK", slot.name, lambda connection: _may_drop(connection, slot.name))
        drop = sql.SQL("drop publication if exists {}").format(sql.Identifier(slot.name))
        if owned:
            database.tell("DROP PUBLICATION", slot.name, lambda connection: connection.execute(drop), writes=True)
            return None
    return f'DROP PUBLICATION "{slot.name}";'


def _drop_slot(connection: psycopg.Connection, name: str) -> None:
    found = connection.execute(
        "select active_pid from pg_replication_slots where slot_name = %s and active_pid is not null", (name,)
    ).fetchone()
    if found:
        raise Retriable(
            f"The replication slot {name} is being read by the server's process {found[0]}. If that is no load, end it "
            f"at the source: select pg_terminate_backend({found[0]});"
        )
    connection.execute(
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots"
        " where slot_name = %s and database = current_database()",
        (name,),
    )


def _may_drop(connection: psycopg.Connection, name: str) -> bool:
    """Whether there is no such publication, or the login owns it."""
    found = connection.execute(
        "select pg_has_role(pubowner, 'usage') from pg_publication where pubname = %s", (name,)
    ).fetchone()
    return found is None or bool(found[0])
