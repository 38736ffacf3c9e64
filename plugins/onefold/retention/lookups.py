"""What registers answered to single questions, of values that no system names any more: those that are still named are
asked again each time the stream's ttl is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from psycopg import sql

from onefold.catalog.privacy import ClassRetention
from onefold.catalog.stream import Stream
from onefold.retention.horizon import Protected
from onefold.retention.purge import RowPurge, make_purge

_DUE = """
select c.ctid from ops.lookup_cache c
where c.system = {system} and c.stream = {stream} and c.answered_at < {before} and c.load_id < {first}
  and not exists (select from ops.lookup_result r where r.system = c.system and r.stream = c.stream
                  and r.lookup_key = c.lookup_key and r.load_id >= {first})
"""
_DELETE = "delete from ops.lookup_cache where ctid = any (array({due} limit {batch}))"
_ALL = "select count(*), min(answered_at) from ops.lookup_cache where system = {system} and stream = {stream}"


def lookup_purges(
    system: str, name: str, stream: Stream, periods: ClassRetention, protected: Protected, now: datetime
) -> Iterator[RowPurge]:
    """What may be due of the answers of one stream; nothing where it asks no single questions."""
    if stream.lookup is None:
        return
    period = max(periods.history, 2 * stream.lookup.ttl)
    names: dict[str, sql.Composable] = {
        "system": sql.Literal(system),
        "stream": sql.Literal(name),
        "before": sql.Literal(now - period),
        "first": sql.Literal(protected.first),
    }
    yield make_purge("lookups", f"{system}.{name}", period, _ALL, _DUE, _DELETE, names)
