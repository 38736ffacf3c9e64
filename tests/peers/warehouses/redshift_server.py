"""rs-mock behind PostgreSQL's protocol, as psycopg2 speaks it to Redshift: simple queries, each value as a text.

What rs-mock lacks is done here: cursors, strtol() (which sqlglot calls from_base()), and a session for each connection.
"""

from __future__ import annotations

import re
import socketserver
import struct
import sys

import duckdb
from rs_mock import RedshiftMock
from sqlglot.errors import SqlglotError

WAREHOUSE = RedshiftMock()
WAREHOUSE.execute("select 1")
WAREHOUSE.connection.execute("create macro from_base(digits, base) as cast('0x' || digits as bigint)")  # strtol()
_DECLARED = re.compile(r"declare \w+ cursor for ", re.IGNORECASE)


class Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.mock = RedshiftMock()
        self.mock._conn = WAREHOUSE.connection.cursor()
        self.found = None
        if self._startup():
            while self.rfile.read(1) == b"Q":
                (length,) = struct.unpack("!i", self.rfile.read(4))
                self._query(self.rfile.read(length - 4)[:-1].decode())
        self.mock._conn.close()  # which gives up an open transaction

    def _startup(self) -> bool:
        while True:
            (length,) = struct.unpack("!i", self.rfile.read(4))
            (version,) = struct.unpack("!i", self.rfile.read(length - 4)[:4])
            if version == 196608:
                break
            self.wfile.write(b"N")
        self._send(b"R", struct.pack("!i", 0))
        for name, value in {"server_version": "8.0.2", "client_encoding": "UTF8", "DateStyle": "ISO, MDY"}.items():
            self._send(b"S", name.encode() + b"\0" + value.encode() + b"\0")
        self._send(b"Z", b"I")
        return True

    def _query(self, statement: str) -> None:
        verb = statement.split(maxsplit=1)[0].lower()
        try:
            self._answer(verb, statement)
        except (duckdb.Error, SqlglotError, ValueError) as error:
            fields = {"S": "ERROR", "C": "XX000", "M": f"{error} in {statement[:2000]}"}
            self._send(b"E", b"".join(key.encode() + value.encode() + b"\0" for key, value in fields.items()) + b"\0")
        self._send(b"Z", b"I")

    def _answer(self, verb: str, statement: str) -> None:
        changed = ""
        if verb == "declare":
            self.found = self.mock.execute(_DECLARED.sub("", statement, count=1))
        elif verb == "fetch":
            self._rows(self.found.fetchmany(int(statement.split()[2])))
        elif verb == "close":
            self.found = None
        else:
            result = self.mock.execute(statement)
            if verb in ("insert", "update", "delete"):
                changed = f" {result.fetchall()[0][0]}"
            elif verb in ("select", "with"):
                self._rows(result.fetchall())
        self._send(b"C", f"{verb.upper()}{' 0' if verb == 'insert' else ''}{changed}".encode() + b"\0")

    def _rows(self, rows: list[tuple]) -> None:
        width = len(rows[0]) if rows else 1
        columns = b"".join(b"c\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0) for _ in range(width))
        self._send(b"T", struct.pack("!h", width) + columns)
        for row in rows:
            values = [None if value is None else str(value).encode() for value in row]
            packed = [struct.pack("!i", -1) if v is None else struct.pack("!i", len(v)) + v for v in values]
            self._send(b"D", struct.pack("!h", width) + b"".join(packed))

    def _send(self, kind: bytes, content: bytes) -> None:
        self.wfile.write(kind + struct.pack("!i", len(content) + 4) + content)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Session).serve_forever()
