"""With ONEFOLD_DATABASE_CA no connection to the warehouse goes out in plain text or to another server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from onefold.conform.dbt_build import _environment
from onefold.errors import Fatal, Retriable
from onefold.quality.gate import _gx_url
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect
from tests.warehouse import ssl_postgres
from tests.warehouse.tls_server import certificate, tls_in_front_of


def at(url: str, port: int) -> str:
    before, _, database = url.rpartition("/")
    return f"{before.rpartition(':')[0]}:{port}/{database}"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    public, private = certificate(tmp_path / "right", "127.0.0.1")
    monkeypatch.setenv("ONEFOLD_DATABASE_CA", str(public))
    return public, private


def test_every_driver_checks_the_server(
    loader_url: str, authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(loader_url.rpartition(":")[2].partition("/")[0])
    with tls_in_front_of(port, *authority) as tls:
        monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", at(loader_url, tls))
        with connect(warehouse_url()) as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.execute("select current_user").fetchone() == ("onefold_loader",)
        gx = psycopg2.connect(_gx_url(warehouse_url()).replace("+psycopg2", ""))
        assert gx.info.ssl_in_use
        gx.close()
        with _environment(warehouse_url()):
            assert (os.environ["PGSSLMODE"], os.environ["PGSSLROOTCERT"]) == ("verify-full", str(authority[0]))
            dbt = psycopg2.connect(
                host=os.environ["ONEFOLD_PG_HOST"],
                port=os.environ["ONEFOLD_PG_PORT"],
                user=os.environ["ONEFOLD_PG_USER"],
                password=os.environ["ONEFOLD_PG_PASSWORD"],
                dbname=os.environ["ONEFOLD_PG_DATABASE"],
            )
            assert dbt.info.ssl_in_use
            dbt.close()
        assert "PGSSLMODE" not in os.environ


def test_a_server_without_tls_is_refused(
    loader_url: str, authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded server is one: it was built without SSL."""
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", loader_url)
    with pytest.raises(Retriable, match="SSL"):
        connect(warehouse_url())


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9"], ids=["another authority", "another server's name"])
def test_another_server_is_refused(
    loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    shown = certificate(tmp_path / "shown", address)
    trusted = certificate(tmp_path / "trusted", "127.0.0.1")[0] if address == "127.0.0.1" else shown[0]
    monkeypatch.setenv("ONEFOLD_DATABASE_CA", str(trusted))
    port = int(loader_url.rpartition(":")[2].partition("/")[0])
    with tls_in_front_of(port, *shown) as tls:
        monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", at(loader_url, tls))
        with pytest.raises(Retriable, match="certificate"):
            connect(warehouse_url())


def test_a_weaker_url_or_a_missing_file_is_refused(
    authority: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", "postgresql://loader:word@db/warehouse?sslmode=prefer")
    with pytest.raises(Fatal, match="sslmode=prefer"):
        warehouse_url()
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", "postgresql://loader:word@db/warehouse?connect_timeout=3")
    assert warehouse_url().startswith("postgresql://loader:word@db/warehouse?connect_timeout=3&sslmode=verify-full&")
    monkeypatch.setenv("ONEFOLD_DATABASE_CA", "/no/such/file")
    with pytest.raises(Fatal, match="is not a file"):
        warehouse_url()


@pytest.fixture
def real_server(authority: tuple[Path, Path]) -> Iterator[str]:
    """The URL of a PostgreSQL that was built with SSL, and takes nothing else."""
    with ssl_postgres.running(*authority) as port:
        yield f"postgresql://{ssl_postgres.USER}:word@127.0.0.1:{port}/postgres"


def test_every_driver_checks_a_real_server_with_ssl(
    real_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", real_server)
    with connect(warehouse_url()) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone() == (True,)
    gx = psycopg2.connect(_gx_url(warehouse_url()).replace("+psycopg2", ""))
    assert gx.info.ssl_in_use
    gx.close()
    with pytest.raises(psycopg2.OperationalError, match="no encryption"):
        psycopg2.connect(f"{real_server}?sslmode=disable")
    monkeypatch.setenv("ONEFOLD_DATABASE_CA", str(certificate(tmp_path / "another", "127.0.0.1")[0]))
    with pytest.raises(Retriable, match="certificate"):
        connect(warehouse_url())
