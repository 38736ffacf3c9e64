"""The folder of a made-up office, with and without a warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.files.office import SUITE, Office


@pytest.fixture
def drops(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    suites = tmp_path / "suites"
    suites.mkdir()
    (suites / "office__entry.yaml").write_text(SUITE)
    return Office(tmp_path / "drops", loader_url, suites)


@pytest.fixture
def folder(tmp_path: Path) -> Office:
    """For what can be seen without a warehouse."""
    return Office(tmp_path / "drops", "", tmp_path)
