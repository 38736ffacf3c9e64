"""What follows a commit and must never undo it: the audit chain is anchored, lineage is sent on."""

from __future__ import annotations

import psycopg

from onefold import lineage
from onefold.audit import anchor
from onefold.settings import settings
from onefold.warehouse.connection import connect


def after_commit(warehouse_url: str) -> None:
    """Anchor the audit chain and send lineage on, over a connection of its own."""
    with connect(warehouse_url, autocommit=True) as connection:
        anchor_and_deliver(connection)


def anchor_and_deliver(connection: psycopg.Connection) -> None:
    """Anchor the audit chain outside the database, and send lineage on where a receiver is set.

    The connection is in autocommit and in no transaction.
    """
    anchor(connection, settings().audit_anchor)
    lineage.deliver(connection)
