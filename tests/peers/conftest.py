"""What the tests of the peers share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.platform.postgres import Postgres
from tests.conform.published import Published, published_in
from tests.connectors.cdc.postgres.conftest import log, log_server
from tests.debian import unpack
from tests.deliver.conftest import world
from tests.load.conftest import shop
from tests.parsed_dbt import Parse
from tests.peers import debezium_engine
from tests.peers.debezium_engine import Engine
from tests.peers.node import Node, fetched

__all__ = ["log", "log_server", "shop", "world"]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Node.js, fetched once a session."""
    return fetched(tmp_path_factory.mktemp("node"))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Debezium's engine, fetched once a session."""
    return debezium_engine.fetched(tmp_path_factory.mktemp("debezium"))


@pytest.fixture(scope="session")
def promtool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prometheus' own tool, beside the server: installed, or fetched once a session."""
    if found := shutil.which("promtool"):
        return Path(found)
    cache = tmp_path_factory.mktemp("prometheus")
    unpack("prometheus", cache, needs="")
    return cache / "usr" / "bin" / "promtool"


@pytest.fixture(scope="session")
def published(postgres: Postgres, parsed_once: Parse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """A warehouse with golden records and marts, for tests that only look."""
    with published_in(postgres, tmp_path_factory.mktemp("published")) as made:
        yield made
