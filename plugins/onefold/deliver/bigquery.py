"""BigQuery: rows are loaded as Parquet into a table of texts beside, and taken over from there by one statement.

What is executed within a transaction is sent as one script at its end ("Multi-statement transactions", BigQuery's
documentation): such a transaction allows neither load jobs nor permanent DDL, so those go before it.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from uuid import uuid4

from onefold.deliver.clients import client_of
from onefold.deliver.dialect import DECIMALS, DIGITS, Dialect
from onefold.deliver.parquet_texts import name_of, parquet_texts
from onefold.deliver.table import BOOKKEEPING, Column, ColumnType, View
from onefold.deliver.target import Text
from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.http.endpoint import Endpoint

_ROWS = 10_000
_LOADING = "loading_"
_AGAIN = ("rateLimitExceeded", "jobRateLimitExceeded", "backendError", "jobBackendError", "quotaExceeded")
"""Reasons that go away by themselves."""


class BigQueryDialect(Dialect):
    """GoogleSQL. A schema is a dataset."""

    types: ClassVar[Mapping[ColumnType, str]] = {
        "text": "string",
        "integer": "int64",
        "numeric": f"numeric({DIGITS}, {DECIMALS})",
        "boolean": "bool",
        "date": "date",
        "timestamp": "timestamp",
    }
    reported: ClassVar[Mapping[ColumnType, frozenset[str]]] = {name: frozenset({kind}) for name, kind in types.items()}

    def quote(self, name: str) -> str:
        return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"

    def literal(self, text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
        return f"'{escaped}'"

    def columns_of(self, stored: str) -> str:
        return (
            f"select column_name, data_type from {self.quote(BOOKKEEPING)}.INFORMATION_SCHEMA.COLUMNS"
            f" where table_name = {self.literal(stored)}"
        )

    def text_of(self, column: str, kind: ColumnType) -> str:
        match kind:
            case "text":
                return column
            case "numeric":
                parts = f"split(cast({column} as string), '.')"
                decimals = f"rpad(ifnull({parts}[safe_offset(1)], ''), {DECIMALS}, '0')"
                return f"concat({parts}[safe_offset(0)], '.', {decimals})"
            case "timestamp":
                return f"concat(cast(date({column}) as string), format_timestamp(' %H:%M:%E6S', {column}))"
            case _:
                return f"cast({column} as string)"

    def md5(self, text: str) -> str:
        return f"to_hex(md5({text}))"

    def number_of(self, hexadecimal: str) -> str:
        """As a numeric: a sum of int64 would be too large soon."""
        return f"cast(cast(concat('0x', {hexadecimal}) as int64) as {self.types['numeric']})"

    def replace_view(self, view: View, query: str) -> list[str]:
        columns = ", ".join(
            f"{self.quote(name)} options(description = {self.literal(comment)})" for name, comment in view.described
        )
        name = self.table(view.name, view.schema)
        said = self.literal(view.comment)
        statements = [f"create or replace view {name} ({columns}) options(description = {said}) as {query}"]
        if view.history:
            function = self.table(view.name.removesuffix("_history") + "_as_of", view.schema)
            statements.append(
                f"create or replace table function {function}(publish int64) as select * from {name}"
                " where from_publish <= publish and (to_publish is null or to_publish > publish)"
            )
        return statements

    def comments(self, view: View) -> list[str]:
        return []

    def drop_view(self, schema: str, view: str) -> list[str]:
        function = self.table(view.removesuffix("_history") + "_as_of", schema)
        dropped = [f"drop view if exists {self.table(view, schema)}"]
        return [f"drop table function if exists {function}", *dropped] if view.endswith("_history") else dropped


class BigQuerySession:
    """A client of one project; every statement is a job."""

    dialect = BigQueryDialect()

    def __init__(self, client: Any) -> None:
        self._client = client
        self._collected: list[str] | None = None
        self._loaded: list[str] = []

    def execute(self, statement: str) -> int:
        """Within a transaction 0: it is not executed yet."""
        if self._collected is not None:
            self._collected.append(statement)
            return 0
        job = self._client.query(statement)
        job.result()
        return int(job.num_dml_affected_rows or 0)

    def rows(self, query: str) -> Iterator[tuple[object, ...]]:
        for row in self._client.query(query).result(page_size=_ROWS):
            yield tuple(int(value) if isinstance(value, Decimal) else value for value in row.values())

    def load(self, stored: str, columns: Sequence[Column], rows: Iterator[Sequence[Text]]) -> int:
        names = ", ".join(self.dialect.quote(each.name) for each in columns)
        values = ", ".join(self.dialect.from_text(name_of(at), each.type) for at, each in enumerate(columns))
        loading = f"{_LOADING}{len(self._loaded)}"
        written = 0
        with TemporaryDirectory() as folder:
            for path, count in parquet_texts(Path(folder), len(columns), rows):
                self._load_file(path, loading, len(columns), first=not written)
                written += count
        if written:
            self._loaded.append(loading)
            source = self.dialect.table(loading)
            self.execute(f"insert into {self.dialect.table(stored)} ({names}) select {values} from {source}")
        if self._collected is None:
            self.forget_loaded()
        return written

    def _load_file(self, path: Path, loading: str, width: int, *, first: bool) -> None:
        """Load a file into a table of texts. The job's id is ours, so that it is not done twice where an answer gets
        lost and it is sent again."""
        bigquery = client_of("bigquery")
        job_id = f"onefold-{uuid4().hex}"
        config = bigquery.LoadJobConfig(
            source_format="PARQUET",
            schema=[bigquery.SchemaField(name_of(at), "STRING") for at in range(width)],
            write_disposition="WRITE_TRUNCATE" if first else "WRITE_APPEND",
        )
        to = f"{self._client.project}.{BOOKKEEPING}.{loading}"
        with path.open("rb") as file:
            try:
                job = self._client.load_table_from_file(file, to, job_id=job_id, num_retries=3, job_config=config)
            except _errors().Conflict:
                job = self._client.get_job(job_id)
        job.result()

    def forget_loaded(self) -> None:
        """Drop the tables into which files were loaded, also those of a delivery that died."""
        self._loaded = []
        for table in self._client.list_tables(BOOKKEEPING):
            if table.table_id.startswith(_LOADING):
                self._client.delete_table(table, not_found_ok=True)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._collected = []
        try:
            yield
            statements, self._collected = self._collected, None
        finally:
            self._collected = None
        if statements:
            self.execute(";\n".join(["begin transaction", *statements, "commit transaction"]))
        if self._loaded:
            self.forget_loaded()


class BigQueryTarget:
    """The datasets of one project, in one location. `settings` are those of its client."""

    forgets_only_anew = False

    def __init__(self, name: str, place: str, settings: Mapping[str, object]) -> None:
        self.name, self.place, self._settings = name, place, settings

    @contextmanager
    def reading(self) -> Iterator[BigQuerySession | None]:
        with self._connected() as client:
            try:
                client.get_dataset(BOOKKEEPING)
            except _errors().NotFound:
                yield None
            else:
                yield BigQuerySession(client)

    @contextmanager
    def writing(self, *, anew: bool = False) -> Iterator[BigQuerySession]:
        with self._connected() as client:
            session = BigQuerySession(client)
            session.execute(f"create schema if not exists {session.dialect.quote(BOOKKEEPING)}")
            session.forget_loaded()
            yield session

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Errors may quote a value: their kind and reason alone are repeated."""
        bigquery, errors = client_of("bigquery"), _errors()
        signing_in = importlib.import_module("google.auth.exceptions").GoogleAuthError
        try:
            client = bigquery.Client(**self._settings)
            try:
                yield client
            finally:
                client.close()
        except OnefoldError:
            raise
        except errors.GoogleAPICallError as error:
            reason = str((error.errors or [{}])[0].get("reason", ""))
            text = f"BigQuery answered {error.code} {reason} ({type(error).__name__})"
            if (error.code or 0) >= 500 or error.code == 429 or reason in _AGAIN or "concurrent" in str(error):
                raise Retriable(
                    f"{self.name}: {text}. Readers see the publish before; the next attempt begins again."
                ) from None
            raise Fatal(
                f"{self.name}: {text}. Readers see the publish before. See the job in the project's history, and that "
                "the connection and the account's roles are those of docs/targets/bigquery.md."
            ) from None
        except (signing_in, errors.RetryError, OSError) as error:
            raise Retriable(
                f"{self.name}: BigQuery cannot be reached, or the sign-in failed ({type(error).__name__}). Readers see "
                "the publish before; the next attempt begins again."
            ) from None


