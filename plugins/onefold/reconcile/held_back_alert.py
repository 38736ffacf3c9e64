"""The alert when golden records of an entity are held back for long, or a large share of them is. It blocks nothing."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.notify import alert
from onefold.warehouse.rows import one_row

LONG = timedelta(days=7)
"""By then somebody has usually corrected the record where it comes from; what still waits is waited for in vain."""


def check_held_back(connection: psycopg.Connection, actor: str, entity: Entity) -> bool:
    """Open or resolve the entity's alert of kind held_back; returns whether none is open afterwards."""
    name = entity.entity
    held, long = one_row(
        connection.execute(
            "select count(*), count(*) filter (where started_at < now() - %s) from ops.held_back"
            " join ops.publish on publish.publish_id = since_publish_id where entity = %s",
            (LONG, name),
        )
    )
    if not held:
        alert.resolve_alert(connection, actor, "held_back", name)
        return True
    golden = _published(connection, name)
    many = held > entity.gate.few and held > entity.gate.max_held_back_share * (golden + held)
    if not long and not many:
        alert.resolve_alert(connection, actor, "held_back", name)
        return True
    since = f", {long:,} of them for more than {LONG.days} days" if long else ""
    alert.open_alert(
        *(connection, actor, "held_back", name),
        f"{held:,} golden records of {name} are held back beside {golden:,} published{since}. bin/onefold held-back "
        f"{name} says why: correct the records at their source, or fix the mapping or the suite; the next conform of "
        "the entity judges them again.",
    )
    return False


def _published(connection: psycopg.Connection, entity: str) -> int:
    count = sql.SQL("select count(*) from {} where _ended_publish_id is null")
    return int(one_row(connection.execute(count.format(sql.Identifier("conformed", f"{entity}_version"))))[0])
