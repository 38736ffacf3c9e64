"""The Airflow assets: one per staging table and one per entity. The asset graph in the UI is made of them."""

from __future__ import annotations

from airflow.sdk import Asset, AssetAlias

REPAIRED = AssetAlias(name="repaired", group="staging")
"""The staging tables that the repair of a reconciliation loads into."""
REPLAYED = AssetAlias(name="replayed", group="staging")
"""The staging tables that a replay publishes into; which ones is known only while it runs."""
MIGRATED = AssetAlias(name="migrated", group="staging")
"""The staging tables that a migration publishes into."""
ROLLED_BACK = AssetAlias(name="rolled back", group="staging")
"""The staging tables that a rollback changes."""


def staging_asset(system: str, stream: str) -> Asset:
    """The stream's table in staging, updated by each publish."""
    name = f"{system}__{stream}"
    return Asset(name=f"staging.{name}", uri=f"onefold://staging/{name}", group="staging")


def entity_asset(entity: str) -> Asset:
    """The conformed entity, updated by each conform."""
    return Asset(name=f"conformed.{entity}", uri=f"onefold://conformed/{entity}", group="conformed")


def delivery_asset(target: str) -> Asset:
    """What another warehouse has, updated by each delivery."""
    return Asset(name=f"delivered.{target}", uri=f"onefold://delivered/{target}", group="delivered")
