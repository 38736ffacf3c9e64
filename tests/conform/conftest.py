from collections.abc import Iterator

import pytest

from tests.conform.world import World


@pytest.fixture
def world(warehouse_url: str, loader_url: str) -> Iterator[World]:
    """A fresh warehouse with an entity to conform."""
    made = World(warehouse_url, loader_url)
    yield made
    made.close()
