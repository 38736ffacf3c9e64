"""What a source must have before the log of a table can be read.

Sources: MariaDB, "Binary Log Formats", "Replication and Foreign Keys"; MySQL, "Binary Logging Options and Variables",
"InnoDB and FOREIGN KEY Constraints": what a foreign key changes by itself is in no log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa
from croniter import croniter

from onefold.catalog.stream import Stream
from onefold.connectors.cdc.mysql.position import Position
from onefold.connectors.cdc.mysql.server import is_mariadb, kept_for, log_status, settings
from onefold.connectors.cdc.mysql.table import LogTable, table_of
from onefold.connectors.cdc.refusal import not_ready
from onefold.errors import Fatal

_WANTED = {
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_row_metadata": "FULL",
    "binlog_row_value_options": "",
    "binlog_transaction_compression": "OFF",
}
_EVERYWHERE = frozenset({"binlog_format", "binlog_row_image", "binlog_row_metadata"})
"""What every server has that is new enough."""
_REFUSED = frozenset({1044, 1045, 1142, 1143, 1227})
_KEEPS_ITSELF = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def require_ready(
    connection: sa.Connection, named: str, stream: Stream, schedule: str, dump: Callable[[Position], None]
) -> None:
    """Look at everything that the source must have. Nothing of it is changed. `schedule` (cron) says when loads come;
    `dump` begins to read the log.

    Raises Fatal that names each thing that is missing, with the SQL that an administrator of the source runs.
    """
    if missing := list(_missing(connection, stream, _pause(schedule), dump)):
        raise not_ready(named, missing)


def _pause(schedule: str) -> timedelta:
    """The longest pause between some of the next loads."""
    times = croniter(schedule, datetime.now(UTC))
    next_ones = [times.get_next(datetime) for _ in range(50)]
    return max(after - before for before, after in pairwise(next_ones))


def _missing(
    connection: sa.Connection, stream: Stream, pause: timedelta, dump: Callable[[Position], None]
) -> Iterator[str]:
    found = settings(connection)
    login = str(connection.exec_driver_sql("select current_user()").scalar_one())
    user, _, host = login.rpartition("@")
    grantee = f"'{user}'@'{host}'"
    if found.get("log_bin", "OFF") == "OFF":
        yield "the server writes no log: set log_bin and server_id in its option file, and restart it"
    else:
        yield from _missing_settings(found)
        if (kept := kept_for(found)) and kept < 2 * pause:
            yield (
                f"the server keeps its log for {kept}, and loads come every {pause}: SET GLOBAL "
                f"binlog_expire_logs_seconds = {max(int(14 * pause.total_seconds()), 604_800)}; and in its option file"
            )
        yield from _missing_rights(connection, stream, grantee, dump)
    table = table_of(connection, stream)
    if table is None:
        yield (
            f"there is no table {stream.request.table} that the login may see: GRANT SELECT ON "
            f"{stream.request.table} TO {grantee}; or compare request.table in the system's YAML"
        )
        return
    yield from _missing_of_table(connection, table, grantee)


def _missing_settings(found: Mapping[str, str]) -> Iterator[str]:
    for name, wanted in _WANTED.items():
        value = found.get(name, None if name in _EVERYWHERE else wanted)
        if value is None:
            yield f"the server has no {name}, so it is too old: MariaDB 10.5 or MySQL 8.0.14 is the first that has"
        elif value.upper() != wanted:
            said = f"'{wanted}'" if wanted in ("ROW", "") else wanted
            yield (
                f"{name} is {value or 'empty'}: SET GLOBAL {name} = {said}; and the same in its option file; sessions "
                "that are open keep what they have until they connect anew"
            )


def _missing_rights(
    connection: sa.Connection, stream: Stream, grantee: str, dump: Callable[[Position], None]
) -> Iterator[str]:
    monitor = "BINLOG MONITOR" if is_mariadb(connection) else "REPLICATION CLIENT"
    try:
        status = log_status(connection)
    except sa.exc.DBAPIError as error:
        if not _is_refused(error):
            raise
        yield f"the login may not see where the log ends: GRANT {monitor}, REPLICATION SLAVE ON *.* TO {grantee};"
        return
    if status is None:
        return
    position, only, without = status
    schema = stream.request.table.rpartition(".")[0] if stream.request.table else ""
    schema = schema or str(connection.exec_driver_sql("select database()").scalar_one())
    if (only and schema not in only.split(",")) or schema in without.split(","):
        yield f"the log leaves {schema} out: change binlog_do_db or binlog_ignore_db in the option file, and restart"
    try:
        dump(position)
    except Fatal:
        yield f"the login may not read the log: GRANT REPLICATION SLAVE ON *.* TO {grantee};"


def _is_refused(error: sa.exc.DBAPIError) -> bool:
    return bool(error.orig and error.orig.args and error.orig.args[0] in _REFUSED)


def _missing_of_table(connection: sa.Connection, table: LogTable, grantee: str) -> Iterator[str]:
    kind, engine, transactional = connection.execute(
        sa.text(
            "select t.table_type, t.engine, e.transactions from information_schema.tables t left join"
            " information_schema.engines e on e.engine = t.engine where table_schema = :schema and table_name = :name"
        ),
        {"schema": table.schema, "name": table.name},
    ).one()
    if kind != "BASE TABLE":
        yield f"{table.name} is a {str(kind).lower()}, and only plain tables have changes of their own in the log"
    elif transactional != "YES":
        yield f"{table.name} has no transactions ({engine}): ALTER TABLE {table.quoted} ENGINE = InnoDB;"
    try:
        connection.execute(sa.select(sa.literal(1)).select_from(sa.table(table.name, schema=table.schema)).limit(0))
    except sa.exc.DBAPIError as error:
        if not _is_refused(error):
            raise
        yield f"the login may not read the table: GRANT SELECT ON {table.quoted} TO {grantee};"
    for column in table.columns:
        if why := column.unreadable:
            yield f"{why} ({column.name}): leave it out of the stream's fields, or have the column changed"
    yield from _changed_by_keys(connection, table)


def _changed_by_keys(connection: sa.Connection, table: LogTable) -> Iterator[str]:
    """Foreign keys by which the database itself deletes the table's rows, or changes what the stream reads of them."""
    read = {column.name for column in table.columns}
    for key in sa.inspect(connection).get_foreign_keys(table.name, schema=table.schema):
        name, reads = key["name"], bool(read & set(key["constrained_columns"]))
        rules = key.get("options", {})
        on_delete, on_update = (str(rules.get(each, "RESTRICT")).upper() for each in ("ondelete", "onupdate"))
        if on_delete == "CASCADE" or (reads and _KEEPS_ITSELF & {on_delete, on_update}):
            yield (
                f"what the foreign key {name} changes by itself (ON DELETE {on_delete}, ON UPDATE {on_update}) is in "
                f"no log: ALTER TABLE {table.quoted} DROP FOREIGN KEY `{name}`; and ADD it again with RESTRICT"
            )
