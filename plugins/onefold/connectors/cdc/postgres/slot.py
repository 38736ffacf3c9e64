"""The publication and the replication slot of a stream at its source.

A stream has a slot of its own: a stream that stands still keeps only its own log, and what is confirmed of it is what
is published of it.

Sources: PostgreSQL manual, "Logical Decoding", "Replication Slots", "pg_replication_slots", "CREATE PUBLICATION".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from onefold.catalog.stream import Stream
from onefold.connectors.cdc.postgres.position import Checkpoint, Lsn, column_type
from onefold.connectors.cdc.refusal import lost_changes
from onefold.connectors.lag import Lag
from onefold.connectors.stored_position import anew
from onefold.connectors.window_text import top_level
from onefold.errors import Fatal, Retriable
from onefold.warehouse.rows import one_row

PLUGIN = "pgoutput"
_LONGEST = 63


@dataclass(frozen=True, slots=True)
class LogTable:
    """The table of a stream, as `named` calls it in messages, with the names of its slot and its publication, and the
    columns that the stream reads."""

    named: str
    table: str
    slot: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, system: str, stream_name: str, stream: Stream) -> LogTable:
        keys = tuple(stream.fields[name].path or name for name in stream.primary_key)
        slot = stream.request.slot or f"onefold_{system}_{stream_name}"
        if len(slot) > _LONGEST:
            slot = f"{slot[:52]}_{hashlib.sha256(slot.encode()).hexdigest()[:10]}"
        return cls(f"{system}.{stream_name}", stream.request.table or "", slot, keys, tuple(top_level(stream)))

    @property
    def publication(self) -> str:
        """It has the name of the slot."""
        return self.slot

    @property
    def anew(self) -> str:
        """The command that loads the stream from scratch."""
        return anew(self.named)

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(*self.table.split("."))


@dataclass(frozen=True, slots=True)
class _State:
    slot_name: str | None
    plugin: str | None
    database: str | None
    active_pid: int | None
    wal_status: str | None
    confirmed: str | None
    restart: str | None
    flushed: str
    at: datetime
    here: str
    source: str


@dataclass(frozen=True, slots=True)
class LogState:
    """The source's log at one look: where it ends, when that was by the source's clock, and from where on the server
    keeps it for the slot."""

    end: Lsn
    at: datetime
    kept_from: Lsn

    def lag(self, held: Checkpoint) -> Lag:
        """How far what is published is behind."""
        behind = None if held.as_of is None else max(self.at - held.as_of, timedelta())
        return Lag(
            position=str(held.position),
            log_end=str(self.end),
            lag_bytes=max(self.end.value - held.position.value, 0),
            behind=behind if held.position < self.end else timedelta(),
            retained_bytes=max(self.end.value - self.kept_from.value, 0),
        )


def ensure_publication(connection: psycopg.Connection, table: LogTable) -> None:
    """Make the stream's publication where there is none. The transaction is the caller's, and may write."""
    found = connection.execute("select from pg_publication where pubname = %s", (table.publication,)).fetchone()
    if found is None:
        connection.execute(
            sql.SQL("create publication {} for table {} with ({})").format(
                sql.Identifier(table.publication), table.identifier, publication_options(connection)
            )
        )


def publication_options(connection: psycopg.Connection) -> sql.SQL:
    """What a publication must say: changes of partitions are the table's, and computed columns that are stored are
    told, where the server can."""
    root = "publish_via_partition_root = true"
    return sql.SQL(root if connection.info.server_version < 180_000 else f"{root}, publish_generated_columns = stored")


def columns_of(connection: psycopg.Connection, table: LogTable) -> dict[str, int]:
    """The columns that the stream reads, with their types (column_type)."""
    found = connection.execute(
        "select attname::text, atttypid, atttypmod from pg_attribute"
        " where attrelid = to_regclass(%s) and attname = any (%s) and attnum > 0 and not attisdropped",
        (table.identifier.as_string(connection), list(table.columns)),
    )
    return {name: column_type(oid, modifier) for name, oid, modifier in found}


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that was made: where the log begins that it has whole, its epoch (Checkpoint), and the snapshot that shows
    the database at that position, as long as the connection that made it lives."""

    position: Lsn
    epoch: int
    snapshot: str


def create_slot(replication: psycopg.Connection, table: LogTable, epoch: int) -> Slot:
    """Make the slot over a connection of the replication protocol. Raises psycopg.Error."""
    version = replication.info.server_version
    options = "SNAPSHOT 'export'" + (", FAILOVER true" if version >= 170_000 else "")
    statement = sql.SQL("CREATE_REPLICATION_SLOT {} LOGICAL " + PLUGIN + " ({})" if version >= 150_000 else
                        "CREATE_REPLICATION_SLOT {} LOGICAL " + PLUGIN + " EXPORT_SNAPSHOT")  # fmt: skip
    _, position, snapshot, _ = one_row(
        replication.execute(statement.format(sql.Identifier(table.slot), sql.SQL(options)))
    )
    return Slot(Lsn.parse(position), epoch, snapshot)


