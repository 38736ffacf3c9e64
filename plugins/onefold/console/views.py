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
    ("operations", "Operations"),
)
"""Path and title of each page, in the order of the menu."""
