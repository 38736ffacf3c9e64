"""What a look-up source is asked: the values that other systems name, unless a good answer is fresh enough.

What its change feed names is asked again in any case, also when only we still hold it: a company that was struck off
after the other systems had forgotten it must not live on in staging.

What was never asked comes first, then the oldest answers: where a quota ends before the questions do, everyone's turn
comes all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.mapping.sql import named_values_sql
from onefold.warehouse.connection import connect
from onefold.warehouse.staging import ensure_staging
from onefold.warehouse.tables import StagingTable


def questions(
    url: str,
    system: System,
    stream_name: str,
    systems: Mapping[str, System],
    entities: Mapping[str, Entity],
    now: datetime,
) -> Callable[[str | None, Iterable[str]], Iterator[str]]:
    """The Questions (connectors/page.py) of a look-up stream, streamed from the warehouse."""
    lookup = system.streams[stream_name].lookup
    entity = entities[lookup.attribute.split(".")[0]]
    named = named_values_sql(entities, systems, lookup.attribute, except_system=system.system)

    def ask(after: str | None, changed: Iterable[str]) -> Iterator[str]:
        with connect(url) as connection:
            for source in entity.streams:
                ensure_staging(connection, StagingTable(*source.split(".")))
            connection.commit()
            yield from _stream(connection, named, system.system, stream_name, after, list(changed), now - lookup.ttl)

    return ask


def _stream(
    connection: psycopg.Connection,
    named: str,
    system: str,
    stream: str,
    after: str | None,
    changed: list[str],
    fresh_since: datetime,
) -> Iterator[str]:
    # Literals, not parameters: the rendered mapping may hold a % of its own.
    query = sql.SQL(
        """
        select named.value collate "C"
        from (
            select value from ({named}) by_others
            union
            select question from ops.answer
            where system = {system} and stream = {stream} and outcome = 'found' and question = any({changed}::text[])
        ) named
        left join ops.answer a on a.system = {system} and a.stream = {stream} and a.question = named.value
        where named.value is not null
          and ({after}::text is null or (coalesce(a.answered_at, '-infinity'), named.value collate "C") > (
              coalesce(
                  (select answered_at from ops.answer
                   where system = {system} and stream = {stream} and question = {after}), '-infinity'
              ),
              {after}::text
          ))
          and (a.answered_at is null or a.answered_at <= {fresh_since} or named.value = any({changed}::text[]))
        order by coalesce(a.answered_at, '-infinity'), 1
        """
    ).format(
        named=sql.SQL(named),
        system=sql.Literal(system),
        stream=sql.Literal(stream),
        after=sql.Literal(after),
        changed=sql.Literal(changed),
        fresh_since=sql.Literal(fresh_since),
    )
    with connection.cursor("questions") as cursor:
        cursor.itersize = 5000
        for (value,) in cursor.execute(query):
            yield value
