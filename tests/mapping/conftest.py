"""What the tests of the mapping share."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from onefold.platform.postgres import Postgres
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.mapping.invoices import Map, mapping_on


@pytest.fixture(scope="module")  # no longer: a test of another module may stop the server
def server(postgres: Postgres) -> Iterator[psycopg.Connection]:
    """A connection to a warehouse, for expressions that need no table but those of the world's forms."""
    name = copy_database(postgres, TEMPLATE)
    with psycopg.connect(postgres.url(name), autocommit=True) as connection:
        yield connection
    drop_database(postgres, name)


@pytest.fixture
def mapped(server: psycopg.Connection) -> Map:
    """What the catalogue maps an invoice to."""
    return mapping_on(server)
