"""The audit event and the lineage of a delivery, as loads and publishes have theirs."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from onefold import lineage
from onefold.audit import AuditEvent, append
from onefold.deliver.ledger import DeliveryReport, Mode
from onefold.load.ledger import Run

_ACTIONS: Mapping[Mode, str] = {
    "changes": "deliver.publish",
    "full": "deliver.publish",
    "verify": "deliver.verify",
    "conformance": "deliver.try",
}


def record_delivery(connection: psycopg.Connection, run: Run, report: DeliveryReport) -> None:
    """Record how an attempt ended, in the caller's transaction; of one that was delivered also its lineage."""
    results = {"delivered": "ok", "verified": "ok"}
    append(
        connection,
        AuditEvent(
            actor=run.actor,
            action=_ACTIONS[report.mode],
            subject=f"delivery:{report.delivery_id}",
            from_="conformed",
            to=f"warehouse:{report.target}",
            payload={
                "publish": report.publish_id,
                "rows_written": report.written,
                "rows_held": report.rows,
                "tables": len(report.tables),
                "checksum": report.checksum.rjust(32, "0"),
            },
            result=results.get(report.state, "failed"),
        ),
    )
    if report.state == "delivered":
        _emit_lineage(connection, run, report)


def _emit_lineage(connection: psycopg.Connection, run: Run, report: DeliveryReport) -> None:
    """What was written, by the names of the source's tables: entity__customer is conformed.customer here and there."""
    written = {name: each for name, each in report.tables.items() if each.written}
    inputs = [lineage.warehouse_dataset(connection, dataset_name(name)) for name in written]
    outputs = [
        lineage.source_dataset(report.target, dataset_name(name), report.place).having(
            lineage.dataset_version(f"publish-{report.publish_id}"), lineage.output_statistics(rows=each.written)
        )
        for name, each in written.items()
    ]
    lineage.emit(
        connection,
        lineage.run_event(
            "COMPLETE",
            lineage.Job(f"deliver.{report.target}"),
            lineage.task_run_id(run.dag_id, run.run_id, f"delivery_{report.delivery_id}"),
            inputs=inputs,
            outputs=outputs,
        ),
    )


def dataset_name(stored: str) -> str:
    """The view that shows a stored table."""
    kind, _, name = stored.partition("__")
    match kind:
        case "mart":
            return f"marts.{name}"
        case "personal":
            return f"conformed_personal.{name}"
        case "crosswalk":
            return f"conformed.{name}_crosswalk"
        case _:
            return f"conformed.{name}"
