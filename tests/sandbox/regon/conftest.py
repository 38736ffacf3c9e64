"""REGON's stand-in served over a small world, and a zeep client of it."""

from collections.abc import Iterator

import pytest
import zeep

from sandbox.regon import api as regon
from sandbox.world import World
from tests.sandbox.regon.calls import KEY, PATH
from tests.sandbox.serving import served


@pytest.fixture(scope="module")
def world() -> World:
    return World(companies=1200, seed=7)


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    with served("/regon", regon.routes(world)) as url:
        yield url


@pytest.fixture
def client(url: str) -> zeep.Client:
    """Zeep on the served contract, logged in; it adds the addressing headers that the contract asks for."""
    client = zeep.Client(f"{url}{PATH}?wsdl")
    client.transport.session.headers["sid"] = client.service.Zaloguj(KEY)
    return client
