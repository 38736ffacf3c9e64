"""Staging: every published version of every record, append-only, and the view of the newest ones."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.load.plain_view import ensure_plain_views
from onefold.warehouse.connection import connect
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import LandingTables, StagingTable

CHILD_TABLE_ROWS = 100_000
"""A load of so many versions is not copied into staging: its table becomes a part of it."""


def ensure_all_staging(url: str, catalog: Catalog) -> None:
    """Make what is missing for every stream, so that a model may read one that has not been loaded yet."""
    streams = [
        (StagingTable(system.system, name), stream)
        for system in catalog.systems.values()
        for name, stream in system.streams.items()
    ]
    with connect(url, autocommit=True) as connection:
        for table, _ in streams:
            ensure_staging(connection, table)
        ensure_plain_views(connection, streams)


def ensure_staging(connection: psycopg.Connection, table: StagingTable) -> None:
    """Make the stream's staging table and its __current view if they are missing.

    Loads of one stream are one after the other and write a version only when it is newer than the current one, so
    the newest version of a key is the one of the greatest load. The BRIN index finds the rows of a load: versions lie
    on disk in the order of their loads.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 2))", (table.name,))
        if one_row(connection.execute("select to_regclass(%s)", (table.current.as_string(connection),)))[0]:
            return
        connection.execute(
            sql.SQL(
                'create table if not exists {} (_key text collate "C" not null, _hash bytea not null,'
                ' _payload jsonb not null, _cursor text collate "C", _deleted boolean not null,'
                " _load_id bigint not null, _extracted_at timestamptz not null, _withheld jsonb)"
            ).format(table.versions)
        )
        connection.execute(sql.SQL("create index on {} using brin (_load_id)").format(table.versions))
        connection.execute(
            sql.SQL("create view {} as select distinct on (_key) * from {} order by _key, _load_id desc").format(
                table.current, table.versions
            )
        )


def ensure_key_index(connection: psycopg.Connection, table: StagingTable) -> None:
    """A load holds a key once, and finding a key is quick: the unique index, made in the first load's transaction.

    Made after that load's rows are in, it costs a quarter of what filling it row by row would; readers do not wait.
    """
    connection.execute(
        sql.SQL("create unique index if not exists {} on {} (_key, _load_id)").format(
            sql.Identifier(f"{table.name}_pkey"), table.versions
        )
    )


def attach_child_table(connection: psycopg.Connection, table: StagingTable, load: LandingTables) -> None:
    """Make the load's candidates, as they are, a part of the stream's staging table (in PostgreSQL's words: a child).

    Whoever reads the staging table reads its parts too, and nobody waits. Nothing is written twice; and what a large
    load brought can be taken out again by dropping its child table. The check tells the planner which load
    that is: who asks for other loads does not read it.
    """
    name = sql.Identifier(f"{table.name}__load_{load.load_id}")
    part = sql.Identifier("staging", f"{table.name}__load_{load.load_id}")
    for statement in (
        (
            "alter table {candidate} drop column _known, alter _key set not null, alter _hash set not null,"
            " alter _payload set not null, alter _deleted set not null, alter _load_id set not null,"
            " alter _extracted_at set not null, add check (_load_id = {load_id})"
        ),
        "alter table {candidate} rename to {name}",
        "alter table landing.{name} set schema staging",
        "create unique index on {part} (_key, _load_id)",
        "create index on {part} using brin (_load_id)",
        "alter table {part} inherit {table}",
    ):
        connection.execute(
            sql.SQL(statement).format(
                candidate=load.candidate,
                name=name,
                part=part,
                table=table.versions,
                load_id=sql.Literal(load.load_id),
            )
        )
