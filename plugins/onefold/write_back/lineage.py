"""The lineage of a write-back: which attribute of which entity is in which field of the target."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from onefold import lineage
from onefold.catalog.entity import Entity
from onefold.catalog.target import Target
from onefold.load.ledger import Run
from onefold.write_back.plan_ledger import Plan

_DONE = """
select object, count(*) from ops.write_back_plan_row
where plan_id = %s and outcome = 'confirmed' and change in ('create', 'update', 'delete') group by 1
"""


def record_lineage(
    connection: psycopg.Connection, target: Target, entities: Mapping[str, Entity], plan: Plan, run: Run, url: str
) -> None:
    """One event for each object of which the plan has written records; in the caller's transaction.

    `url` is the target's: the dataset is named as the sync that reads it names its source.
    """
    for name, written in connection.execute(_DONE, (plan.plan_id,)).fetchall():
        each = target.objects[name]
        entity = entities[each.entity]
        golden = lineage.warehouse_dataset(connection, f"conformed.{each.entity}")
        columns = {field: [lineage.Source(golden, spec.attribute, spec.format)] for field, spec in each.fields.items()}
        there = lineage.source_dataset(target.system, each.stream or name, url).having(
            lineage.schema(
                lineage.Field(field, entity.attributes[spec.attribute].type, entity.attributes[spec.attribute].meaning)
                for field, spec in each.fields.items()
            ),
            lineage.column_lineage(columns),
            lineage.output_statistics(rows=written),
        )
        event = lineage.run_event(
            "COMPLETE",
            lineage.Job(f"{run.dag_id}.{name}"),
            lineage.task_run_id(run.dag_id, run.run_id, f"{name}.plan_{plan.plan_id}"),
            inputs=[golden],
            outputs=[there],
        )
        lineage.emit(connection, event)
