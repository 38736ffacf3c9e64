from collections.abc import Iterator

import pytest

from tests.connectors import mariadb
from tests.http.web_server import WebServer, serving


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real MariaDB."""
    with mariadb.running(tmp_path_factory.mktemp("mariadb"), tmp_path_factory.mktemp("programs")) as port:
        yield port


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A source on a real socket, of which the test says what it answers."""
    with serving() as server:
        yield server
