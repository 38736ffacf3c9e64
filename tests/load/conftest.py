from pathlib import Path

import pytest

from tests.load.shop import SUITE, Shop


@pytest.fixture
def shop(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A source under the test's control, and the warehouse that it is loaded into."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    (tmp_path / "shop__customer.yaml").write_text(SUITE)
    return Shop(loader_url, tmp_path)
