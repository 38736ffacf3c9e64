"""The pages of the console."""

from __future__ import annotations

from collections.abc import Sequence

PREFIX = "/console"
"""The path of Airflow's API server below which the console answers."""
VIEWS: Sequence[tuple[str, str]] = (
    ("overview", "Overview"),
    ("quarantine", "Quarantine"),
    ("lineage", "Lineage"),
    ("catalogue", "Catalogue"),
    ("records", "Golden records"),
    ("operations", "Operations"),
    ("audit", "Audit"),
)
"""Path and title of each page, in the order of the menu."""
OF_OPERATIONS = frozenset({"quarantine", "operations", "audit"})
"""The pages that an analyst does not see."""
