"""Rows in quarantine: closed ones, and those for which nobody has come. A withheld value that is open stays with its
record; a row that a replay is about to judge, or that a replay which was rolled back has judged, stays too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from psycopg import sql

from onefold.catalog.privacy import ClassRetention
from onefold.retention.horizon import Protected
from onefold.retention.purge import RowPurge, make_purge

_NOT_NEEDED = """
q.system = {system} and q.stream = {stream} and q.load_id < {first} and coalesce(q.closed_by_load, 0) < {first}
    and coalesce(q.reopened_of_load, 0) < {first}
    and not exists (
        select from ops.replay_row r join ops.replay p using (replay_id) left join ops.load l on l.load_id = r.load_id
        where r.quarantine_id = q.quarantine_id
          and (p.ended_at is null or l.state = 'rolled_back' or r.load_id >= {first}))
"""
_CLOSED = (
    "select q.quarantine_id from ops.quarantine q where q.state <> 'open' and q.closed_at < {closed_before} and {free}"
)
_WAITING = """
select q.quarantine_id from ops.quarantine q
where q.state = 'open' and q.attribute is null and q.quarantined_at < {waiting_before} and {free}
"""
_DELETE = """
with doomed as materialized ({due} limit {batch} for update of q skip locked),
links as (delete from ops.replay_row r using doomed d where r.quarantine_id = d.quarantine_id)
delete from ops.quarantine q using doomed d where q.quarantine_id = d.quarantine_id
"""
_ALL_CLOSED = """
select count(*), min(closed_at) from ops.quarantine where system = {system} and stream = {stream} and state <> 'open'
"""
_ALL_WAITING = """
select count(*), min(quarantined_at) from ops.quarantine
where system = {system} and stream = {stream} and state = 'open' and attribute is null
"""


def quarantine_purges(
    system: str, stream: str, periods: ClassRetention, protected: Protected, now: datetime
) -> Iterator[RowPurge]:
    """What may be due of one stream in quarantine."""
    names: dict[str, sql.Composable] = {
        "system": sql.Literal(system),
        "stream": sql.Literal(stream),
        "first": sql.Literal(protected.first),
        "closed_before": sql.Literal(now - periods.quarantine),
        "waiting_before": sql.Literal(now - periods.waiting),
    }
    names["free"] = sql.SQL(_NOT_NEEDED).format(**names)
    subject = f"{system}.{stream}"
    yield make_purge("quarantine", subject, periods.quarantine, _ALL_CLOSED, _CLOSED, _DELETE, names)
    yield make_purge("waiting", subject, periods.waiting, _ALL_WAITING, _WAITING, _DELETE, names)
