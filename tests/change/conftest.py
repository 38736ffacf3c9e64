from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from onefold.platform.postgres import Postgres
from tests.change.world import Firms
from tests.conftest import TEMPLATE
from tests.databases import copy_database, drop_database


@pytest.fixture
def firms(
    postgres: Postgres, published_firms: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Firms]:
    """A warehouse with a few published firms of three systems, to plan edits against."""
    monkeypatch.setenv("ONEFOLD_HOME", str(tmp_path / "home"))
    template, project = published_firms
    shutil.copytree(project, tmp_path / "project")
    name = copy_database(postgres, template)
    made = Firms(postgres.url(name), tmp_path / "project")
    yield made
    made.close()
    drop_database(postgres, name)


@pytest.fixture(scope="session")
def published_firms(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The database and the project's folder of `firms`, made once."""
    name, folder = copy_database(postgres, TEMPLATE, "o"), tmp_path_factory.mktemp("firms")
    made = Firms(postgres.url(name), folder / "project")
    made.begin()
    made.load(
        "crm",
        {
            "a": {"name": "ALFA SP. Z O.O.", "nip": "1", "city": "łódź", "mail": "a@alfa.pl", "limit": "10.50"},
            "b": {"name": "Beta S.A.", "nip": "2", "city": "Opole", "mail": "b@beta.pl", "limit": "7", "note": "two"},
            "c": {"name": "Gamma", "city": "Radom", "note": "three"},
            "d": {"name": "Delta", "nip": "4", "regon": "44", "city": "Konin"},
        },
    )
    made.load(
        "erp",
        {
            "1": {"name": "Alfa", "nip": "1", "city": "Lodz", "mail": "x@alfa.pl", "limit": "3", "state": "open"},
            "2": {"name": "Beta", "nip": "2", "city": "Opole", "state": "closed"},
            "3": {"name": "GAMMA", "city": "Radom", "mail": "g@gamma.pl", "limit": "x1"},
        },
    )
    made.load(
        "court",
        {"k": {"name": "DELTA SA", "regon": "44", "city": "KONIN", "state": "open", "changed": "2026-01-02T00:00:00Z"}},
    )
    made.conform()
    made.close()
    yield name, folder / "project"
    drop_database(postgres, name)
