"""The schemas of a dry run: staging as it would be if dry-run loads were published, where analysts have no right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import sql

from onefold.load.ledger import Load
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

PREFIX = "dry_run_"
"""Before the names of the warehouse's schemas."""
STAGING, MAPPED = f"{PREFIX}staging", f"{PREFIX}mapped"

_COLUMNS = sql.SQL("_key, _hash, _payload, _cursor, _deleted, _load_id, _extracted_at, _withheld")
_DRY_RUN_LOAD = sql.SQL(
    " union all select {columns} from {candidate} c where not exists (select from {refused} r where r._key = c._key)"
)


def create_staging_views(
    connection: psycopg.Connection, streams: Iterable[StagingTable], loads: Sequence[Load]
) -> None:
    """Create a view of each stream's versions, and one of the newest, with what the dry-run loads accepted."""
    for table in streams:
        versions = sql.SQL("select {} from {}").format(_COLUMNS, table.versions)
        for load in loads:
            if (load.system, load.stream) == (table.system, table.stream):
                versions += _DRY_RUN_LOAD.format(
                    columns=_COLUMNS, candidate=load.tables.candidate, refused=load.tables.refused
                )
        view = sql.Identifier(STAGING, table.name)
        connection.execute(sql.SQL("create view {} as {}").format(view, versions))
        connection.execute(
            sql.SQL("create view {} as select distinct on (_key) * from {} order by _key, _load_id desc").format(
                sql.Identifier(STAGING, f"{table.name}__current"), view
            )
        )


def copy_mapped_tables(connection: psycopg.Connection, models: Iterable[str]) -> None:
    """Copy the mapped records, on which an incremental model builds; of a model that has none yet, nothing."""
    for name in models:
        original, copy = sql.Identifier("mapped", name), sql.Identifier(MAPPED, name)
        if one_row(connection.execute("select to_regclass(%s)", (original.as_string(connection),)))[0]:
            connection.execute(sql.SQL("create table {} as table {}").format(copy, original))
            connection.execute(sql.SQL("create unique index on {} (_record)").format(copy))
            connection.execute(sql.SQL("create index on {} (_load_id)").format(copy))
            connection.execute(sql.SQL("analyze {}").format(copy))


def drop_tables(connection: psycopg.Connection) -> None:
    """Drop all that the last dry run created."""
    relations = connection.execute(
        "select relnamespace::regnamespace::text, relname, relkind = 'v' from pg_class"
        " where relnamespace = any (%s::regnamespace[]) and relkind in ('r', 'v')",
        ([STAGING, MAPPED],),
    ).fetchall()
    for schema, name, is_view in relations:
        kind = sql.SQL("view" if is_view else "table")
        connection.execute(sql.SQL("drop {} if exists {} cascade").format(kind, sql.Identifier(schema, name)))
