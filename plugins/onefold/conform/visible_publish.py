"""Which publish analysts see: set by each conform, and switched to a past one and back."""

from __future__ import annotations

import psycopg

from onefold.audit import AuditEvent, append
from onefold.errors import Fatal


def set_visible_publish(connection: psycopg.Connection, entity: str, publish_id: int, actor: str) -> None:
    """Let analysts see this publish of the entity, from the caller's commit on."""
    connection.execute(
        "insert into ops.published (entity, publish_id, actor) values (%s, %s, %s) on conflict (entity) do update"
        " set publish_id = excluded.publish_id, actor = excluded.actor, at = now()",
        (entity, publish_id, actor),
    )


def switch_visible_publish(connection: psycopg.Connection, publish_id: int, actor: str) -> tuple[str, ...]:
    """Show every entity as that publish left it; returns the entities that were switched.

    Nothing is rewritten, so it takes no longer for much data than for little, and readers never wait. The next conform
    continues from the newest publish, whichever is visible, and shows its own. Raises Fatal when the publish does not
    exist, was not published, or is no longer whole because retention has purged its golden records.
    """
    with connection.transaction():
        state = connection.execute("select state from ops.publish where publish_id = %s", (publish_id,)).fetchone()
        if state is None or state[0] != "published":
            problem = "does not exist" if state is None else f"is {state[0]}"
            raise Fatal(
                f"Publish {publish_id} {problem}, so it cannot be shown. "
                "Those whose state in ops.publish is 'published' can be shown."
            )
        _require_whole(connection, publish_id)
        shown = connection.execute("select entity, publish_id from ops.published order by entity for update").fetchall()
        for entity, previous in shown:
            set_visible_publish(connection, entity, publish_id, actor)
            append(
                connection,
                AuditEvent(
                    actor=actor,
                    action="conform.switch",
                    subject=f"publish:{publish_id}",
                    to=f"conformed.{entity}",
                    payload={"previous": previous},
                ),
            )
    return tuple(entity for entity, _ in shown)


def _require_whole(connection: psycopg.Connection, publish_id: int) -> None:
    purged = connection.execute("select max(whole_since) from ops.golden_history").fetchone()
    if purged and purged[0] is not None and publish_id < purged[0]:
        raise Fatal(
            f"Publish {publish_id} can no longer be shown: its golden records are kept no longer than "
            f"catalog/privacy.yaml says. The oldest that is whole is publish {purged[0]}: show that one or a later one."
        )
