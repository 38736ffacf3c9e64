"""Airflow's pools: how many tasks of a kind run at once, so that the hourly syncs always find a free worker."""

from __future__ import annotations

from collections.abc import Mapping

SERVICE_ACCOUNT = "onefold.service"
"""As whom `up` makes the pools: no person, with no right but to make a pool (auth_manager.py)."""

BACKFILL = "backfill"
RECONCILE = "reconcile"

POOLS: Mapping[str, tuple[int, str]] = {
    BACKFILL: (2, "Tasks of backfills: the other slots are for fresh data"),
    RECONCILE: (1, "Comparisons of streams with their sources, one after the other"),
}
"""By name: slots, and what the UI says. A pool that is there keeps the slots that somebody gave it."""
