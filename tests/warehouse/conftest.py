"""A warehouse as the last release before numbered migrations left it (fixtures/README.md)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from psycopg import sql

from onefold.platform.postgres import Postgres

Databases = Callable[[], AbstractContextManager[str]]


@pytest.fixture
def old_warehouses(postgres: Postgres, old_template: str) -> Databases:
    """Warehouses of the old release, as many as a test wants; each call gives the superuser's URL of another one."""
    return lambda: _copy(postgres, old_template)


@pytest.fixture
def empty_databases(postgres: Postgres) -> Databases:
    """Databases with nothing in them; the roles are there."""
    return lambda: _copy(postgres, "template0")


@pytest.fixture
def old_warehouse(old_warehouses: Databases) -> Iterator[str]:
    """One warehouse of the old release; the superuser's URL."""
    with old_warehouses() as url:
        yield url


@contextmanager
def _copy(postgres: Postgres, template: str) -> Iterator[str]:
    name = f"u_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as server:
        server.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    yield postgres.url(name)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as server:
        server.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
