from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from onefold.load.staging import ensure_all_staging
from onefold.platform.postgres import Postgres
from onefold.warehouse.schema import upgrade_schema
from tests.conform.every_stream import CATALOG, FEEDS, FEW, Warehouse
from tests.conform.published import Published, published_in
from tests.conform.world import World
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
    with published_in(postgres, tmp_path_factory.mktemp("published")) as made:
        yield made


@pytest.fixture(scope="session", autouse=True)
def _parsed_once(parsed_once: Parse) -> None:
    """No test here is about how long dbt parses."""


@pytest.fixture
def every_stream(every_stream_at: tuple[Warehouse, Path], monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """Every stream of the catalogue, loaded and conformed once; the tests that share it change single records."""
    warehouse, home = every_stream_at
    monkeypatch.setenv("ONEFOLD_HOME", str(home))  # for this test alone: others of the worker have other anchors
    return warehouse


@pytest.fixture(scope="session")
def every_stream_at(
    postgres: Postgres, old_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, Path]]:
    """The warehouse of `every_stream`, and its home."""
    name = copy_database(postgres, old_template, "o")
    url = postgres.url(name)
    upgrade_schema(url)
    made = Warehouse(url)
    ensure_all_staging(made.loader, CATALOG)
    with psycopg.connect(url) as owner:
        for stream in FEEDS:
            owner.execute(
                sql.SQL("delete from {0} where _key not in (select _key from {0} order by _key limit {1})").format(
                    sql.Identifier("staging", stream.replace(".", "__")), sql.Literal(FEW)
                )
            )
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ONEFOLD_HOME", str(home))
        made.conform(judged=False)
    yield made, home
    drop_database(postgres, name)
