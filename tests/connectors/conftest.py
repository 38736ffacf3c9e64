from collections.abc import Iterator

import pytest

from tests.connectors import mariadb


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real MariaDB."""
    with mariadb.running(tmp_path_factory.mktemp("mariadb"), tmp_path_factory.mktemp("programs")) as port:
        yield port
