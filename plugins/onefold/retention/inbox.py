"""What senders have posted: an event goes once every load that has read it is past its rollback and its undo.

Ids stay at least as long as senders try again, or an event that is sent again would be stored twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from psycopg import sql

from onefold.catalog.privacy import ClassRetention
from onefold.catalog.stream import Stream
from onefold.retention.horizon import Protected
from onefold.retention.purge import RowPurge, make_purge

SENDERS_TRY_FOR = timedelta(days=7)

# A sync reads all that is there when it begins. What was stored an hour before had been committed by then.
_DUE = """
select e.sequence from inbox.event e
where e.system = {system} and e.stream = {stream} and e.received_at < {before}
  and e.received_at < (select max(l.started_at) - interval '1 hour' from ops.load l
                       where l.system = {system} and l.stream = {stream} and l.state = 'published'
                         and l.load_id < {first} and l.dag_id = {sync})
"""
_DELETE = """
delete from inbox.event e where e.system = {system} and e.stream = {stream}
and e.sequence = any (array({due} order by e.sequence limit {batch}))
"""
_ALL = "select count(*), min(received_at) from inbox.event where system = {system} and stream = {stream}"


def inbox_purges(
    system: str, name: str, stream: Stream, periods: ClassRetention, protected: Protected, now: datetime
) -> Iterator[RowPurge]:
    """What may be due of the events of one stream; nothing where none come by the inbox."""
    if not stream.by_inbox:
        return
    period = max(periods.quarantine, SENDERS_TRY_FOR)
    names: dict[str, sql.Composable] = {
        "system": sql.Literal(system),
        "stream": sql.Literal(name),
        "sync": sql.Literal(f"sync__{system}"),
        "before": sql.Literal(now - period),
        "first": sql.Literal(protected.first),
    }
    yield make_purge("inbox", f"{system}.{name}", period, _ALL, _DUE, _DELETE, names)
