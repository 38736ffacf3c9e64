"""How large each stream's tables in staging are, measured once a day: what is stored costs by the day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import psycopg

from onefold.catalog.system import System
from onefold.warehouse.tables import StagingTable

# A table that a large load brought whole is a child of its stream's.
_MEASURE = """
insert into ops.stream_storage (day, system, stream, bytes)
select %(day)s, system, stream, (
    with recursive parts (oid) as (
        select table_oid union select i.inhrelid from pg_inherits i join parts on parts.oid = i.inhparent
    ) select coalesce(sum(pg_total_relation_size(parts.oid)), 0) from parts)
from (
    select system, stream, to_regclass(format('staging.%%I', name))::oid as table_oid
    from unnest(%(systems)s::text[], %(streams)s::text[], %(names)s::text[]) as asked (system, stream, name)
) as known
where table_oid is not null
on conflict (day, system, stream) do nothing
"""


def measure_storage(connection: psycopg.Connection, systems: Mapping[str, System], day: date) -> int:
    """Record the sizes of the day, where they are not recorded yet; returns of how many streams."""
    tables = [StagingTable(name, stream) for name, system in systems.items() for stream in system.streams]
    about = {
        "day": day,
        "systems": [table.system for table in tables],
        "streams": [table.stream for table in tables],
        "names": [table.name for table in tables],
    }
    return connection.execute(_MEASURE, about).rowcount
