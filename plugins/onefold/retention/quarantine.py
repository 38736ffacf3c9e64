"""Rows in quarantine: closed ones, of which values of some classes go sooner, and those for which nobody has come. A
withheld value that is open stays with its record; a row that a replay is about to judge, or that a replay which was
rolled back has judged, stays too, with all that is in it. So does what an open row holds: a replay may publish it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from psycopg import sql

from onefold.catalog.data_protection import class_periods
from onefold.catalog.privacy import ClassRetention
from onefold.catalog.stream import Stream
from onefold.retention.class_values import class_purge
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
_CLOSED_RECORDS = """
select q.quarantine_id, q.payload as record from ops.quarantine q
where q.state <> 'open' and q.payload is not null and q.closed_at < {closed_before} and {free}
"""
_CLOSED_UNREADABLE = """
select q.quarantine_id from ops.quarantine q
where q.state <> 'open' and q.raw <> '[erased]' and q.expectation <> 'readable partition'
  and q.closed_at < {closed_before} and {free}
"""
"""Records that nobody could read, so what of a class is in them nobody knows; of a partition it is a file's name."""
_ERASE_UNREADABLE = """
update ops.quarantine q set raw = '[erased]', _hash = decode(md5(gen_random_uuid()::text), 'hex')
from ({due} limit {batch}) d where q.quarantine_id = d.quarantine_id
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
    system: str, name: str, stream: Stream, periods: ClassRetention, protected: Protected, now: datetime
) -> Iterator[RowPurge]:
    """What may be due of one stream in quarantine."""
    names: dict[str, sql.Composable] = {
        "system": sql.Literal(system),
        "stream": sql.Literal(name),
        "first": sql.Literal(protected.first),
        "closed_before": sql.Literal(now - periods.quarantine),
        "waiting_before": sql.Literal(now - periods.waiting),
    }
    names["free"] = sql.SQL(_NOT_NEEDED).format(**names)
    subject = f"{system}.{name}"
    yield make_purge("quarantine", subject, periods.quarantine, _ALL_CLOSED, _CLOSED, _DELETE, names)
    yield make_purge("waiting", subject, periods.waiting, _ALL_WAITING, _WAITING, _DELETE, names)
    sooner = {each: period for each, period in class_periods(stream).items() if period < periods.quarantine}
    for data_class, period in sooner.items():
        names["closed_before"] = sql.Literal(now - period)
        if of_class := class_purge(
            *("quarantine", subject, stream, data_class, period),
            table=sql.Identifier("ops", "quarantine"),
            payload="payload",
            deleted=sql.SQL("false"),
            ids=("quarantine_id",),
            rows=sql.SQL(_CLOSED_RECORDS).format(**names),
            all_rows=sql.SQL(_ALL_CLOSED).format(**names),
        ):
            yield of_class
    if sooner:
        first, period = min(sooner.items(), key=lambda each: each[1])
        names["closed_before"] = sql.Literal(now - period)
        unreadable = (_ALL_CLOSED, _CLOSED_UNREADABLE, _ERASE_UNREADABLE)
        yield make_purge("quarantine", subject, period, *unreadable, names, first)
