"""Which publish analysts see: set by each conform, and switched to a past one and back."""

from __future__ import annotations

import logging

import psycopg

from onefold.audit import AuditEvent, append
from onefold.errors import Fatal

log = logging.getLogger(__name__)


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
    continues from the newest publish, whichever is visible, and shows its own. Of classes that are kept for less time
    than golden records the values are missing in an old one; the audit event names them. Raises Fatal when the publish
    does not exist, was not published, or is no longer whole because retention has purged its golden records.
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
        erased = _erased_classes(connection, publish_id)
        for entity, previous in shown:
            set_visible_publish(connection, entity, publish_id, actor)
            payload: dict[str, int | list[str]] = {"previous": previous}
            if entity in erased:
                payload["erased_classes"] = erased[entity]
                log.warning(
                    "%s is shown without values of class %s, which are kept for less time than the records",
                    entity,
                    ", ".join(erased[entity]),
                )
            append(
                connection,
                AuditEvent(
                    actor=actor,
                    action="conform.switch",
                    subject=f"publish:{publish_id}",
                    to=f"conformed.{entity}",
                    payload=payload,
                ),
            )
    return tuple(entity for entity, _ in shown)


def _erased_classes(connection: psycopg.Connection, publish_id: int) -> dict[str, list[str]]:
    """By entity the classes whose values retention may have erased from what that publish shows."""
    rows = connection.execute(
        "select entity, array_agg(data_class order by data_class) from ops.golden_class_history"
        " where whole_since > %s group by entity",
        (publish_id,),
    ).fetchall()
    return dict(rows)


def _require_whole(connection: psycopg.Connection, publish_id: int) -> None:
    purged = connection.execute("select max(whole_since) from ops.golden_history").fetchone()
    if purged and purged[0] is not None and publish_id < purged[0]:
        raise Fatal(
            f"Publish {publish_id} can no longer be shown: its golden records are kept no longer than "
            f"catalog/privacy.yaml says. The oldest that is whole is publish {purged[0]}: show that one or a later one."
        )
