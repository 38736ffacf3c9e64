"""A warehouse as the last release before numbered migrations left it (fixtures/README.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from onefold.platform.postgres import Postgres
from tests.databases import copy_database, drop_database

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
    name = copy_database(postgres, template, "u")
    yield postgres.url(name)
    drop_database(postgres, name)
