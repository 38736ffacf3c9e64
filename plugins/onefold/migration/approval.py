"""Asks for the approval of a migration after its dry run, and requires it before anything is published."""

from __future__ import annotations

import psycopg

from onefold.audit.approval import ask, require_approval, require_shown
from onefold.errors import Fatal
from onefold.migration import ledger
from onefold.migration.ledger import Migration
from onefold.migration.plan_text import plan_text

DAG_ID = "migrate"


def ask_approval(connection: psycopg.Connection, migration: Migration, report: str) -> str:
    """Ask, as the run that has begun the migration; returns what the person reads: the plan, and the dry run's
    report."""
    shown = f"{plan_text(migration)}\n\n{report}"
    who, content = migration.actor, _content(connection, migration)
    ask(connection, migration.subject, DAG_ID, migration.run_id, who, shown, content)
    return shown


def require_approved(connection: psycopg.Connection, migration: Migration) -> None:
    """Raises Fatal unless what would be published is what was approved; a chunk of another stream may have been other
    than approved, and then nothing more is published."""
    now = ledger.get(connection, migration.migration_id)
    if now.state != "approved":
        raise Fatal(
            f"Migration {now.migration_id} is {now.state} and not approved; nothing more was published. The error in "
            "ops.migration says why."
        )
    approval = require_approval(connection, migration.subject)
    require_shown(connection, approval, plan_text(now))
    approval.require(_content(connection, migration))


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
