"""Whether the log has anything for a stream after what is published of it.

The end of the server's log is asked for each time, which costs nothing. Only where it has moved is the slot looked
into, because most of a log may be of other tables. A look into a slot occupies it, and only one can at a time: whoever
reads the slot for a load waits for the look to end (slot.occupy), and no look begins while a load reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import psycopg
from psycopg import sql

from onefold.catalog.system import System
from onefold.connectors.cdc.postgres.database import LogDatabase
from onefold.connectors.cdc.postgres.position import Checkpoint, Lsn
from onefold.connectors.cdc.postgres.slot import LogTable, try_to_occupy
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint

SECONDS = 5
"""How long a look may take. The server decodes a transaction whole before it gives the first change of it: where that
takes longer, there is something to load."""
MOST_LOG = 64 << 20
"""Bytes of other tables' log, after which a load is worth its while: it moves the position on, so that the server need
not keep the log, and a look need not decode it again."""
_SKIPS_EMPTY = 150_000
"""The first version of the server that leaves out transactions without a change for the publication."""


class SlotPeek:
    """A connection to a PostgreSQL whose log is read."""

    def __init__(self, system: System, endpoint: Endpoint) -> None:
        self._system = system
        self._arguments = LogDatabase(system, endpoint, lambda _: None).driver_arguments()
        self._connection: psycopg.Connection | None = None
        self._empty: dict[str, tuple[Lsn, Lsn]] = {}
        """By stream, between which positions there is nothing for it."""

    def __enter__(self) -> Self:
        options = f"-c default_transaction_read_only=on -c statement_timeout={SECONDS}s"
        self._connection = psycopg.connect(**self._arguments, options=options, autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()

    def has_more(self, stream_name: str, checkpoints: Mapping[str, str]) -> bool:
        """As Peek says; False where nothing is published of the stream: somebody, or its schedule, starts the first."""
        if "" not in checkpoints:
            return False
        table = LogTable.of(self._system.system, stream_name, self._system.streams[stream_name])
        held = Checkpoint.of(checkpoints[""], table.named)
        position, end = held.position, self._log_end()
        known_from, known_to = self._empty.get(stream_name, (position, position))
        if known_from != position:
            known_to = position
        if end <= known_to:
            return False
        if end.value - position.value > MOST_LOG:
            return True
        found = self._look(table, position, end)
        if found is False:
            self._empty[stream_name] = position, end
        return bool(found)

    def _log_end(self) -> Lsn:
        row = self._open.execute("select pg_current_wal_flush_lsn()::text").fetchone()
        return Lsn.parse(row[0]) if row else Lsn(0)

    def _look(self, table: LogTable, position: Lsn, end: Lsn) -> bool | None:
        """Whether the slot has a change after the position, up to the end; None where it cannot be said now."""
        with self._open.transaction():
            if not try_to_occupy(self._open, table):
                return None  # a load reads
            confirmed = self._open.execute(
                "select confirmed_flush_lsn::text from pg_replication_slots where slot_name = %s and active_pid is null"
                " and wal_status <> 'lost'",
                (table.slot,),
            ).fetchone()
            if confirmed is None or Lsn.parse(confirmed[0]) < position:
                return None  # a load that has published tells the source in a moment; what is lost, the next load says
            try:
                return self._open.execute(self._statement(table, end)).fetchone() is not None
            except psycopg.errors.QueryCanceled:
                return True

    def _statement(self, table: LogTable, end: Lsn) -> sql.Composed:
        """The first change. Messages that begin or end a transaction (B, C) are none."""
        most = sql.SQL("1" if self._open.info.server_version >= _SKIPS_EMPTY else "null")
        return sql.SQL(
            "select from pg_logical_slot_peek_binary_changes({slot}, {end}, {most}, 'proto_version', '1',"
            " 'publication_names', {publication}) where get_byte(data, 0) not in (ascii('B'), ascii('C')) limit 1"
        ).format(slot=table.slot, end=str(end), most=most, publication=f'"{table.publication}"')

    @property
    def _open(self) -> psycopg.Connection:
        if self._connection is None:
            raise Fatal("A slot was looked into before its server was connected to. Please report it as a bug.")
        return self._connection
