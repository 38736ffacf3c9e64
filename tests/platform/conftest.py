"""Folders, ports and throw-away processes of the platform's tests."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from onefold.platform.postgres import Postgres, free_port
from onefold.platform.postgres_account import delete_data

FAST = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "20", "reserved_connections": "4"}


@contextmanager
def reachable_home() -> Iterator[Path]:
    """A home that the unprivileged account of a test run as root can reach (pytest's own folders are 0700)."""
    folder = Path(tempfile.mkdtemp(prefix="onefold-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of the test's own."""
    with reachable_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[Postgres]:
    """A small cluster for tests that leave it as it was, but for whether it runs."""
    with reachable_home() as home:
        cluster = Postgres(home, free_port(), FAST)
        cluster.start()
        yield cluster
        cluster.stop()
        delete_data(home)


@pytest.fixture
def cluster(shared_cluster: Postgres) -> Postgres:
    """The shared cluster, running."""
    shared_cluster.start()
    return shared_cluster


@pytest.fixture
def start_postgres() -> Iterator[Callable[[Path], Postgres]]:
    """Starts clusters that are small and end with the test."""
    clusters: list[Postgres] = []

    def start(home: Path, port: int | None = None) -> Postgres:
        cluster = Postgres(home, port or free_port(), FAST)
        clusters.append(cluster)
        cluster.start()
        return cluster

    yield start
    for cluster in clusters:
        cluster.stop()
        delete_data(cluster.home)
