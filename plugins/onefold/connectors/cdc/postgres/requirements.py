"""What a source must have before the log of a table can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.system import System
from onefold.connectors.cdc.postgres.published import missing_of_publication
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
    idle_seconds: int
    kept_mib: int
    login: str
    oid: int | None


@dataclass(frozen=True, slots=True)
class _Table:
    relkind: str
    relpersistence: str
    may_read: bool
    sees_some: bool


@dataclass(frozen=True, slots=True)
class _Leaf:
    """The table, or one of its partitions that hold rows."""

    name: str
    relreplident: str
    relpersistence: str
    identity: list[str] | None
    has_key: bool


def require_ready(connection: psycopg.Connection, table: LogTable, system: System) -> None:
    """Look at everything that the source must have, before anything of it is touched.

    Raises Fatal that names each thing that is missing, with the SQL that an administrator of the source runs.
    """
    if missing := list(_missing(connection, table, system)):
        raise not_ready(table.named, missing)


def _missing(connection: psycopg.Connection, table: LogTable, system: System) -> Iterator[str]:
    found = one_row(
        connection.cursor(row_factory=class_row(_Server)).execute(
            """
            select current_setting('wal_level') as wal_level, current_setting('max_replication_slots')::int as most,
                   (select count(*) from pg_replication_slots)::int as slots,
                   exists (select from pg_replication_slots where slot_name = %s) as has_slot,
                   (select rolreplication or rolsuper from pg_roles where rolname = current_user) as may_replicate,
                   coalesce(extract(epoch from current_setting('idle_replication_slot_timeout', true)::interval),
                            0)::int as idle_seconds,
                   (select setting::int from pg_settings where name = 'max_slot_wal_keep_size') as kept_mib,
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
    pause = 2 * _longest_pause(system.schedule)
    if 0 < found.idle_seconds < pause.total_seconds():
        yield (
            f"the server drops a slot that is not read for {timedelta(seconds=found.idle_seconds)}, less than twice "
            f"what may lie between two loads (schedule): ALTER SYSTEM SET idle_replication_slot_timeout = "
            f"'{pause.total_seconds():.0f}s'; SELECT pg_reload_conf();"
        )
    if 0 <= found.kept_mib < system.limits.retained_log_mib:
        yield (
            f"the server drops a slot once it keeps {found.kept_mib} MiB of its log for it, less than the "
            f"{system.limits.retained_log_mib} MiB of limits.retained_log_mib, which is when you are told: ALTER "
            f"SYSTEM SET max_slot_wal_keep_size = '{2 * system.limits.retained_log_mib}MB'; SELECT pg_reload_conf();"
        )
    if found.oid is None:
        yield f"there is no table {name} that the login may see; compare request.table in the system's YAML"
        return
    yield from _missing_of_table(connection, table, found.oid, name, login)
    yield from missing_of_publication(connection, table, found.oid, name)


def _longest_pause(schedule: str) -> timedelta:
    """The longest time between two runs; a schedule is looked at for 400 of them."""
    from croniter import croniter

    every = croniter(schedule)
    runs = [every.get_next(float) for _ in range(400)]
    return timedelta(seconds=max(after - before for before, after in pairwise(runs)))


def _missing_of_table(
    connection: psycopg.Connection, table: LogTable, oid: int, name: str, login: str
) -> Iterator[str]:
    found = one_row(
        connection.cursor(row_factory=class_row(_Table)).execute(
            """
            select relkind::text, relpersistence::text, has_table_privilege(oid, 'select') as may_read,
                   row_security_active(oid) as sees_some
            from pg_class where oid = %s
            """,
            (oid,),
        )
    )
    if found.relkind not in ("r", "p"):
        yield f"{name} is no table, and only tables have changes: name the table that the view reads"
    if not found.may_read:
        yield f"the login may not read the table: GRANT SELECT ON {name} TO {login};"
    if found.sees_some:
        yield (
            f"row security shows the login a part of the rows, and the log tells of all: ALTER ROLE {login} BYPASSRLS;"
        )
    leaves = connection.cursor(row_factory=class_row(_Leaf)).execute(
        """
        select format('%%I.%%I', n.nspname, relname) as name, relreplident::text, relpersistence::text,
               (select array_agg(attname::text) from pg_index i
                join pg_attribute a on a.attrelid = c.oid and a.attnum = any (i.indkey)
                where i.indrelid = c.oid and case relreplident
                    when 'd' then i.indisprimary when 'i' then i.indisreplident else false end) as identity,
               exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as has_key
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.oid = %(oid)s and relkind <> 'p'
            or c.oid in (select relid from pg_partition_tree(%(oid)s) where isleaf) order by 1
        """,
        {"oid": oid},
    )
    for leaf in leaves:
        yield from _missing_of_leaf(leaf, name if found.relkind == "r" else leaf.name, table.keys)


def _missing_of_leaf(leaf: _Leaf, name: str, keys: tuple[str, ...]) -> Iterator[str]:
    if leaf.relpersistence != "p":
        yield f"{name} is unlogged or temporary, so its changes are in no log: ALTER TABLE {name} SET LOGGED;"
    if leaf.relreplident != "f" and not set(keys) <= set(leaf.identity or ()):
        identity = f"ALTER TABLE {name} REPLICA IDENTITY"
        remedy = f"{identity} DEFAULT" if leaf.has_key else f"ALTER TABLE {name} ADD PRIMARY KEY ({', '.join(keys)})"
        yield (
            f"the log does not tell which row was changed ({', '.join(keys)}): {remedy}; or, at the cost of a "
            f"longer log, {identity} FULL;"
        )
