"""Emulators of warehouses in a cloud, each in an environment of its own, and the targets that lead to them.

What they cannot say of the real ones stands in docs/targets."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

import duckdb
import psycopg2

from onefold.deliver.bigquery import BigQueryTarget
from onefold.deliver.bucket import Bucket
from onefold.deliver.parquet_bucket import ParquetBucket
from onefold.deliver.redshift import RedshiftTarget
from onefold.deliver.snowflake import SnowflakeTarget
from onefold.deliver.target import Target
from onefold.http.endpoint import Endpoint
from onefold.platform.postgres import free_port
from tests.foreign_server import answers_http, started
from tests.peers.environment import environment

HERE = Path(__file__).parent
KEY, SECRET, REGION = "key", "secret", "eu-central-1"
_PYTHON = {"redshift": "3.12"}


@dataclass(frozen=True)
class There:
    """A warehouse of one kind, at these ports of 127.0.0.1; `name` sets it apart from others in the same emulator.
    Another process may be given it."""

    kind: str
    name: str
    port: int
    bucket_port: int
    folder: str

    @property
    def target(self) -> Target:
        match self.kind:
            case "snowflake":
                return SnowflakeTarget("here", "snowflake://here", self._snowflake)
            case "bigquery":
                return BigQueryTarget("here", "bigquery://here", self._bigquery)
            case "redshift":
                staging = Bucket("here", self._files(f"staging/{self.name}"))
                return RedshiftTarget("here", "redshift://here", self._redshift, staging, "'arn:role'")
            case _:
                bucket = Bucket("here", self._files(self.name))
                return ParquetBucket("here", bucket, Path(self.folder) / "state")

    def ask(self, query: str) -> list[tuple]:
        """What an analyst's query gives there."""
        match self.kind:
            case "snowflake":
                import snowflake.connector

                with snowflake.connector.connect(**self._snowflake) as connection, connection.cursor() as cursor:
                    return [tuple(row) for row in cursor.execute(query).fetchall()]
            case "bigquery":
                from google.cloud import bigquery

                return [tuple(row.values()) for row in bigquery.Client(**self._bigquery).query(query).result()]
            case "redshift":
                connection = psycopg2.connect(**self._redshift)
                try:
                    with connection.cursor() as cursor:
                        cursor.execute(query)
                        return cursor.fetchall()
                finally:
                    connection.close()
            case _:
                return self._ask_files(query)

    def ask_views(self, query: str) -> list[list]:
        """What DuckDB's own client of S3 gives, by views.sql of the bucket alone."""
        python, place = environment("warehouses/s3") / "python", f"s3://lake/{self.name}/views.sql"
        at = (f"127.0.0.1:{self.bucket_port}", KEY, SECRET, REGION, place, query)
        environ = {"HOME": self.folder, "PATH": os.environ["PATH"]}
        asked = subprocess.run(
            [python, HERE / "duckdb_reads_s3.py", *at], capture_output=True, env=environ, timeout=120
        )
        assert asked.returncode == 0, asked.stderr.decode()
        return json.loads(asked.stdout)

    def prepare(self) -> None:
        """What an administrator has made before the first delivery; nothing of another test is left."""
        if self.kind == "snowflake":
            self.ask(f"create database if not exists {self.name}")
        if self.kind == "redshift":
            with self.target.writing() as session:
                for schema in ("conformed", "marts", "onefold"):
                    session.execute(f"drop schema if exists {schema} cascade")

    def end_left_transactions(self) -> None:
        """What Snowflake does itself, once a transaction whose client is gone has kept another waiting for a while."""
        if self.kind == "snowflake":
            self.ask("select 'end left transactions'")

    def value(self, value: object) -> object:
        """A value as this kind's client gives it: the emulator of Redshift says every type is text."""
        if self.kind != "redshift":
            return value
        return f"{value:.9f}" if isinstance(value, Decimal) else str(value)

    def stored(self, table: str, column: str) -> set[object]:
        """Every value of a column that some version has."""
        with self.target.reading() as session:
            dialect = session.dialect
            return {row[0] for row in session.rows(f"select {dialect.quote(column)} from {dialect.table(table)}")}

    def files_with(self, text: str) -> list[str]:
        """The objects in which a text stands."""
        bucket = Bucket("here", self._files(self.name))
        return [key for key in bucket.listed() if text.encode() in _uncompressed(bucket, key)]

    def _ask_files(self, query: str) -> list[tuple]:
        """Of the files that published.json names, fetched; asked again where one was deleted meanwhile."""
        bucket = Bucket("here", self._files(self.name))
        while True:
            found = bucket.read("published.json")
            with TemporaryDirectory() as folder, duckdb.connect() as connection:
                for name, each in json.loads(found[0])["views"].items():
                    content = bucket.read(each["file"])
                    if content is None:
                        break
                    (path := Path(folder) / each["file"].replace("/", ".")).write_bytes(content[0])
                    connection.execute(f"create schema if not exists {name.partition('.')[0]}")
                    connection.execute(f"create table {name} as select * from '{path}'")
                else:
                    return connection.execute(query).fetchall()

    def _files(self, folder: str) -> Endpoint:
        extra = {"endpoint_url": f"http://127.0.0.1:{self.bucket_port}", "region": REGION}
        return Endpoint(f"s3://lake/{folder}", KEY, SECRET, extra)

    @property
    def _snowflake(self) -> dict[str, object]:
        at = {"host": "127.0.0.1", "port": self.port, "protocol": "http", "account": "here", "user": "u"}
        said = {"CLIENT_TELEMETRY_ENABLED": False}
        limits = {"login_timeout": 20, "network_timeout": 20}
        return {**at, **limits, "password": "p", "database": self.name.upper(), "session_parameters": said}

    @property
    def _bigquery(self) -> dict[str, object]:
        from google.auth.credentials import AnonymousCredentials

        at = {"client_options": {"api_endpoint": f"http://127.0.0.1:{self.port}"}, "location": "EU"}
        return {**at, "project": self.name.replace("_", "-"), "credentials": AnonymousCredentials()}

    @property
    def _redshift(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.port, "dbname": self.name, "user": "u", "sslmode": "disable"}


