"""What the task of the DAG `conform` does."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from airflow.sdk import Context

from onefold.catalog.reader import read_catalog
from onefold.catalog.target_reader import read_targets
from onefold.change.approval import require_applied
from onefold.conform import audit_and_lineage
from onefold.conform.dbt_build import DbtProject, marts_fingerprint
from onefold.conform.gate import entity_gate
from onefold.conform.report import ConformReport
from onefold.conform.run import conform as build_and_publish
from onefold.errors import Rejected
from onefold.load.staging import ensure_all_staging
from onefold.mapping.registry import mapping_fingerprints, sync_mapping
from onefold.notify import alert
from onefold.notify.receiver import read_receivers
from onefold.orchestration.assets import entity_asset
from onefold.orchestration.tasks.asset_events import figures_of_entities
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.run import run_of
from onefold.privacy.direct_reads import try_to_collect_direct_reads
from onefold.quality.suite import suite_fingerprints
from onefold.reconcile.leavers import check_leavers, leavers
from onefold.settings import notify_setting, plan_approval, settings, warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import after_commit
from onefold.warehouse.pre_commit import require_publishable_at
from onefold.write_back.intents import record_intents


def conform(context: Context) -> Mapping[str, object]:
    """Include what was loaded since the last publish, build the entities and publish them."""
    here, url = settings(), warehouse_url()
    run = run_of(context)
    catalog = read_catalog()
    entities = list(catalog.entities.values())
    dbt_project = here.root / "dbt_project"
    mappings = mapping_fingerprints(catalog.entities, catalog.systems) | {"marts": marts_fingerprint(dbt_project)}

    def record_mapping(connection: psycopg.Connection, _: ConformReport) -> None:
        sync_mapping(connection, catalog.entities, catalog.systems)

    with airflow_errors():
        require_publishable_at(url)
        with connect(url, autocommit=True) as connection:
            require_applied(connection, mappings, plan_approval())
        ensure_all_staging(url, catalog)
        report = build_and_publish(
            url,
            run.actor,
            entity_gate(url),
            entities,
            DbtProject(dbt_project, here.home / "dbt"),
            mappings=mappings,
            suites=suite_fingerprints(catalog.entities),
            on_publish=[
                record_mapping,
                audit_and_lineage.record_lineage(run, entities),
                record_intents(read_targets(catalog)),
            ],
        )
        try_to_collect_direct_reads(url, catalog, run.actor)
        if (what := leavers()) is not None:
            with connect(url, autocommit=True) as connection:
                if check_leavers(connection, run.actor, what):
                    alert.deliver_notifications(connection, read_receivers(notify_setting(), endpoint))
        after_commit(url)
        if report.refused:
            raise Rejected(
                f"publish {report.publish_id} left out {', '.join(sorted(report.refused))}; everything else is "
                f"published. {' '.join(report.refused.values())}"
            )
    for entity, extra in figures_of_entities(report).items():
        context["outlet_events"][entity_asset(entity)].extra.update(extra)
    return report.as_json()
