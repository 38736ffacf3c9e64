"""Turns analysts back to a past published set, and forward again."""

from __future__ import annotations

import psycopg

from onefold.audit import AuditEvent, append
from onefold.conform.golden_versions import point
from onefold.errors import Fatal


def switch_to(connection: psycopg.Connection, publish_id: int, actor: str) -> tuple[str, ...]:
    """Show every entity as that publish left it; returns the entities that were switched.

    Nothing is rewritten, so it takes no longer for much data than for little, and readers never wait. The next conform
    goes on from the newest publish, whatever is shown, and shows its own. Raises Fatal when the publish was never
    published.
    """
    with connection.transaction():
        state = connection.execute("select state from ops.publish where publish_id = %s", (publish_id,)).fetchone()
        if state is None or state[0] != "published":
            is_now = "does not exist" if state is None else f"is {state[0]}"
            raise Fatal(
                f"Publish {publish_id} {is_now}, so there is no set to show. "
                "Those whose state in ops.publish is 'published' can be shown."
            )
        shown = connection.execute("select entity, publish_id from ops.published order by entity for update").fetchall()
        for entity, was in shown:
            point(connection, entity, publish_id, actor)
            append(
                connection,
                AuditEvent(
                    actor=actor,
                    action="conform.switch",
                    subject=f"publish:{publish_id}",
                    to=f"conformed.{entity}",
                    payload={"was": was},
                ),
            )
    return tuple(entity for entity, _ in shown)