def _uncompressed(bucket: Bucket, key: str) -> bytes:
    content = bucket.read(key)[0]
    if not key.endswith(".parquet"):
        return content
    with NamedTemporaryFile(suffix=".parquet") as file, duckdb.connect() as connection:
        file.write(content)
        file.flush()
        return repr(connection.read_parquet(file.name).fetchall()).encode()


@contextmanager
def moto(folder: Path) -> Iterator[int]:
    """An S3 with an empty bucket, lake; gives its port."""
    port, log = free_port(), folder / "moto.log"
    program = environment("warehouses/s3") / "moto_server"
    with log.open("wb") as out:
        server = subprocess.Popen([program, "-p", str(port)], stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    with started(server, log, lambda: answers_http(f"{url}/moto-api/")):
        import botocore.session

        client = botocore.session.get_session().create_client(
            "s3", region_name=REGION, endpoint_url=url, aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )
        client.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
        yield port


@contextmanager
def emulated(kind: str, folder: Path) -> Iterator[There]:
    """The emulator of one kind of warehouse, empty."""
    with ExitStack() as stack:
        bucket_port = stack.enter_context(moto(folder)) if kind in ("s3", "redshift") else 0
        if kind == "s3":
            yield There(kind, "here", 0, bucket_port, str(folder))
            return
        port, log = free_port(), folder / f"{kind}.log"
        python = environment(f"warehouses/{kind}", _PYTHON.get(kind, "3.11")) / "python"
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": REGION}
        with log.open("wb") as out:
            server = subprocess.Popen(
                [python, HERE / f"{kind}_server.py", str(port)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(folder),
                    "AWS_ENDPOINT_URL": f"http://127.0.0.1:{bucket_port}",
                    **keys,
                },
            )
        there = There(kind, "here", port, bucket_port, str(folder))
        stack.enter_context(started(server, log, lambda: _answers(there)))
        yield there


def _answers(there: There) -> bool:
    if there.kind != "redshift":
        return answers_http(f"http://127.0.0.1:{there.port}/")
    try:
        psycopg2.connect(**there._redshift).close()
    except psycopg2.OperationalError:
        return False
    return True
