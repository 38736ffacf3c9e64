"""Lineage: OpenLineage events, stored in the warehouse and sent on to Marquez or DataHub by one setting.

    account = source_dataset("crm", "account", "https://crm.example").having(input_statistics(rows=3))
    event = run_event("COMPLETE", Job("sync.crm.account"), run_id, inputs=[account], outputs=[...], facets=[...])
    emit(conn, event, load_id=7)   # in the caller's transaction
    deliver(conn)                  # after the commit; does nothing unless a receiver is set

The OpenLineage client takes half a second to import, so everything that needs it is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from onefold.lineage.names import DatasetRef, Job, source_dataset, task_run_id, warehouse_dataset

if TYPE_CHECKING:
    from onefold.lineage.events import run_event
    from onefold.lineage.facets import (
        PRODUCER,
        Check,
        Field,
        Source,
        assertions,
        column_lineage,
        dataset_version,
        error_message,
        input_statistics,
        nominal_time,
        output_statistics,
        parent_run,
        processing_engine,
        quality_metrics,
        schema,
    )
    from onefold.lineage.relay import Delivery, deliver, external
    from onefold.lineage.store import WarehouseTransport, emit

_LAZY = {
    "onefold.lineage.events": ("PRODUCER", "run_event"),
    "onefold.lineage.facets": (
        "Check",
        "Field",
        "Source",
        "assertions",
        "column_lineage",
        "dataset_version",
        "error_message",
        "input_statistics",
        "nominal_time",
        "output_statistics",
        "parent_run",
        "processing_engine",
        "quality_metrics",
        "schema",
    ),
    "onefold.lineage.store": ("WarehouseTransport", "emit"),
    "onefold.lineage.relay": ("Delivery", "deliver", "external"),
}
_MODULE = {name: module for module, names in _LAZY.items() for name in names}

__all__ = [
    "PRODUCER",
    "Check",
    "DatasetRef",
    "Delivery",
    "Field",
    "Job",
    "Source",
    "WarehouseTransport",
    "assertions",
    "column_lineage",
    "dataset_version",
    "deliver",
    "emit",
    "error_message",
    "external",
    "input_statistics",
    "nominal_time",
    "output_statistics",
    "parent_run",
    "processing_engine",
    "quality_metrics",
    "run_event",
    "schema",
    "source_dataset",
    "task_run_id",
    "warehouse_dataset",
]


def __getattr__(name: str) -> object:
    if name not in _MODULE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE[name]), name)
