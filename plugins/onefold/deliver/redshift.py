"""Redshift: rows are put into a bucket as Parquet and copied from there.

psycopg2 speaks to it, whose protocol is PostgreSQL's of old. TRUNCATE and VACUUM would commit: neither is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from onefold.deliver.bucket import Bucket
from onefold.deliver.dialect import DECIMALS, DIGITS, Dialect
from onefold.deliver.parquet_texts import name_of, parquet_texts
from onefold.deliver.table import Column, ColumnType, View
from onefold.deliver.target import Text
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.http.endpoint import Endpoint

_ROWS = 10_000
_LOADING = "loading"


class RedshiftDialect(Dialect):
    """Amazon Redshift. A text has at most 65,535 bytes, and so has what a row's fingerprint is made of."""

    types: ClassVar[Mapping[ColumnType, str]] = {
        "text": "varchar(65535)",
        "integer": "bigint",
        "numeric": f"numeric({DIGITS}, {DECIMALS})",
        "boolean": "boolean",
        "date": "date",
        "timestamp": "timestamp",
    }
    reported: ClassVar[Mapping[ColumnType, frozenset[str]]] = {
        "text": frozenset({"character varying"}),
        "integer": frozenset({"bigint"}),
        "numeric": frozenset({"numeric"}),
        "boolean": frozenset({"boolean"}),
        "date": frozenset({"date"}),
        "timestamp": frozenset({"timestamp without time zone"}),
    }
    row_bytes: ClassVar[int | None] = 65_535

    def literal(self, text: str) -> str:
        return super().literal(text.replace("\\", "\\\\"))

    def text_of(self, column: str, kind: ColumnType) -> str:
        match kind:
            case "text":
                return column
            case "boolean":  # is not cast to a text
                return f"case when {column} then 'true' when not {column} then 'false' end"
            case "date":
                return f"to_char({column}, 'YYYY-MM-DD')"
            case "timestamp":
                return f"to_char({column}, 'YYYY-MM-DD HH24:MI:SS.US')"
            case _:
                return f"cast({column} as varchar)"

    def from_text(self, text: str, kind: ColumnType) -> str:
        if kind == "boolean":
            return f"case {text} when 'true' then true when 'false' then false end"
        return super().from_text(text, kind)

    def number_of(self, hexadecimal: str) -> str:
        return f"strtol({hexadecimal}, 16)"

    def replace_view(self, view: View, query: str) -> list[str]:
        """In one transaction, so that no reader finds it missing: only one with the same columns could be replaced."""
        name = self.table(view.name, view.schema)
        return [f"begin; drop view if exists {name} cascade; create view {name} as {query}; commit"]


class RedshiftSession:
    """A connection, and the place in a bucket from which it copies."""

    dialect = RedshiftDialect()

    def __init__(self, connection: Connection, staging: Bucket, authorized: str) -> None:
        self._connection, self._staging, self._authorized = connection, staging, authorized
        self._within = False

    def execute(self, statement: str) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return max(cursor.rowcount, 0) if statement.startswith(("insert", "update", "delete")) else 0

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        """By a cursor of the server's: the client would hold the whole of an answer."""
        if not self._within:
            with self.transaction():
                yield from self.rows(query)
            return
        with self._connection.cursor() as cursor:
            cursor.execute(f"declare found cursor for {query}")
            while True:
                cursor.execute(f"fetch forward {_ROWS} from found")
                if not (some := cursor.fetchall()):
                    break
                yield from some
            cursor.execute("close found")

    def load(self, stored: str, columns: Sequence[Column], rows: Iterator[Sequence[Text]]) -> int:
        names = ", ".join(self.dialect.quote(each.name) for each in columns)
        values = ", ".join(self.dialect.from_text(name_of(at), each.type) for at, each in enumerate(columns))
        texts = ", ".join(f"{name_of(at)} {self.dialect.types['text']}" for at in range(len(columns)))
        written = 0
        with TemporaryDirectory() as folder:
            for path, count in parquet_texts(Path(folder), len(columns), rows):
                key = f"{uuid4().hex}.parquet"  # COPY takes every object whose key begins so: there is only this one
                self._staging.upload(path, key)
                self.execute(f"create temp table {_LOADING} ({texts})")
                self.execute(
                    f"copy {_LOADING} from {self.dialect.literal(f'{self._staging.place}/{key}')}"
                    f" iam_role {self._authorized} format as parquet"
                )
                self.execute(f"insert into {self.dialect.table(stored)} ({names}) select {values} from {_LOADING}")
                self.execute(f"drop table {_LOADING}")
                self._staging.delete([key])
                written += count
        return written

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("begin")
        self._within = True
        try:
            yield
        except BaseException:
            self._within = False
            if not self._connection.closed:
                self.execute("rollback")
            raise
        self._within = False
        self.execute("commit")


