"""What loads have left in landing: dry runs that no migration waits for, tables of a load that is over or unknown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from onefold.load.ledger import discard_landing
from onefold.retention.purge import Kept, Store
from onefold.warehouse.tables import SHARED_LANDING_TABLES, LandingTables

_LOADS_AT_ONCE = 20
_TABLE = re.compile(r"load_(\d+)(__\w+)?")
_ENDED = """
select load_id, l.ended_at from unnest(%s::bigint[]) as landed (load_id) left join ops.load l using (load_id)
where l.load_id is null or (
    l.state in ('published', 'rejected', 'rolled_back', 'dry_run') and l.ended_at < %s
    and not exists (
        select from ops.migration_chunk c join ops.migration m using (migration_id)
        where c.dry_run_load = l.load_id and m.state in ('planned', 'dry_run', 'approved')))
order by load_id
"""


@dataclass(frozen=True, slots=True)
class LandingPurge:
    """The landing tables of loads that have ended, by load."""

    period: timedelta
    now: datetime
    store: Store = "landing"
    subject: str = "landing"
    data_class: str = ""

    def count(self, connection: psycopg.Connection) -> Kept:
        """As Purge; a row is a load that has something in landing."""
        landed, due = _landed(connection), self._due(connection)
        oldest = min((ended for _, ended in due if ended is not None), default=None)
        return Kept(self.store, self.subject, self.period, len(landed), oldest, len(due))

    def delete_batch(self, connection: psycopg.Connection) -> int:
        """As Purge."""
        due = self._due(connection)[:_LOADS_AT_ONCE]
        for load_id, _ in due:
            discard_landing(connection, LandingTables(load_id))
        return len(due)

    def _due(self, connection: psycopg.Connection) -> list[tuple[int, datetime | None]]:
        return connection.execute(_ENDED, (_landed(connection), self.now - self.period)).fetchall()


def _landed(connection: psycopg.Connection) -> list[int]:
    """The loads that have a table of their own in landing, or rows in a shared one."""
    tables = connection.execute("select relname from pg_class where relnamespace = 'landing'::regnamespace").fetchall()
    loads = {int(found[1]) for (name,) in tables if (found := _TABLE.fullmatch(name))}
    for shared in SHARED_LANDING_TABLES:
        query = sql.SQL("select distinct load_id from {}").format(sql.Identifier("landing", shared))
        loads |= {load_id for (load_id,) in connection.execute(query)}
    return sorted(loads)
