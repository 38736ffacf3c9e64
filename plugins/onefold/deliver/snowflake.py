"""Snowflake: rows are put into a stage of Onefold's own as Parquet and copied from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

from onefold.deliver.clients import client_of
from onefold.deliver.dialect import DECIMALS, DIGITS, Dialect
from onefold.deliver.parquet_texts import name_of, parquet_texts
from onefold.deliver.table import BOOKKEEPING, Column, ColumnType, View
from onefold.deliver.target import Text
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.http.endpoint import Endpoint

_ROWS = 10_000
_STAGE = "loading"
_HOST = ".snowflakecomputing.com"
_SESSION = {"TIMEZONE": "UTC", "CLIENT_TELEMETRY_ENABLED": False, "QUERY_TAG": "onefold"}


class SnowflakeDialect(Dialect):
    """Snowflake. Names are in capitals, so that analysts need no quotes."""

    types: ClassVar[Mapping[ColumnType, str]] = {
        "text": "varchar",
        "integer": "number(38, 0)",
        "numeric": f"number({DIGITS}, {DECIMALS})",
        "boolean": "boolean",
        "date": "date",
        "timestamp": "timestamp_ntz(6)",
    }
    reported: ClassVar[Mapping[ColumnType, frozenset[str]]] = {
        "text": frozenset({"text"}),
        "integer": frozenset({"number 0"}),
        "numeric": frozenset({f"number {DECIMALS}"}),
        "boolean": frozenset({"boolean"}),
        "date": frozenset({"date"}),
        "timestamp": frozenset({"timestamp_ntz"}),
    }
    row_bytes: ClassVar[int | None] = 16_777_216

    def quote(self, name: str) -> str:
        return super().quote(name.upper())

    def catalogued(self, name: str) -> str:
        return name.upper()

    def columns_of(self, stored: str) -> str:
        """A number's type is told with its decimals."""
        kind = "data_type || coalesce(' ' || numeric_scale::varchar, '')"
        return super().columns_of(stored).replace("data_type", kind, 1)

    def literal(self, text: str) -> str:
        return super().literal(text.replace("\\", "\\\\"))

    def text_of(self, column: str, kind: ColumnType) -> str:
        match kind:
            case "text":
                return column
            case "date":
                return f"to_varchar({column}, 'YYYY-MM-DD')"
            case "timestamp":
                return f"to_varchar({column}, 'YYYY-MM-DD HH24:MI:SS.FF6')"
            case _:
                return f"{column}::varchar"

    def number_of(self, hexadecimal: str) -> str:
        return f"to_number(lpad({hexadecimal}, 13, '0'), 'XXXXXXXXXXXXX')"

    def replace_view(self, view: View, query: str) -> list[str]:
        """Who could read the view may read it again; its comments are part of it."""
        columns = ", ".join(
            f"{self.quote(name)} comment {self.literal(comment)}" if comment else self.quote(name)
            for name, comment in view.described
        )
        name = self.table(view.name, view.schema)
        return [
            f"create or replace view {name} ({columns}) copy grants comment = {self.literal(view.comment)} as {query}"
        ]

    def comments(self, view: View) -> list[str]:
        return []

    def drop_view(self, schema: str, view: str) -> list[str]:
        return [f"drop view if exists {self.table(view, schema)}"]

    @property
    def stage(self) -> str:
        """Where files wait to be copied."""
        return f"@{self.table(_STAGE)}"


