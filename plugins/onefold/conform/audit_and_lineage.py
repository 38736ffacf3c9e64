"""What is written down of a publish, beside the audit events that run.py appends: lineage down to the attribute."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from onefold import lineage
from onefold.catalog.entity import Entity
from onefold.conform.report import ConformReport
from onefold.conform.run import OnPublish
from onefold.load.ledger import Run
from onefold.mapping.lineage import column_lineage


def published(run: Run, entities: Sequence[Entity]) -> OnPublish:
    """An on_publish that states, for each entity, which field of which stream made which attribute."""

    def state(connection: psycopg.Connection, report: ConformReport) -> None:
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

    return state
