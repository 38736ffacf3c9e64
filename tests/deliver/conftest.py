from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deliver.world import World


@pytest.fixture
def world(warehouse_url: str) -> Iterator[World]:
    """A fresh warehouse, nothing published."""
    made = World(warehouse_url)
    yield made
    made.owner.close()