class SnowflakeSession:
    """A connection. DDL ends a transaction in Snowflake: within transaction() there is none."""

    dialect = SnowflakeDialect()

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return max(cursor.rowcount or 0, 0) if statement.startswith(("insert", "update", "delete")) else 0

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            while some := cursor.fetchmany(_ROWS):
                yield from some

    def load(self, stored: str, columns: Sequence[Column], rows: Iterator[Sequence[Text]]) -> int:
        names = ", ".join(self.dialect.quote(each.name) for each in columns)
        values = ", ".join(
            self.dialect.from_text(f"$1:{name_of(at)}::varchar", each.type) for at, each in enumerate(columns)
        )
        written = 0
        with TemporaryDirectory() as folder:
            for path, count in parquet_texts(Path(folder), len(columns), rows):
                unique = path.rename(path.with_name(f"{uuid4().hex}.parquet"))  # one name is copied once
                self.execute(f"put 'file://{unique}' {self.dialect.stage} auto_compress = false")
                self.execute(
                    f"copy into {self.dialect.table(stored)} ({names})"
                    f" from (select {values} from {self.dialect.stage}/{unique.name})"
                    " file_format = (type = parquet) on_error = abort_statement purge = true"
                )
                unique.rename(path)
                written += count
        return written

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("begin")
        try:
            yield
        except BaseException:
            self.execute("rollback")
            raise
        self.execute("commit")


class SnowflakeTarget:
    """A database of Snowflake. `settings` are those of its client: account, user, role, database, warehouse."""

    forgets_only_anew = False

    def __init__(self, name: str, place: str, settings: Mapping[str, object]) -> None:
        self.name, self.place, self._settings = name, place, settings

    @contextmanager
    def reading(self) -> Iterator[SnowflakeSession | None]:
        with self._connected() as session:
            yield session

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[SnowflakeSession]:
        with self._connected() as session:
            dialect = session.dialect
            session.execute(f"create schema if not exists {dialect.quote(BOOKKEEPING)}")
            session.execute(f"create stage if not exists {dialect.table(_STAGE)}")
            session.execute(f"remove {dialect.stage}")  # what a delivery that died has left
            yield session

    @contextmanager
    def _connected(self) -> Iterator[SnowflakeSession]:
        """Errors may quote a value: their numbers alone are repeated."""
        connector = client_of("snowflake")
        try:
            with connector.connect(**self._settings) as connection:
                yield SnowflakeSession(connection)
        except OnefoldError:
            raise
        except (connector.errors.OperationalError, connector.errors.InterfaceError) as error:
            raise Retriable(
                f"{self.name}: Snowflake cannot be reached, or ended the session (error {error.errno}). Readers see "
                "the publish before; the next attempt begins again."
            ) from None
        except connector.errors.Error as error:
            raise Fatal(
                f"{self.name}: Snowflake refused (error {error.errno}, SQLSTATE {error.sqlstate}, query {error.sfqid})."
                " Readers see the publish before. See the query in Snowflake's history, and that the connection and "
                "the role's grants are those of docs/targets/snowflake.md."
            ) from None


def snowflake_target(name: str, endpoint: Endpoint) -> SnowflakeTarget:
    """The database that an Airflow connection leads to. Raises Fatal where it lacks something."""
    host, extra = urlsplit(endpoint.url).hostname or "", endpoint.extra or {}
    needed = {"login": endpoint.login, "database": extra.get("database"), "warehouse": extra.get("warehouse")}
    key = extra.get("private_key_content")
    if not host.endswith(_HOST) or not all(needed.values()) or not (key or endpoint.password):
        raise Fatal(
            f"{name}: the connection is no Snowflake: it needs the host ACCOUNT{_HOST}, a login, a password or in its "
            "extra private_key_content, and there database and warehouse (docs/targets/snowflake.md)."
        )
    secret: tuple[str, object] = (
        ("private_key", _private_key(name, key, endpoint.password)) if key else ("password", endpoint.password)
    )
    settings = {
        "account": host.removesuffix(_HOST),
        "host": host,
        "user": endpoint.login,
        secret[0]: secret[1],
        **{each: extra[each] for each in ("database", "warehouse", "role") if extra.get(each)},
        "login_timeout": 30,
        "network_timeout": 600,
        "session_parameters": _SESSION,
    }
    return SnowflakeTarget(name, f"snowflake://{host}", settings)


def _private_key(name: str, content: str, password: str | None) -> bytes:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    try:
        key = load_pem_private_key(content.encode(), password.encode() if password else None)
    except (ValueError, TypeError) as error:
        raise Fatal(
            f"{name}: private_key_content in the connection's extra is no private key in PEM, or the connection's "
            "password is not its passphrase."
        ) from error
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
