"""The way to a MariaDB or MySQL whose log is read: the SQL connector's, and a connection over which the server sends
its log, as it does to a replica."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import methodcaller
from struct import Struct
from typing import TYPE_CHECKING

import pymysql
import sqlalchemy as sa

from onefold.connectors.cdc.mysql.events import Kind
from onefold.connectors.cdc.mysql.position import Position
from onefold.connectors.sql.database import Database
from onefold.foreign_text import described
from onefold.http.failure import Again

_BINLOG_DUMP = b"\x12"
_ENDS = 1
"""BINLOG_DUMP_NON_BLOCK: the server does not wait for more at the log's end."""
_REQUEST = Struct("<IHI")
_HEAD = Struct("<xIBIIIH")
_END = 0xFE
_NOT_READABLE = 1236
_WAITS = 3600
"""Seconds that the server waits for us to take more of the log, while a page is stored."""


class NotReadable(Exception):
    """The server cannot send the log from there on; it says why."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log: its kind, when it was written (seconds since 1970), its whole length, and its body."""

    kind: int
    at: int
    size: int
    body: bytes


if TYPE_CHECKING:
    _Driver = pymysql.Connection[pymysql.cursors.Cursor]
else:
    _Driver = pymysql.Connection
_READ_PACKET = methodcaller("_read_packet")


class _Replica(_Driver):
    """A connection that can do what the driver has no public way to."""

    def command(self, request: bytes) -> None:
        self._next_seq_id = 0
        self.write_packet(request)

    def packet(self) -> bytes:
        data: bytes = _READ_PACKET(self).get_all_data()
        return data


class Dump:
    """The log from a position on, up to its end.

    `position` is the end of the event that came last, and `created` when the server made that file, in seconds since
    1970.
    """

    def __init__(self, connection: _Replica, start: Position) -> None:
        self._connection = connection
        self._checksum = 0
        self.position = start
        self.created = 0
        while not self.created:  # first come the file's name and its description
            if self._next() is None:
                raise NotReadable("the server sent nothing")

    def __iter__(self) -> Iterator[Event]:
        while (event := self._next()) is not None:
            yield event

    def _next(self) -> Event | None:
        data = self._connection.packet()
        if data[0] == _END and len(data) < _HEAD.size:
            return None
        at, kind, _, size, low, _ = _HEAD.unpack_from(data)
        if kind == Kind.FORMAT:
            self._checksum = 4 if data[-5] else 0
            self.created = at
        if kind == Kind.ROTATE and not low:  # the server says so itself; what stands in the log need not be there
            self._turn_to(data[_HEAD.size :])
            return self._next()  # it has no time, and the file's own event comes next: nobody may end between them
        if low:
            self.position = self.position.after(low)
        return Event(kind, at, size, data[_HEAD.size : len(data) - self._checksum])

    def _turn_to(self, body: bytes) -> None:
        """The next events are of the file whose name stands there, with or without a checksum after it."""
        for each in (self.position, self.position.following):
            if body[8:].startswith(each.file.encode()):
                self.position = replace(each, offset=int.from_bytes(body[:8], "little"))
                return
        raise NotReadable("the server's log goes on in a file of another name")


class LogDatabase(Database):
    """A MariaDB or MySQL whose log of changes is read."""

    @contextmanager
    def dump(self, start: Position, named: str) -> Iterator[Dump]:
        """The log from there on. The connection is closed at the block's end.

        Raises Retriable when the server cannot be reached now, Fatal when it refuses, NotReadable when it has no such
        log.
        """
        try:
            with _Replica(**self.driver_arguments(), autocommit=True) as connection:
                with connection.cursor() as cursor:
                    for name in ("master", "source"):  # what MariaDB and MySQL call it, and what MySQL does by now
                        cursor.execute(f"set @{name}_binlog_checksum = @@global.binlog_checksum")
                    cursor.execute("set @mariadb_slave_capability = 4")  # as it is: no event is changed for us
                    cursor.execute(f"set session net_write_timeout = {_WAITS}")
                server = 1 << 31 | secrets.randbits(31)  # replicas of one number end each other's connections
                readable = start.readable
                request = _REQUEST.pack(readable.offset, _ENDS, server) + readable.file.encode()
                connection.command(_BINLOG_DUMP + request)
                yield Dump(connection, readable)
        except pymysql.Error as error:
            if error.args and error.args[0] == _NOT_READABLE:
                answer = described(str(error.args[-1]))
                raise NotReadable(f"the server cannot send its log from there ({_NOT_READABLE}, {answer})") from error
            why = self.classed(sa.exc.DBAPIError("", None, error), named)
            raise (why.in_the_end(named, 1, self.system.connection) if isinstance(why, Again) else why) from error
