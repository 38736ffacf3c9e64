from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.platform.postgres import Postgres
from tests.conform.world import World
from tests.databases import copy_database, drop_database
from tests.write_back.world import Outward


@pytest.fixture
def outward(
    postgres: Postgres, warehouse_url: str, loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Outward]:
    """A warehouse with golden records, and a database of an ERP that they are written into."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    name = copy_database(postgres, "template0", "erp")
    world = World(warehouse_url, loader_url)
    made = Outward(world, postgres.url(name))
    yield made
    world.close()
    drop_database(postgres, name)


@pytest.fixture
def crm(postgres: Postgres, outward: Outward) -> Iterator[Outward]:
    """Beside the ERP a database of a CRM, which is written into too."""
    name = copy_database(postgres, "template0", "crm")
    yield Outward(outward.world, postgres.url(name), "crm")
    drop_database(postgres, name)
