from pathlib import Path

import pytest

from onefold.load import gate_step
from tests.erasure.office import Office


@pytest.fixture
def judged_office(loader_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Two people and their calendar, and the warehouse that they are loaded into; their suites are evaluated."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    return Office(loader_url, tmp_path / "home")


@pytest.fixture
def office(judged_office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The same without suites, whose evaluation takes most of a small load's time."""
    monkeypatch.setattr(gate_step, "evaluate_suite", lambda *_: [])
    return judged_office
