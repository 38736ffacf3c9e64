"""What is asked before something is published: whether the warehouse is the one whose chain was anchored last.

An event that says that something was published is refused as well (onefold.audit.store.append), in its transaction.
Asked here it costs nothing in vain; and what commits in several transactions, its event last, must ask before all.
"""

from __future__ import annotations

import psycopg

from onefold.audit.lost import lost_since_anchored, require_nothing_lost
from onefold.settings import settings
from onefold.warehouse.connection import connect


def require_publishable(connection: psycopg.Connection) -> None:
    """Raises Fatal when the warehouse is older than the anchors of its audit chain: then nothing may be published.

    After the commit it would be too late: anchoring would fail, and the load would be red and published.
    """
    require_nothing_lost(connection, settings().audit_anchor)


def is_older_than_anchors(connection: psycopg.Connection) -> bool:
    """Whether a backup was restored, or events were deleted, and nobody has said yet what it was."""
    return lost_since_anchored(connection, settings().audit_anchor) is not None


def require_publishable_at(warehouse_url: str) -> None:
    """The same, over a connection of its own."""
    with connect(warehouse_url, autocommit=True) as connection:
        require_publishable(connection)
