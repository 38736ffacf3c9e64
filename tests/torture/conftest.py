"""A PostgreSQL of its own, for it is stopped, limited and filled up. `make torture` sets ONEFOLD_TORTURE=full."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data
from onefold.warehouse.install import install
from tests.conftest import TEMPLATE
from tests.databases import tablespace_in_memory
from tests.effort import TORTURE
from tests.roles import PASSWORDS
from tests.torture.wire import Wire
from tests.torture.world import World


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether every moment is tried, or few enough of them for `make test`."""
    return TORTURE


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Without autovacuum, whose sessions would be mistaken for those of the dead; without fsync, since the machine
    itself does not crash. The processes that are forked from this one need not import Great Expectations each."""
    importlib.import_module("great_expectations")
    server = Postgres(
        tmp_path_factory.mktemp("tortured"),
        free_port(),
        {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "shared_buffers": "64MB"},
    )
    server.start()
    install(server.url("postgres"), PASSWORDS, TEMPLATE)
    with tablespace_in_memory(server):
        yield World(server, tmp_path_factory.mktemp("warehouses"))
    server.stop()
    delete_data(server.home)


@pytest.fixture
def wire(world: World) -> Iterator[Wire]:
    """The way to the server that the loading process takes."""
    wire = Wire(world.server.port)
    yield wire
    wire.close()
