"""What a look-up source is asked: the values that other systems name, unless a good answer is fresh enough.

What its change feed names is asked again in any case, also when only we still hold it: a company that was struck off
after the other systems had forgotten it must not live on in staging.

What was never asked comes first, then the oldest answers: where a quota ends before all keys are asked about, each
is asked about in a later run.

A run that names a window asks about what the feed names in it, in the order of the values: a backfill about those that
nightly runs would have asked about, a migration about all (LookupScope in connectors/page.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.connectors.lookup import LookupKeys, LookupScope
from onefold.errors import Fatal
from onefold.load.staging import ensure_staging
from onefold.mapping.sql import named_values_sql
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable

# What others name, and what we hold and the feed names.
_KNOWN = """
select value collate "C" as value from ({named}) by_others where value is not null
union
select lookup_key from ops.lookup_cache
where system = {system} and stream = {stream} and outcome = 'found' and lookup_key = any({changed}::text[])
"""
_OPEN = """
select known.value
from ({known}) known
left join ops.lookup_cache a on a.system = {system} and a.stream = {stream} and a.lookup_key = known.value
where ({after}::text is null or (coalesce(a.answered_at, '-infinity'), known.value) > (
      coalesce(
          (select answered_at from ops.lookup_cache
           where system = {system} and stream = {stream} and lookup_key = {after}), '-infinity'
      ),
      {after}::text
  ))
  and (a.answered_at is null or a.answered_at <= {fresh_since} or known.value = any({changed}::text[]))
order by coalesce(a.answered_at, '-infinity'), 1
"""
_CHANGED = """
select value from ({known}) known
where value = any({changed}::text[]) and ({after}::text is null or value > {after}::text)
order by 1
"""
# The feed may name a company on many days: a migration that is in progress asks about it in one of its chunks.
_FEED = """
select distinct value from (select value collate "C" as value from unnest({changed}::text[]) as feed (value)) feed
where ({after}::text is null or value > {after}::text) and not exists (
    select from landing.lookup_result a
    join ops.migration_chunk chunk on chunk.dry_run_load = a.load_id and chunk.stream = {stream}
    join ops.migration m on m.migration_id = chunk.migration_id and m.system = {system} and m.ended_at is null
    where a.lookup_key = feed.value
) and not exists (
    select from ops.lookup_result a
    join ops.migration_chunk chunk on chunk.load_id = a.load_id and chunk.stream = {stream}
    join ops.migration m on m.migration_id = chunk.migration_id and m.system = {system} and m.ended_at is null
    where a.system = {system} and a.stream = {stream} and a.lookup_key = feed.value
)
order by 1
"""


def lookup_keys(
    url: str,
    system: System,
    stream_name: str,
    systems: Mapping[str, System],
    entities: Mapping[str, Entity],
    now: datetime,
) -> LookupKeys:
    """The LookupKeys of a look-up stream, streamed from the warehouse. Raises Fatal for any other stream."""
    lookup = system.streams[stream_name].lookup
    if lookup is None:
        raise Fatal(f"{system.system}.{stream_name} is no look-up stream: it has no keys to ask about.")
    sources = {
        source
        for entity, attribute in (name.split(".") for name in lookup.attributes)
        for source in entities[entity].attributes[attribute].sources
    }
    named = sql.SQL(named_values_sql(entities, systems, lookup.attributes, except_system=system.system))

    def ask(after: str | None, changed: Iterable[str], scope: LookupScope = "open") -> Iterator[str]:
        # Literals, not parameters: the rendered mapping may hold a % of its own.
        values = {
            "system": sql.Literal(system.system),
            "stream": sql.Literal(stream_name),
            "after": sql.Literal(after),
            "changed": sql.Literal(list(changed)),
            "fresh_since": sql.Literal(now - lookup.ttl),
        }
        known = sql.SQL(_KNOWN).format(named=named, **values)
        query = sql.SQL({"open": _OPEN, "known": _CHANGED, "feed": _FEED}[scope]).format(known=known, **values)
        with connect(url) as connection:
            for source in sorted(sources):
                ensure_staging(connection, StagingTable(*source.split(".")))
            connection.commit()
            with connection.cursor("questions") as cursor:
                cursor.itersize = 5000
                for (value,) in cursor.execute(query):
                    yield value

    return ask
