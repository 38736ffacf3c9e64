"""The target that a file in catalog/warehouses names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from onefold.catalog.delivery_target import DeliveryTarget
from onefold.deliver.target import Target
from onefold.errors import Fatal
from onefold.http.endpoint import Endpoint


def open_target(said: DeliveryTarget, home: Path, endpoint: Callable[[str], Endpoint]) -> Target:
    """What it delivers to; nothing is connected yet. Raises Fatal where its connection is not what it needs."""
    if said.kind == "duckdb":
        from onefold.deliver.duckdb_file import DuckDbFile

        return DuckDbFile(said.warehouse, home / "deliveries" / str(said.path))
    if said.kind == "parquet":
        from onefold.deliver.parquet_folder import ParquetFolder

        return ParquetFolder(said.warehouse, home / "deliveries" / str(said.path))
    at = endpoint(str(said.connection))
    if said.kind == "s3":
        from onefold.deliver.bucket import Bucket
        from onefold.deliver.parquet_bucket import ParquetBucket

        return ParquetBucket(said.warehouse, Bucket(said.warehouse, at), home / "deliveries" / f".{said.warehouse}")
    if said.kind == "snowflake":
        from onefold.deliver.snowflake import snowflake_target

        return snowflake_target(said.warehouse, at)
    if said.kind == "bigquery":
        from onefold.deliver.bigquery import bigquery_target

        return bigquery_target(said.warehouse, at)
    if said.kind == "redshift":
        from onefold.deliver.redshift import redshift_target

        return redshift_target(said.warehouse, at)
    return _postgres(said, at)


def _postgres(said: DeliveryTarget, at: Endpoint) -> Target:
    from onefold.deliver.postgres import PostgresTarget

    parts = urlsplit(at.url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise Fatal(
            f"Airflow connection {said.connection!r} is not a PostgreSQL database: make it of type postgres, with "
            "host, database (schema), login and password."
        )
    user = f"{quote(at.login or '', safe='')}:{quote(at.password or '', safe='')}@"
    secured = f"?sslmode={quote(mode)}" if (mode := (at.extra or {}).get("sslmode")) else ""
    place = f"postgres://{parts.netloc}"
    return PostgresTarget(said.warehouse, f"postgresql://{user}{parts.netloc}{parts.path}{secured}", place)
