"""Staging: every published version of every record, append-only, and the view of the newest ones."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.warehouse.connection import connect
from onefold.warehouse.tables import StagingTable


def ensure_all_staging(url: str, catalog: Catalog) -> None:
    """Make what is missing for every stream, so that a model may read one that has not been loaded yet."""
    with connect(url, autocommit=True) as connection:
        for system in catalog.systems.values():
            for stream in system.streams:
                ensure_staging(connection, StagingTable(system.system, stream))


def ensure_staging(connection: psycopg.Connection, table: StagingTable) -> None:
    """Make the stream's staging table and its __current view if they are missing.

    Loads of one stream are one after the other and write a version only when it is newer than the current one, so
    the newest version of a key is the one of the greatest load. The BRIN index finds the rows of a load: versions lie
    on disk in the order of their loads.
    """
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 2))", (table.name,))
        if connection.execute("select to_regclass(%s)", (table.current.as_string(connection),)).fetchone()[0]:
            return
        connection.execute(
            sql.SQL(
                'create table if not exists {} (_key text collate "C" not null, _hash bytea not null,'
                ' _payload jsonb not null, _cursor text collate "C", _deleted boolean not null,'
                " _load_id bigint not null, _extracted_at timestamptz not null)"
            ).format(table.versions)
        )
        connection.execute(sql.SQL("create index on {} using brin (_load_id)").format(table.versions))
        connection.execute(
            sql.SQL("create view {} as select distinct on (_key) * from {} order by _key, _load_id desc").format(
                table.current, table.versions
            )
        )


def key_once_a_load(connection: psycopg.Connection, table: StagingTable) -> None:
    """A load holds a key once, and finding a key is quick: the unique index, made in the first load's transaction.

    Made after that load's rows are in, it costs a quarter of what filling it row by row would; readers do not wait.
    """
    connection.execute(
        sql.SQL("create unique index if not exists {} on {} (_key, _load_id)").format(
            sql.Identifier(f"{table.name}_pkey"), table.versions
        )
    )
