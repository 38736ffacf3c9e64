"""A connection to the warehouse for the command line, as one of its roles."""

from __future__ import annotations

from typing import Literal

import psycopg

from onefold.errors import Fatal
from onefold.platform.airflow import WAREHOUSE_DATABASE
from onefold.platform.postgres import Postgres
from onefold.settings import API_URLS, METRICS_URL, RECEIVER_URL, secret, settings, with_verified_tls
from onefold.warehouse.connection import connect

Role = Literal["loader", "engineer", "analyst", "auditor"]


def connect_as(role: Role, *, autocommit: bool = False) -> psycopg.Connection:
    """Sign in to the warehouse at url_as(). Raises Fatal when it does not run, Retriable when it refuses."""
    return connect(url_as(role), autocommit=autocommit)


def url_as(role: Role) -> str:
    """This installation's warehouse; where ONEFOLD_WAREHOUSE_URL is set, that one as the user it names.

    Raises Fatal when the warehouse does not run.
    """
    if url := secret("ONEFOLD_WAREHOUSE_URL"):
        return with_verified_tls(url)
    return _here(f"onefold_{role}")


def receiver_url() -> str:
    """The warehouse as the role that only adds to the inbox: ONEFOLD_RECEIVER_URL, or this installation's.

    Raises Fatal when the warehouse does not run.
    """
    url = secret(RECEIVER_URL)
    return with_verified_tls(url) if url else _here("onefold_receiver")


def api_urls() -> tuple[str, str]:
    """The warehouse as the register API reads it and writes to it: ONEFOLD_API_URL and ONEFOLD_API_WRITER_URL, or this
    installation's. Raises Fatal when the warehouse does not run."""
    read, written = (
        with_verified_tls(url) if (url := secret(name)) else _here(role)
        for name, role in zip(API_URLS, ("onefold_api", "onefold_api_writer"), strict=True)
    )
    return read, written


def metrics_url() -> str:
    """The warehouse as the metrics read it: ONEFOLD_METRICS_URL, or as the auditor finds it.

    Raises Fatal when the warehouse does not run.
    """
    url = secret(METRICS_URL)
    return with_verified_tls(url) if url else url_as("auditor")


def superuser_url() -> str:
    """The warehouse as the server's superuser: this installation's, or where POSTGRES_URL says (docker-compose).

    Raises Fatal when the warehouse does not run.
    """
    if url := secret("POSTGRES_URL"):
        return psycopg.conninfo.make_conninfo(with_verified_tls(url), dbname=WAREHOUSE_DATABASE)
    return _here()


def _here(role: str | None = None) -> str:
    here = settings()
    postgres = Postgres(here.home, here.pg_port)
    if not postgres.running():
        raise Fatal("The warehouse does not run. Start it with `bin/onefold up`.")
    return postgres.url(WAREHOUSE_DATABASE, role) if role else postgres.url(WAREHOUSE_DATABASE)
