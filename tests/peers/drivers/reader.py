"""Does by ODBC what Reader.java does by JDBC: the same commands, the same answers. ODBC_DRIVER is the driver's file."""

from __future__ import annotations

import os
import sys

import pyodbc

CONNECTION = (
    f"Driver={os.environ['ODBC_DRIVER']};Server={os.environ['PGHOST']};Port={os.environ['PGPORT']};"
    f"Database={os.environ['PGDATABASE']};Uid={os.environ['PGUSER']};Pwd={os.environ['PGPASSWORD']}"
)


def answer(kind: str, name: object, text: object = "") -> None:
    print(kind, name, " ".join(str("" if text is None else text).split()), sep="\t")


def sessions(most: int) -> None:
    opened: list[pyodbc.Connection] = []
    try:
        while len(opened) < most:
            opened.append(pyodbc.connect(CONNECTION))
    except pyodbc.Error as refusal:
        answer("full", len(opened), refusal.args[1])
    for each in opened:
        each.close()


def main() -> None:
    cursor = pyodbc.connect(CONNECTION, autocommit=True).cursor()
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "tables":
            for table in cursor.tables(schema=argument, tableType="VIEW").fetchall():
                answer("table", table.table_name, table.remarks)
        elif command == "columns":
            schema, _, name = argument.partition(".")
            for column in cursor.columns(schema=schema, table=name).fetchall():
                answer("column", column.column_name, column.remarks)
        elif command == "rows":
            answer("rows", argument, len(cursor.execute(f"select * from {argument}").fetchall()))
        elif command == "refused":
            try:
                cursor.execute(argument)
                answer("allowed", argument)
            except pyodbc.Error as refusal:
                answer("refused", refusal.args[0], refusal.args[1])
        elif command == "sessions":
            sessions(int(argument))


main()
