"""onefold apply: make the warehouse follow a plan, exactly or not at all."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import psycopg

    from onefold.change.ledger import Plan
    from onefold.change.project import Project


@click.command(epilog="Example: onefold apply 7")
@click.argument("plan_id", type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def apply(plan_id: int, as_json: bool) -> None:
    """Generate, migrate the schema, map again and publish what plan PLAN_ID says, in one go.

    It refuses, and publishes nothing, when the catalogue of this checkout or the warehouse is another one than was
    planned, when the plan wants an approval that it has not, or when one golden record would come out otherwise than
    planned. Killed half-way, it is run again.
    """
    from onefold.audit import actor
    from onefold.catalog.target_reader import read_targets
    from onefold.change.apply import apply_plan
    from onefold.change.approval import needs_approval, require_approved
    from onefold.change.project import read_project
    from onefold.commands.audit_restored import person_who_says
    from onefold.conform import audit_and_lineage
    from onefold.conform.dbt_build import DbtProject
    from onefold.conform.gate import entity_gate
    from onefold.conform.run import dbt_builds
    from onefold.load.ledger import Run
    from onefold.platform.warehouse import url_as
    from onefold.settings import plan_approval, settings
    from onefold.warehouse.post_commit import after_commit
    from onefold.warehouse.pre_commit import require_publishable_at
    from onefold.write_back.intents import record_intents

    logging.getLogger("great_expectations.data_context").setLevel(logging.WARNING)
    here, url, above = settings(), url_as("loader"), plan_approval()
    who = actor() if above is None else person_who_says(here)
    require_publishable_at(url)
    project = read_project(here.root)

    def prepare(connection: psycopg.Connection, found: Plan) -> None:
        if needs_approval(found, above):
            require_approved(connection, found)
        _follow(found, project, url)

    report = apply_plan(
        url,
        plan_id,
        project,
        who,
        entity_gate(url, project.expectations),
        dbt_builds(url, DbtProject(here.root / "dbt_project", here.home / "dbt"), project.entities),
        prepare=prepare,
        on_publish=[
            audit_and_lineage.record_lineage(Run("apply", f"plan__{plan_id}", who), project.entities),
            record_intents(read_targets(project.catalog, here.root)),
        ],
    )
    after_commit(url)
    if as_json:
        click.echo(json.dumps({"plan_id": plan_id, **report.as_json()}, indent=2))
    elif report.publish_id is None:
        click.echo(f"Plan {plan_id} is applied. No golden record changed.")
    else:
        changed = sum(each.new + each.changed + each.ended for each in report.entities)
        click.echo(f"Plan {plan_id} is applied: publish {report.publish_id}, {changed:,} golden records, as planned.")


def _follow(found: Plan, project: Project, url: str) -> None:
    """Write what is generated, and bring the schema and the staging tables to it."""
    from onefold.load.staging import ensure_all_staging
    from onefold.mapping.entity_migration import FOLDER
    from onefold.mapping.generate import generate
    from onefold.platform.airflow import WAREHOUSE_DATABASE
    from onefold.platform.postgres import Postgres
    from onefold.settings import secret, settings
    from onefold.warehouse.schema import upgrade_schema

    here, catalog = settings(), project.catalog
    for path in generate(
        catalog.entities, catalog.systems, check=False, root=here.root, accept_loss=tuple(found.says.tables.losses)
    ):
        click.echo(f"{'written' if path.exists() else 'removed'}: {path.relative_to(here.root)}", err=True)
    if not secret("ONEFOLD_WAREHOUSE_URL"):  # whoever runs that one migrates its schema
        click.echo(
            str(upgrade_schema(Postgres(here.home, here.pg_port).url(WAREHOUSE_DATABASE), here.root / FOLDER)), err=True
        )
    ensure_all_staging(url, catalog)
