from collections.abc import Iterator

import pytest

from tests.http.web_server import WebServer, serving


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A source on a real socket, of which the test says what it answers."""
    with serving() as server:
        yield server
