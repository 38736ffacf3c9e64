"""Refresh tokens in a vault, as tests/vault/contract.py says: here with a stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.web_server import serving
from tests.vault.contract import *  # noqa: F403 - the tests
from tests.vault.vault_server import VaultServer


@pytest.fixture
def vault_server() -> Iterator[VaultServer]:
    server = VaultServer()
    with serving() as web:
        web.answer, server.url = server.answer, web.url
        yield server