class RedshiftTarget:
    """A database of a cluster or workgroup. `authorized` is what COPY says of who may read the bucket."""

    forgets_only_anew = False

    def __init__(self, name: str, place: str, dsn: Mapping[str, Any], staging: Bucket, authorized: str) -> None:
        self.name, self.place = name, place
        self._dsn, self._staging, self._authorized = dsn, staging, authorized

    @contextmanager
    def reading(self) -> Iterator[RedshiftSession | None]:
        with self._connected() as session:
            yield session

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[RedshiftSession]:
        with self._connected() as session:
            self._staging.delete(list(self._staging.listed()))  # what a delivery that died has left
            yield session

    @contextmanager
    def _connected(self) -> Iterator[RedshiftSession]:
        """Errors may quote a value: their SQLSTATE alone is repeated."""
        try:
            connection = psycopg2.connect(connect_timeout=30, application_name="onefold", **self._dsn)
            try:
                connection.autocommit = True
                yield RedshiftSession(connection, self._staging, self._authorized)
            finally:
                connection.close()
        except OnefoldError:
            raise
        except psycopg2.Error as error:
            code = error.pgcode
            if isinstance(error, psycopg2.OperationalError) or "1023" in str(error):  # serializable isolation violation
                raise Retriable(
                    f"{self.name}: Redshift cannot be reached, or ended the session (SQLSTATE {code}). Readers see the "
                    "publish before; the next attempt begins again."
                ) from None
            raise Fatal(
                f"{self.name}: Redshift refused a statement (SQLSTATE {code}). Readers see the publish before. See "
                "sys_query_history and sys_load_error_detail there, and that the connection and the grants are those "
                "of docs/targets/redshift.md."
            ) from None


def redshift_target(name: str, endpoint: Endpoint) -> RedshiftTarget:
    """The database that an Airflow connection leads to. Raises Fatal where it lacks something."""
    parts, extra = urlsplit(endpoint.url), endpoint.extra or {}
    database, staging, role = parts.path.strip("/"), extra.get("staging", ""), extra.get("iam_role")
    if parts.scheme != "postgres" or not database or not staging.startswith("s3://") or not role:
        raise Fatal(
            f"{name}: the connection is no Redshift: it needs the type postgres, host, port, database (schema), login, "
            "password, and in its extra staging (s3://bucket/prefix), iam_role and region (docs/targets/redshift.md)."
        )
    dsn = {
        "host": parts.hostname or "",
        "port": str(parts.port or 5439),
        "dbname": database,
        "user": endpoint.login or "",
        "password": endpoint.password or "",
        "sslmode": extra.get("sslmode", "require"),
    }
    files = Endpoint(
        f"{staging.rstrip('/')}/{name}", extra.get("aws_access_key_id"), extra.get("aws_secret_access_key"), extra
    )
    dialect = RedshiftDialect()
    authorized = role if role == "default" else dialect.literal(role)
    if region := extra.get("region"):
        authorized += f" region {dialect.literal(region)}"
    return RedshiftTarget(name, f"redshift://{parts.netloc}", dsn, Bucket(name, files), authorized)
