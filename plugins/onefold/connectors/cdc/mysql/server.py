"""What a MariaDB or MySQL says of itself and of its log.

Sources: MariaDB, "SHOW BINARY LOGS", "START TRANSACTION WITH CONSISTENT SNAPSHOT"; MySQL, "SHOW BINARY LOG STATUS".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from onefold.connectors.cdc.mysql.position import Checkpoint, Position
from onefold.connectors.cdc.reader import LogEnd
from onefold.connectors.cdc.refusal import lost_changes
from onefold.connectors.lag import Lag
from onefold.errors import Fatal

_LOG_STATUS = (8, 2)
"""The version of MySQL from which on its statement is called SHOW BINARY LOG STATUS."""
log = logging.getLogger(__name__)
NO_LOG = "the server writes no log (log_bin is off)"


@dataclass(frozen=True, slots=True)
class Files:
    """The log's files that the server has, and their sizes in bytes."""

    sizes: Mapping[str, int]

    def bytes_between(self, start: Position, end: Position) -> int:
        """How much of the log lies between two positions."""
        whole = sum(
            size for file, size in self.sizes.items() if start.number <= Position.of(file, 0).number < end.number
        )
        return max(whole + end.offset - start.offset, 0)


def is_mariadb(connection: sa.Connection) -> bool:
    """Whether the server is a MariaDB; else it is a MySQL."""
    return bool(getattr(connection.dialect, "is_mariadb", False))


def settings(connection: sa.Connection) -> dict[str, str]:
    """The server's settings, by name."""
    return _named_values(connection, "show global variables")


def _named_values(connection: sa.Connection, statement: str) -> dict[str, str]:
    return {str(row[0]).lower(): str(row[1]) for row in connection.exec_driver_sql(statement)}


def kept_for(found: Mapping[str, str]) -> timedelta | None:
    """How long the server keeps its log, by its settings; None: until somebody removes it."""
    seconds = float(found.get("binlog_expire_logs_seconds") or 0)
    seconds = seconds or float(found.get("expire_logs_days") or 0) * 86_400
    return timedelta(seconds=seconds) if seconds else None


def source_of(connection: sa.Connection) -> str:
    """What tells the server from others: MySQL's server_uuid; of MariaDB the numbers that stand in its transactions'
    names."""
    asked = "concat(@@global.server_id, '/', @@global.gtid_domain_id)" if is_mariadb(connection) else "@@server_uuid"
    return str(connection.exec_driver_sql(f"select {asked}").scalar_one())


def clock(connection: sa.Connection) -> datetime:
    """The server's time."""
    return datetime.fromisoformat(str(connection.exec_driver_sql("select utc_timestamp(6)").scalar_one())).replace(
        tzinfo=UTC
    )


def log_status(connection: sa.Connection) -> tuple[Position, str, str] | None:
    """Where the log ends, and the databases that it is restricted to, and those that it leaves out; None: there is
    none."""
    version = connection.dialect.server_version_info or ()
    renamed = not is_mariadb(connection) and version >= _LOG_STATUS
    row = connection.exec_driver_sql("show binary log status" if renamed else "show master status").first()
    return (Position.of(row[0], int(row[1])), row[2] or "", row[3] or "") if row else None


def files(connection: sa.Connection) -> Files:
    """The log's files."""
    return Files({row[0]: int(row[1]) for row in connection.exec_driver_sql("show binary logs")})


def snapshot_position(connection: sa.Connection) -> Position | None:
    """The position in the log of the snapshot that the transaction sees; None where the server does not say (MySQL)."""
    status = _named_values(connection, "show status like 'binlog_snapshot_%%'")
    file = status.get("binlog_snapshot_file")
    return Position.of(file, int(status["binlog_snapshot_position"])) if file else None


def before_snapshot(connection: sa.Connection, table: str) -> Position:
    """A position of the log such that a snapshot that is made after this has all that comes before it.

    MySQL writes a transaction into its log a moment before its engine shows it. A lock of the table (quoted) that is
    let go at once waits for those that are in between. MariaDB says the position of the snapshot itself.
    """
    status = log_status(connection)
    if status is None:
        raise Fatal(NO_LOG)
    if not is_mariadb(connection):
        connection.exec_driver_sql(f"lock tables {table} read")
        connection.exec_driver_sql("unlock tables")
    return status[0]


def look(connection: sa.Connection, named: str, held: Checkpoint) -> LogEnd:
    """See that the server still has its log from the published position on; returns where it ends. Raises Fatal."""
    if source_of(connection) != held.source:
        raise lost_changes(named, held.position, "the server is another one than before (its identity differs)")
    status = log_status(connection)
    if status is None:
        raise lost_changes(named, held.position, NO_LOG)
    end, at, found = status[0], clock(connection), files(connection)
    if end.name != held.position.name or end < held.position:
        raise lost_changes(
            named,
            held.position,
            f"the server's log ends at {end}: it was begun anew (RESET), or restored from a backup",
        )
    if held.position.readable.file not in found.sizes:
        raise lost_changes(
            named, held.position, f"the server has removed {held.position.file} (binlog_expire_logs_seconds, or PURGE)"
        )
    kept, behind = kept_for(settings(connection)), at - (held.as_of or at)
    if kept and behind > kept / 2:
        log.warning(
            "%s: what is published is %s old, and the server keeps its log for %s: see why loads fail or pause, or "
            "have binlog_expire_logs_seconds raised",
            *(named, behind, kept),
        )
    return LogEnd(str(end), at, _lag(held, end, at, found))


def lag_of(connection: sa.Connection, held: Checkpoint) -> Lag | None:
    """How far what is published is behind the log's end; None where there is no log."""
    status = log_status(connection)
    return _lag(held, status[0], clock(connection), files(connection)) if status else None


def _lag(held: Checkpoint, end: Position, at: datetime, found: Files) -> Lag:
    """The server keeps nothing for a stream: what it has, it has for as long as it is set to."""
    behind = None if held.as_of is None else max(at - held.as_of, timedelta())
    return Lag(
        position=str(held.position),
        log_end=str(end),
        lag_bytes=found.bytes_between(held.position, end),
        behind=behind if held.position < end else timedelta(),
        retained_bytes=None,
    )
