"""The sandbox's world, loaded whole and mapped, once a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from onefold.load.staging import ensure_all_staging
from onefold.platform.postgres import Postgres
from onefold.platform.sandbox_database import NAMES, create_databases, reader
from onefold.platform.secrets import load_secrets
from sandbox.process import Sandbox, running
from tests.acceptance.bench import Bench
from tests.acceptance.streams import CATALOG, LISTING, LOOKUPS
from tests.conform.every_stream import Warehouse
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database

COMPANIES = 400


@dataclass(frozen=True)
class LoadedWorld:
    """A warehouse in which every stream of the sandbox was loaded and mapped, and the sandbox."""

    warehouse: Warehouse
    sandbox: Sandbox


@pytest.fixture(scope="session")
def loaded_world(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedWorld]:
    """Some 40 s."""
    home = tmp_path_factory.mktemp("loaded_world")
    name = copy_database(postgres, TEMPLATE, "m")
    create_databases(postgres.url(), load_secrets(postgres.home).database)
    filled = {f"SANDBOX_{each.upper()}_URL": postgres.url(each, each) for each in NAMES}
    read = {each: postgres.url(each, reader(each)) for each in NAMES}
    environment = {"SANDBOX_SHOP_POINTS": "1e9"} | filled
    with running(home / "sandbox", COMPANIES, environment=environment, databases=read) as sandbox:
        bench, warehouse = Bench(sandbox, postgres.url(name), home / "home"), Warehouse(postgres.url(name))
        ensure_all_staging(warehouse.loader, CATALOG)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ONEFOLD_HOME", str(home / "home"))
            for listed in (*LISTING, *LOOKUPS):
                bench.load(listed)
            warehouse.conform(judged=False)
        yield LoadedWorld(warehouse, sandbox)
    drop_database(postgres, name)
