"""Asks for the approval of a migration after its dry run, and requires it before anything is published."""

from __future__ import annotations

import psycopg

from onefold.audit.approval import ask, require_approval
from onefold.errors import Fatal
from onefold.migration import ledger
from onefold.migration.ledger import Migration

DAG_ID = "migrate"


def ask_approval(connection: psycopg.Connection, migration: Migration, shown: str) -> None:
    """Ask, as the run that has begun the migration; `shown` is what the person reads."""
    who, content = migration.actor, _content(connection, migration)
    ask(connection, migration.subject, DAG_ID, migration.run_id, who, shown, content)


def require_approved(connection: psycopg.Connection, migration: Migration) -> None:
    """Raises Fatal unless what would be published is what was approved; a chunk of another stream may have been other
    than approved, and then nothing more is published."""
    state = ledger.get(connection, migration.migration_id).state
    if state != "approved":
        raise Fatal(
            f"Migration {migration.migration_id} is {state} and not approved; nothing more was published. The error in "
            "ops.migration says why."
        )
    require_approval(connection, migration.subject).require(_content(connection, migration))


def _content(connection: psycopg.Connection, migration: Migration) -> dict[str, object]:
    """What the migration publishes: the windows of each stream, and what the dry run has found in each."""
    chunks = [chunk for stream in migration.streams for chunk in ledger.chunks(connection, migration, stream)]
    return {
        "system": migration.system,
        "chunks": [
            [
                chunk.stream,
                chunk.window_start.timestamp(),
                chunk.window_end.timestamp(),
                chunk.totals["became"] if chunk.totals else None,
            ]
            for chunk in chunks
        ],
    }
