"""What follows a commit and must never undo it: the audit chain is anchored, lineage is sent on."""

from __future__ import annotations

import psycopg

from onefold import lineage
from onefold.audit import anchor
from onefold.audit.places.sending import send_after_commit
from onefold.settings import settings
from onefold.warehouse.connection import connect


def after_commit(warehouse_url: str) -> None:
    """Anchor the audit chain and send lineage on, over a connection of its own."""
    with connect(warehouse_url, autocommit=True) as connection:
        anchor_and_deliver(connection)


def anchor_and_deliver(connection: psycopg.Connection) -> None:
    """Anchor the audit chain outside the database, send the checkpoint to its places, and lineage to its receiver.

    The connection is in autocommit and in no transaction.
    """
    here = settings()
    anchor(connection, here.audit_anchor)
    send_after_commit(here)
    lineage.deliver(connection)
