"""fakesnow as a server, with what it lacks: numbers of hexadecimal digits, formats of times whose type it is not told,
comments with an apostrophe, REMOVE, which does nothing here, and an end of transactions whose client is gone."""

from __future__ import annotations

import re
import sys
from contextlib import suppress

import duckdb
import uvicorn
from fakesnow import cursor, info_schema
from fakesnow.server import app, sessions

_REWRITTEN = {
    r"to_number\((lpad\(substr\([^()]*, \d+, \d+\), 13, '0'\)), 'XXXXXXXXXXXXX'\)": r"cast('0x' || \1 as bigint)",
    r"to_varchar\(([^()]*), (?='YYYY-MM-DD HH24)": r"to_varchar(\1::timestamp_ntz(6), ",
    r"^remove .*": "select 1",
}
_execute = cursor.FakeSnowflakeCursor.execute
_insert_comment = info_schema.insert_table_comment_sql


def execute(self: cursor.FakeSnowflakeCursor, command: str, *values: object, **named: object) -> object:
    if "end left transactions" in command:
        for session in list(sessions.values()):
            with suppress(duckdb.TransactionException):  # it has none
                session._duck_conn.rollback()
    for pattern, replacement in _REWRITTEN.items():
        command = re.sub(pattern, replacement, command)
    return _execute(self, command, *values, **named)


def insert_comment(catalog: str, schema: str, table: str, comment: str) -> str:
    return _insert_comment(catalog, schema, table, comment.replace("'", "''"))


cursor.FakeSnowflakeCursor.execute = execute
info_schema.insert_table_comment_sql = insert_comment
uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
