"""The web server that the HTTP client is tested against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.web_server import WebServer, serving


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving() as server:
        yield server
