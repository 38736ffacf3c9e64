"""What the task of a DAG `deliver__<target>` does."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airflow.sdk import Context

from onefold.catalog.delivery_target import DeliveryTarget, read_delivery_targets
from onefold.catalog.entity import Entity
from onefold.catalog.reader import read_catalog
from onefold.deliver.audit_and_lineage import record_delivery
from onefold.deliver.compare import Cell
from onefold.deliver.due import verification_is_due
from onefold.deliver.open import open_target
from onefold.deliver.run import deliver as deliver_changes
from onefold.deliver.run import try_out, verify
from onefold.deliver.target import Target
from onefold.deliver.verify import difference_text
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.run import run_of
from onefold.settings import settings, warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import after_commit

log = logging.getLogger(__name__)


def deliver(context: Context, name: str) -> Mapping[str, object]:
    """Deliver what changed to the target, and verify it where that is due; or only verify it or try it out where the
    run asks for that. Returns the figures."""
    params, url, run = context["params"], warehouse_url(), run_of(context)
    with airflow_errors():
        entities = read_catalog().entities
        said = read_delivery_targets(entities)[name]
        target = open_target(said, settings().home, endpoint)
        if params.get("conformance"):
            for trial in try_out(url, target, said, run, recorded=record_delivery):
                log.info("%s", trial)
            return {"target": name, "mode": "conformance", "state": "verified"}
        if params.get("verify"):
            report, cells = verify(url, target, said, entities, run, recorded=record_delivery)
        else:
            report = deliver_changes(
                url, target, said, entities, run, recorded=record_delivery, full=bool(params.get("full"))
            )
            cells = _verify_by_schedule(url, target, said, entities, run)
        after_commit(url)
        if cells:
            raise Fatal(difference_text(name, cells))
    log.info(
        "%s: %s, publish %s, %s rows written of %s, %.1f s",
        *(name, report.state, report.publish_id, f"{report.written:,}", f"{report.rows:,}", report.seconds),
    )
    return report.as_json()


def _verify_by_schedule(
    url: str, target: Target, said: DeliveryTarget, entities: Mapping[str, Entity], run: Run
) -> list[Cell]:
    """The cells that differ at the target, where every row is to be compared again."""
    with connect(url) as connection:
        if not verification_is_due(connection, target.name, said.verify):
            return []
    report, cells = verify(url, target, said, entities, run, recorded=record_delivery)
    log.info("%s: every row compared, %s, %.1f s", target.name, report.state, report.seconds)
    return cells
