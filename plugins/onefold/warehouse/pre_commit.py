"""What is asked before something is published: whether the warehouse is the one whose chain was anchored last."""

from __future__ import annotations

import psycopg

from onefold.audit.restore import require_nothing_lost
from onefold.settings import settings
from onefold.warehouse.connection import connect


def require_publishable(connection: psycopg.Connection) -> None:
    """Raises Fatal when the warehouse is older than the anchors of its audit chain: then nothing may be published.

    After the commit it would be too late: anchoring would fail, and the load would be red and published.
    """
    require_nothing_lost(connection, settings().audit_anchor)


def require_publishable_at(warehouse_url: str) -> None:
    """The same, over a connection of its own."""
    with connect(warehouse_url, autocommit=True) as connection:
        require_publishable(connection)
