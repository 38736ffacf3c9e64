from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from onefold.conform import dbt_build
from onefold.conform.dbt_build import DbtProject
from onefold.platform.postgres import Postgres
from tests.conform.published import Published, publish
from tests.conform.world import World
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@pytest.fixture
def world(warehouse_url: str, loader_url: str) -> Iterator[World]:
    """A fresh warehouse with an entity to conform."""
    made = World(warehouse_url, loader_url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def published(postgres: Postgres, parsed_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
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
def parsed_once() -> Iterator[None]:
    """The project is parsed once a session, which takes seconds, and not once a database: a parsed model holds the
    database's name, which is as long for all of the tests'. A dry run has variables of its own, and other schemas.
    """
    parse, parsed = dbt_build._manifest, dict[tuple[Path, int, frozenset[str]], tuple[str, bytes]]()

    def manifest(project: DbtProject, common: list[str], database: str) -> Manifest:
        from dbt.contracts.graph.manifest import Manifest

        key = project.folder, len(database), frozenset(json.loads(common[common.index("--vars") + 1]))
        if key not in parsed:
            parsed[key] = database, parse(project, common, database).to_msgpack()
        first, content = parsed[key]
        return Manifest.from_msgpack(content.replace(first.encode(), database.encode()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dbt_build, "_manifest", manifest)
        yield
