"""DuckDB: one file. DuckDB refuses readers while somebody writes to the file, so what is written is a copy, which takes
the file's place at once; who has the old file open goes on reading it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import ClassVar

import duckdb
import pandas as pd

from onefold.deliver.dialect import DECIMALS, DIGITS, Dialect
from onefold.deliver.table import Column, ColumnType, View
from onefold.deliver.target import Text
from onefold.errors import Fatal, OnefoldError, Retriable

_ROWS = 20_000
"""Rows that are handed over at once."""
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "pandas_analyze_sample": "0",
}
"""No statement reads another file, and what is handed over is taken for the texts that it is, also where all are
NULL."""


class DuckDbDialect(Dialect):
    """DuckDB."""

    types: ClassVar[Mapping[ColumnType, str]] = {
        "text": "varchar",
        "integer": "bigint",
        "numeric": f"decimal({DIGITS}, {DECIMALS})",
        "boolean": "boolean",
        "date": "date",
        "timestamp": "timestamp",
    }
    reported: ClassVar[Mapping[ColumnType, frozenset[str]]] = {
        name: frozenset({kind.replace(" ", "")}) for name, kind in types.items()
    }

    def text_of(self, column: str, kind: ColumnType) -> str:
        match kind:
            case "text":
                return column
            case "date":
                return f"strftime({column}, '%Y-%m-%d')"
            case "timestamp":
                return f"strftime({column}, '%Y-%m-%d %H:%M:%S.%f')"
            case _:
                return f"cast({column} as varchar)"

    def number_of(self, hexadecimal: str) -> str:
        return f"cast('0x' || {hexadecimal} as bigint)"

    def replace_view(self, view: View, query: str) -> list[str]:
        name = self.table(view.name, view.schema)
        statements = [f"create or replace view {name} as {query}"]
        if view.history:
            statements.append(self.as_of(view.schema, view.name))
        return statements

    def as_of(self, schema: str, history: str) -> str:
        """The statement that makes the macro which gives an entity's history as of one publish."""
        return (
            f"create or replace macro {self.table(history.removesuffix('_history') + '_as_of', schema)}"
            f"(publish) as table select * from {self.table(history, schema)}"
            " where from_publish <= publish and (to_publish is null or to_publish > publish)"
        )

    def drop_view(self, schema: str, view: str) -> list[str]:
        if not view.endswith("_history"):
            return [f"drop view if exists {self.table(view, schema)}"]
        function = self.table(view.removesuffix("_history") + "_as_of", schema)
        return [f"drop macro table if exists {function}", f"drop view if exists {self.table(view, schema)}"]


class DuckDbSession:
    """A connection to the file, or to its copy that is written."""

    dialect = DuckDbDialect()

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, statement: str) -> int:
        counted = self._connection.execute(statement).fetchone()
        return int(counted[0]) if counted and statement.startswith(("insert", "update", "delete")) else 0

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        self._connection.execute(query)
        while some := self._connection.fetchmany(_ROWS):
            yield from some

    def load(self, stored: str, columns: Sequence[Column], rows: Iterator[Sequence[Text]]) -> int:
        names = ", ".join(self.dialect.quote(each.name) for each in columns)
        texts = [f"c{at}" for at in range(len(columns))]
        values = ", ".join(self.dialect.from_text(text, each.type) for text, each in zip(texts, columns, strict=True))
        statement = f"insert into {self.dialect.table(stored)} ({names}) select {values} from rows_to_load"
        written = 0
        while some := list(islice(rows, _ROWS)):
            self._connection.register("rows_to_load", pd.DataFrame(some, columns=texts, dtype=object))
            self._connection.execute(statement)
            self._connection.unregister("rows_to_load")
            written += len(some)
        return written

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("begin")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")


class DuckDbFile:
    """A target that is one file."""

    forgets_only_anew = True

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.place = f"file://{path}"
        self._copy = path.with_name(f"{path.name}.next")

    @contextmanager
    def reading(self) -> Iterator[DuckDbSession | None]:
        if not self.path.exists():
            yield None
            return
        with self._errors(), self._opened(self.path, read_only=True) as connection:
            yield DuckDbSession(connection)

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[DuckDbSession]:
        with self._errors(), self._alone():
            for left in (self._copy, Path(f"{self._copy}.wal")):
                left.unlink(missing_ok=True)
            if self.path.exists() and not anew:
                shutil.copyfile(self.path, self._copy)
            with self._opened(self._copy, read_only=False) as connection:
                yield DuckDbSession(connection)
                connection.execute("checkpoint")
            sync(self._copy)
            self._before_it_is_shown(self._copy, anew=anew)
            self._copy.replace(self.path)
            sync(self.path.parent)

    def _before_it_is_shown(self, copy: Path, *, anew: bool) -> None:
        """What else is to be done with what was written, before it takes the file's place."""

    @contextmanager
    def _opened(self, path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect(str(path), read_only=read_only, config=_CONFIG)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Another installation may deliver into the same file; the lock ends with the process."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with Path(f"{self.path}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Retriable(
                    f"{self.name}: another process delivers into {self.path}. Wait for it to end and try again."
                ) from None
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """DuckDB's errors may quote a value: of most of them only the kind is repeated."""
        try:
            yield
        except OnefoldError:
            raise
        except (OSError, duckdb.IOException) as error:
            raise Retriable(
                f"{self.name}: {self.path} could not be read or written ({type(error).__name__}). Readers see the "
                "publish before. See whether its disk has room and the folder belongs to the user of Airflow."
            ) from error
        except duckdb.Error as error:
            raise Fatal(
                f"{self.name}: DuckDB refused a statement ({type(error).__name__}). Readers see the publish before. If "
                f"somebody has changed the file by hand, delete {self.path}: the next delivery makes it anew."
            ) from None


def sync(path: Path) -> None:
    """Let a file, or a folder's list of files, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
