"""A warehouse that the tests of a module only read: filled once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from onefold.platform.postgres import Postgres
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database
from tests.load.shop import SUITE, Shop
from tests.roles import as_role


@contextmanager
def shop_of_a_module(postgres: Postgres, folders: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """A shop with a fresh warehouse, and the superuser's URL of it. Onefold's home is the shop's folder meanwhile."""
    name, folder = copy_database(postgres, TEMPLATE), folders.mktemp("shop")
    (folder / "shop__customer.yaml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEFOLD_HOME", str(folder))
        yield Shop(as_role(postgres.url(name), "onefold_loader"), folder), postgres.url(name)
    drop_database(postgres, name)
