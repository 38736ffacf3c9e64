"""Which tables have changed in place since a delivery read them: by an erasure, or because retention deleted what is
kept no longer. Everything else only appends versions and ends them. And when every row is to be compared again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import psycopg

from onefold.warehouse.rows import one_row


def changed_in_place(connection: psycopg.Connection, since: datetime) -> frozenset[str]:
    """The entities of which past or present versions have been erased or deleted since then."""
    rows = connection.execute(
        """
        select distinct name from ops.erasure, unnest(touched) as name
        where state in ('executing', 'done') and (ended_at is null or ended_at >= %(since)s)
        union
        select 'conformed.' || p.subject || '_version'
        from ops.retention_purge as p join ops.retention as r using (retention_id)
        where p.store = 'golden' and p.rows > 0 and coalesce(r.ended_at, now()) >= %(since)s
        """,
        {"since": since},
    )
    names = (re.fullmatch(r"conformed\.(\w+?)(?:_crosswalk)?_version", name) for (name,) in rows)
    return frozenset(match[1] for match in names if match)


def verification_is_due(connection: psycopg.Connection, target: str, every: timedelta) -> bool:
    """Whether it is as long as `every` since every row of the target was last compared, and nothing differed: by a
    verification, by a full delivery, or by the first one."""
    query = """
        select coalesce(
            max(started_at) filter (where (mode, state) in (('verify', 'verified'), ('full', 'delivered'))),
            min(started_at) filter (where state = 'delivered')
        ) <= now() - %s
        from ops.delivery where target = %s
        """
    (due,) = one_row(connection.execute(query, (every, target)))
    return bool(due)


def undelivered_erasures(connection: psycopg.Connection) -> list[str]:
    """The targets that may still have what was erased or deleted here since they were delivered to, by name."""
    rows = connection.execute(
        "select target, max(read_at) from ops.delivery where state in ('delivered', 'unchanged') group by target"
        " order by target"
    ).fetchall()
    return [target for target, read_at in rows if read_at and changed_in_place(connection, read_at)]


def undelivered_text(connection: psycopg.Connection) -> str:
    """What an erasure's report says of other warehouses; empty where there is nothing to say."""
    if not (targets := undelivered_erasures(connection)):
        return ""
    return (
        f"Other warehouses still have what was erased: {', '.join(targets)}. It goes with the next delivery of each, "
        f"within the hour; at once with bin/onefold deliver {targets[0]}. Copies, backups and time travel of a "
        "warehouse keep it longer: see its page in docs/targets."
    )
