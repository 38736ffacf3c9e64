"""What follows a commit and must never undo it: the audit chain is anchored, lineage is sent on."""

from __future__ import annotations

from onefold import lineage
from onefold.audit import anchor
from onefold.settings import settings
from onefold.warehouse.connection import connect


def after_commit(warehouse_url: str) -> None:
    """Anchor the audit chain outside the database, and send lineage on where a receiver is set."""
    with connect(warehouse_url, autocommit=True) as connection:
        anchor(connection, settings().audit_anchor)
        lineage.deliver(connection)
