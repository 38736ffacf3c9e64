"""What a source must have before the log of a table can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.connectors.cdc.postgres.slot import LogTable
from onefold.connectors.cdc.refusal import not_ready
from onefold.warehouse.rows import one_row


@dataclass(frozen=True, slots=True)
class _Server:
    wal_level: str
    most: int
    slots: int
    has_slot: bool
    may_replicate: bool
    login: str
    oid: int | None


@dataclass(frozen=True, slots=True)
class _Table:
    relreplident: str
    relkind: str
    relpersistence: str
    may_read: bool
    owns: bool
    identity: list[str] | None
    has_key: bool
    via_root: bool | None
    published: bool


def require_ready(connection: psycopg.Connection, table: LogTable) -> None:
    """Look at everything that the source must have, before anything of it is touched.

    Raises Fatal that names each thing that is missing, with the SQL that an administrator of the source runs.
    """
    if missing := list(_missing(connection, table)):
        raise not_ready(table.named, missing)


def _missing(connection: psycopg.Connection, table: LogTable) -> Iterator[str]:
    found = one_row(
        connection.cursor(row_factory=class_row(_Server)).execute(
            """
            select current_setting('wal_level') as wal_level, current_setting('max_replication_slots')::int as most,
                   (select count(*) from pg_replication_slots)::int as slots,
                   exists (select from pg_replication_slots where slot_name = %s) as has_slot,
                   (select rolreplication or rolsuper from pg_roles where rolname = current_user) as may_replicate,
                   current_user::text as login, to_regclass(%s)::oid as oid
            """,
            (table.slot, table.identifier.as_string(connection)),
        )
    )
    name = table.identifier.as_string(connection)
    login = sql.Identifier(found.login).as_string(connection)
    if found.wal_level != "logical":
        yield f"wal_level is {found.wal_level}: ALTER SYSTEM SET wal_level = 'logical'; and restart the server"
    if not found.may_replicate:
        yield f"the login may not read the log: ALTER ROLE {login} REPLICATION;"
    if not found.has_slot and found.slots >= found.most:
        yield (
            f"all {found.most} replication slots are in use: ALTER SYSTEM SET max_replication_slots = "
            f"{found.most + 10}; and restart the server"
        )
    if found.oid is None:
        yield f"there is no table {name} that the login may see; compare request.table in the system's YAML"
        return
    yield from _missing_of_table(connection, table, found.oid, name, login)


def _missing_of_table(
    connection: psycopg.Connection, table: LogTable, oid: int, name: str, login: str
) -> Iterator[str]:
    found = one_row(
        connection.cursor(row_factory=class_row(_Table)).execute(
            """
            select relreplident::text, relkind::text, relpersistence::text,
                   has_table_privilege(c.oid, 'select') as may_read, pg_has_role(relowner, 'usage') as owns,
                   (select array_agg(attname::text) from pg_index i
                    join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
                    where i.indrelid = c.oid and case relreplident
                        when 'd' then i.indisprimary when 'i' then i.indisreplident else false end) as identity,
                   exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as has_key,
                   (select p.pubviaroot from pg_publication p where p.pubname = %(publication)s) as via_root,
                   exists (select from pg_publication_tables t join pg_namespace n on n.nspname = t.schemaname
                           where t.pubname = %(publication)s and n.oid = c.relnamespace and t.tablename = relname)
                       as published
            from pg_class c where oid = %(oid)s
            """,
            {"oid": oid, "publication": table.publication},
        )
    )
    publication = sql.Identifier(table.publication).as_string(connection)
    if found.relkind not in ("r", "p"):
        yield f"{name} is no table, and only tables have changes: name the table that the view reads"
    if found.relpersistence != "p":
        yield f"{name} is unlogged or temporary, so its changes are in no log: ALTER TABLE {name} SET LOGGED;"
    if not found.may_read:
        yield f"the login may not read the table: GRANT SELECT ON {name} TO {login};"
    if found.relreplident != "f" and not set(table.keys) <= set(found.identity or ()):
        identity = f"ALTER TABLE {name} REPLICA IDENTITY"
        remedy = (
            f"{identity} DEFAULT" if found.has_key else f"ALTER TABLE {name} ADD PRIMARY KEY ({', '.join(table.keys)})"
        )
        yield (
            f"the log does not tell which row was changed ({', '.join(table.keys)}): {remedy}; or, at the cost of a "
            f"longer log, {identity} FULL;"
        )
    if found.via_root is None and not found.owns:
        yield (
            f"there is no publication, and only the table's owner may make it: CREATE PUBLICATION {publication} FOR "
            f"TABLE {name} WITH (publish_via_partition_root = true);"
        )
    if found.via_root is not None and not found.published:
        yield f"the publication lacks the table: ALTER PUBLICATION {publication} ADD TABLE {name};"
    if found.relkind == "p" and found.via_root is False:
        yield (
            f"the publication names the partitions, not the table: ALTER PUBLICATION {publication} SET "
            "(publish_via_partition_root = true);"
        )
