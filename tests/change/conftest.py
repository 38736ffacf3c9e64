from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.change.world import Firms


@pytest.fixture
def firms(warehouse_url: str, tmp_path: Path) -> Iterator[Firms]:
    """A warehouse with a few published firms of three systems, to plan edits against."""
    made = Firms(warehouse_url, tmp_path / "project")
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
    yield made
    made.close()