def bigquery_target(name: str, endpoint: Endpoint) -> BigQueryTarget:
    """The project that an Airflow connection leads to. Raises Fatal where it lacks something."""
    extra = endpoint.extra or {}
    if not extra.get("project") or not extra.get("location"):
        raise Fatal(
            f"{name}: the connection is no BigQuery: it needs the host https://bigquery.googleapis.com, and in its "
            "extra project and location (docs/targets/bigquery.md)."
        )
    settings = {
        "project": extra["project"],
        "location": extra["location"],
        "client_options": {"api_endpoint": endpoint.url},
    }
    if key := extra.get("keyfile_dict"):
        settings["credentials"] = _credentials(name, key)
    return BigQueryTarget(name, f"bigquery://{extra['project']}", settings)


def _errors() -> Any:
    return importlib.import_module("google.api_core.exceptions")


def _credentials(name: str, key: str) -> Any:
    """Of a service account's key; without one the client looks where all of Google's tools do."""
    client_of("bigquery")
    accounts = importlib.import_module("google.oauth2.service_account")
    try:
        return accounts.Credentials.from_service_account_info(
            json.loads(key), scopes=["https://www.googleapis.com/auth/bigquery"]
        )
    except ValueError as error:
        raise Fatal(
            f"{name}: keyfile_dict in the connection's extra is not the key of a service account, as JSON text."
        ) from error
