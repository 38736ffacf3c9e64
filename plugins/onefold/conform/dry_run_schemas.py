"""The shadow: staging as it would be if rehearsed loads were published, in a schema that analysts have no right to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from onefold.load.ledger import Load
from onefold.warehouse.tables import StagingTable

PREFIX = "shadow_"
"""Begins the names of the shadow's schemas, which are else those of the warehouse."""
STAGING, MAPPED = f"{PREFIX}staging", f"{PREFIX}mapped"

_COLUMNS = sql.SQL("_key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at")
_REHEARSED = sql.SQL(
    " union all select {columns} from {candidate} c where not exists (select from {refused} r where r._key = c._key)"
)


def expose(connection: psycopg.Connection, streams: Iterable[StagingTable], loads: Sequence[Load]) -> None:
    """Make a view of each stream's versions, and one of the newest, that hold what the rehearsed loads accepted too."""
    for table in streams:
        versions = sql.SQL("select {} from {}").format(_COLUMNS, table.versions)
        for load in loads:
            if (load.system, load.stream) == (table.system, table.stream):
                versions += _REHEARSED.format(
                    columns=_COLUMNS, candidate=load.tables.candidate, refused=load.tables.refused
                )
        shown = sql.Identifier(STAGING, table.name)
        connection.execute(sql.SQL("create view {} as {}").format(shown, versions))
        connection.execute(
            sql.SQL("create view {} as select distinct on (_key) * from {} order by _key, _load_id desc").format(
                sql.Identifier(STAGING, f"{table.name}__current"), shown
            )
        )


def copy_mapped(connection: psycopg.Connection, models: Iterable[str]) -> None:
    """Bring the mapped records over, which an incremental model goes on from. Nothing where there are none yet."""
    for name in models:
        ours, copy = sql.Identifier("mapped", name), sql.Identifier(MAPPED, name)
        if connection.execute("select to_regclass(%s)", (ours.as_string(connection),)).fetchone()[0]:
            connection.execute(sql.SQL("create table {} as table {}").format(copy, ours))
            connection.execute(sql.SQL("create unique index on {} (_record)").format(copy))
            connection.execute(sql.SQL("create index on {} (_load_id)").format(copy))
            connection.execute(sql.SQL("analyze {}").format(copy))


def clear(connection: psycopg.Connection) -> None:
    """Empty the shadow."""
    held = connection.execute(
        "select relnamespace::regnamespace::text, relname, relkind = 'v' from pg_class"
        " where relnamespace = any (%s::regnamespace[]) and relkind in ('r', 'v')",
        ([STAGING, MAPPED],),
    ).fetchall()
    for schema, name, is_view in held:
        kind = sql.SQL("view" if is_view else "table")
        connection.execute(sql.SQL("drop {} if exists {} cascade").format(kind, sql.Identifier(schema, name)))
