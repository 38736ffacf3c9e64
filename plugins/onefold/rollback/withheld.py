"""What stands in quarantine of single values follows from the versions in staging, so a rollback derives it from them.

A withheld value is in ops.quarantine for each attribute that `_withheld` of a version names, and is open while that
version is the newest of its record.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.load.withheld import INSERT
from onefold.rollback.stream_change import StreamChange


def recompute_withheld(connection: psycopg.Connection, change: StreamChange) -> None:
    """Make the withheld values of the affected keys agree with staging, once its versions have been written.

    In the transaction of apply_change(). Rows of a load that is rolled back stay, closed; so do those that a replay has
    selected, because ops.replay_row refers to them.
    """
    for statement in (_DELETE, _CLOSE):
        connection.execute(sql.SQL(statement).format(**change.names))
    connection.execute(
        INSERT.format(
            system=sql.Literal(change.system),
            stream=sql.Literal(change.stream_name),
            versions=change.table.versions,
            which=sql.SQL(
                "version._load_id >= {first_load} and version._key in (select _key from affected_key) and not exists ("
                "select from ops.quarantine q where q.system = {system} and q.stream = {stream}"
                " and q._key = version._key and q.load_id = version._load_id and q.attribute = withheld.key)"
            ).format(**change.names),
        )
    )
    connection.execute(sql.SQL(_STATES).format(**change.names))


_DELETE = """
delete from ops.quarantine q using affected_key
where q.system = {system} and q.stream = {stream} and q._key = affected_key._key and q.attribute is not null
  and q.load_id >= {first_load} and ({restoring} or q.load_id <> all ({loads}))
  and not exists (select from ops.replay_row r where r.quarantine_id = q.quarantine_id)
  and not exists (
      select from {staging} version
      where version._key = q._key and version._load_id = q.load_id and jsonb_exists(version._withheld, q.attribute)
  )
"""
_CLOSE = """
update ops.quarantine q set state = 'rolled_back', closed_at = now(), closed_by_load = null
from affected_key
where q.system = {system} and q.stream = {stream} and q._key = affected_key._key and q.attribute is not null
  and q.load_id >= {first_load} and q.state <> 'rolled_back'
  and not exists (
      select from {staging} version
      where version._key = q._key and version._load_id = q.load_id and jsonb_exists(version._withheld, q.attribute)
  )
"""
_STATES = """
update ops.quarantine q
set state = case when closed_by is null then 'open' when exists (
        select from ops.replay_row r
        where r.quarantine_id = q.quarantine_id and r.load_id = closed_by and r.outcome <> 'superseded'
    ) then 'replayed' else 'superseded' end,
    closed_by_load = closed_by,
    closed_at = case when closed_by is not null then coalesce(closed_at, now()) end
from (
    select w.quarantine_id, (
        select min(later._load_id) from {staging} later
        where later._key = version._key and later._load_id > version._load_id
    ) as closed_by
    from affected_key
    join ops.quarantine w on w._key = affected_key._key and w.system = {system} and w.stream = {stream}
    join {staging} version on version._key = w._key and version._load_id = w.load_id
    where jsonb_exists(version._withheld, w.attribute)
) due
where due.quarantine_id = q.quarantine_id and (
    q.state = 'rolled_back' or closed_by is distinct from q.closed_by_load or (q.state = 'open') <> (closed_by is null)
)
"""
