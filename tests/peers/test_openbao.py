"""OpenBao itself: connections, refresh tokens and logins of the warehouse."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.effort import TORTURE
from tests.peers.openbao import OpenBao, running
from tests.vault.contract import *  # noqa: F403 - the tests
from tests.vault.refreshing import Killer
from tests.vault.test_refreshes_killed import run_and_judge

pytestmark = pytest.mark.peers
REFRESHES, WORKERS, SHARE = (10_000, 16, 0.05) if TORTURE else (300, 4, 0.2)


@pytest.fixture(scope="module")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with running(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
def vault_server(openbao: OpenBao) -> Iterator[OpenBao]:
    openbao.prepare()
    yield openbao
    openbao.unseal()


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("grace", [False, True], ids=["a strict family", "grace for the last token"])
def test_refreshes_at_once_lose_no_token_that_could_be_kept(
    grace: bool, vault_server: OpenBao, loader_url: str
) -> None:
    before = vault_server.logins
    killer = Killer(REFRESHES, SHARE, grace=grace, vault=vault_server.forward)
    run_and_judge(killer, vault_server.settings(), loader_url, WORKERS)
    assert vault_server.logins - before <= WORKERS + killer.kills.total()
    print(f"{REFRESHES} refreshes, {WORKERS} workers: killed {dict(killer.kills)}, families ended {killer.deaths}")