def occupy(connection: psycopg.Connection, table: LogTable) -> None:
    """Wait until nobody looks into the slot (peek.py), and let nobody do so before the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (table.slot,))


def try_to_occupy(connection: psycopg.Connection, table: LogTable) -> bool:
    """As `occupy`, but without waiting: False where another transaction has occupied the slot."""
    row = connection.execute("select pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (table.slot,)).fetchone()
    return row == (True,)


def drop_slot(connection: psycopg.Connection, table: LogTable) -> None:
    """Drop the stream's slot, if there is one."""
    occupy(connection, table)
    connection.execute(
        "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s", (table.slot,)
    )


def require_no_slot(connection: psycopg.Connection, table: LogTable) -> None:
    """Raises Fatal when a slot of that name is there before the stream has any position in it."""
    found = connection.execute("select from pg_replication_slots where slot_name = %s", (table.slot,)).fetchone()
    if found is not None:
        raise Fatal(
            f"{table.named}: the source has a replication slot {table.slot} already, and nothing that is published "
            "here comes from it. If another Onefold reads it, give this stream a name of its own (request.slot in the "
            f"system's YAML). If it is left over from a load that died or was rolled back: {table.anew} drops it."
        )


def require_slot(connection: psycopg.Connection, table: LogTable, held: Checkpoint) -> LogState:
    """See that the slot has the log from the published position on; returns the log's state.

    Raises Retriable when somebody reads it now, Fatal when changes are missing: nothing after that could be trusted.
    """
    occupy(connection, table)
    found = _state(connection, table)
    if found.source != held.source:
        raise _lost(table, held, "the server is another one than before (its system identifier differs)")
    if found.slot_name is None or held.slot != table.slot:
        raise _lost(table, held, f"its replication slot {held.slot} is gone")
    if found.plugin != PLUGIN or found.database != found.here:
        raise _lost(table, held, f"the replication slot {table.slot} is of another kind or another database")
    if found.wal_status == "lost":
        raise _lost(table, held, f"the server has removed the log that the replication slot {table.slot} needs")
    if found.active_pid is not None:
        raise Retriable(
            f"{table.named}: the replication slot {table.slot} is being read by the server's process "
            f"{found.active_pid}. If that is no other load of this stream, end it at the source: select "
            f"pg_terminate_backend({found.active_pid});"
        )
    flushed = Lsn.parse(found.flushed)
    if flushed < held.position:
        raise _lost(table, held, f"the server's log ends at {flushed}, before that: it was restored from a backup")
    if found.confirmed and held.position < Lsn.parse(found.confirmed):
        raise _lost(table, held, f"somebody else has moved the replication slot {table.slot} on to {found.confirmed}")
    return LogState(flushed, found.at, Lsn.parse(found.restart or found.flushed))


def lag_of(connection: psycopg.Connection, table: LogTable, held: Checkpoint) -> Lag | None:
    """How far what is published is behind the log's end; None where the server has no such slot."""
    found = _state(connection, table)
    if found.restart is None:
        return None
    return LogState(Lsn.parse(found.flushed), found.at, Lsn.parse(found.restart)).lag(held)


def _state(connection: psycopg.Connection, table: LogTable) -> _State:
    return one_row(
        connection.cursor(row_factory=class_row(_State)).execute(
            """
            select s.slot_name::text, s.plugin::text, s.database::text, s.active_pid, s.wal_status,
                   s.confirmed_flush_lsn::text as confirmed, s.restart_lsn::text as restart,
                   pg_current_wal_flush_lsn()::text as flushed, clock_timestamp() as at,
                   current_database()::text as here, (select system_identifier::text from pg_control_system()) as source
            from (values (%s)) as asked (name) left join pg_replication_slots s on s.slot_name = asked.name
            """,
            (table.slot,),
        )
    )


def confirm(connection: psycopg.Connection, table: LogTable, held: Checkpoint) -> None:
    """Tell the source that all before the position is published; done twice, it changes nothing more."""
    occupy(connection, table)
    connection.execute(
        "select pg_replication_slot_advance(slot_name, %(position)s) from pg_replication_slots"
        " where slot_name = %(slot)s and active_pid is null and confirmed_flush_lsn < %(position)s::pg_lsn",
        {"slot": table.slot, "position": str(held.position)},
    )


def _lost(table: LogTable, held: Checkpoint, what: str) -> Fatal:
    return lost_changes(table.named, held.position, what)
