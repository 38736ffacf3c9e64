from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.webhook.hook import SUITE, Hook
from tests.roles import as_role


@pytest.fixture
def hook(warehouse_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hook:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEFOLD_WAREHOUSE_URL", as_role(warehouse_url, "onefold_loader"))
    (tmp_path / "test_hook__payment.yaml").write_text(SUITE)
    return Hook(warehouse_url, tmp_path)
