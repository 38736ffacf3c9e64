"""What the tests of the peers share."""

from __future__ import annotations

import pytest

from tests.peers.node import Node, fetched


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Node.js, fetched once a session."""
    return fetched(tmp_path_factory.mktemp("node"))
