"""The lineage of a publish, down to the attribute. Its audit events are appended by run.py."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from onefold import lineage
from onefold.catalog.entity import Entity
from onefold.conform.report import ConformReport
from onefold.conform.run import OnPublish
from onefold.load.ledger import Run
from onefold.mapping.lineage import column_lineage


def record_lineage(run: Run, entities: Sequence[Entity]) -> OnPublish:
    """An on_publish hook that records, for each entity, which field of which stream gave which attribute."""

    def record(connection: psycopg.Connection, report: ConformReport) -> None:
        counts = {entity.entity: entity for entity in report.entities}
        for entity in entities:
            staging = {
                source: lineage.warehouse_dataset(connection, f"staging.{source.replace('.', '__')}")
                for source in entity.streams
            }
            columns = {
                attribute: [
                    lineage.Source(staging[f"{each.system}.{each.stream}"], each.field, each.transform)
                    for each in inputs
                    if each.field
                ]
                for attribute, inputs in column_lineage(entity).items()
            }
            done = counts[entity.entity]
            target = lineage.warehouse_dataset(connection, f"conformed.{entity.entity}").having(
                lineage.schema(
                    lineage.Field(name, attribute.type, attribute.meaning)
                    for name, attribute in entity.attributes.items()
                ),
                lineage.column_lineage(columns),
                lineage.dataset_version(f"publish-{report.publish_id}"),
                lineage.output_statistics(rows=done.new + done.changed + done.ended),
            )
            event = lineage.run_event(
                "COMPLETE",
                lineage.Job(f"{run.dag_id}.{entity.entity}"),
                lineage.task_run_id(run.dag_id, run.run_id, f"{entity.entity}.publish_{report.publish_id}"),
                inputs=staging.values(),
                outputs=[target],
            )
            lineage.emit(connection, event)

    return record
