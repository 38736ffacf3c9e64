"""What the tests of the mapping share."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from onefold.platform.postgres import Postgres


@pytest.fixture(scope="session")
def server(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """A connection for expressions that need no table."""
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        yield connection
