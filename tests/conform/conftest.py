from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from onefold.platform.postgres import Postgres
from tests.conform.published import Published, publish
from tests.conform.world import World
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.parsed_dbt import Parse


@pytest.fixture
def world(warehouse_url: str, loader_url: str) -> Iterator[World]:
    """A fresh warehouse with an entity to conform."""
    made = World(warehouse_url, loader_url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def published(postgres: Postgres, parsed_once: Parse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """What came of everything that the world lawfully sends; for tests that only look."""
    name, home = copy_database(postgres, TEMPLATE), tmp_path_factory.mktemp("published")
    url = postgres.url(name)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONEFOLD_HOME", str(home))
        report = publish(url, home / "dbt")
    with psycopg.connect(url, autocommit=True) as connection:
        yield Published(url, connection, report)
    drop_database(postgres, name)


@pytest.fixture(scope="session", autouse=True)
def _parsed_once(parsed_once: Parse) -> None:
    """No test here is about how long dbt parses."""
