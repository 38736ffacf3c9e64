from pathlib import Path

import pytest

from tests.erasure.office import Office


@pytest.fixture
def office(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Two people and their calendar, and the warehouse that they are loaded into."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return Office(loader_url, tmp_path / "home")
