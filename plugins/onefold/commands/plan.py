"""onefold plan: what an edited catalogue would change, before anything is changed; its pages, and who approves them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from onefold.insight.page import MAX_ROWS

if TYPE_CHECKING:
    import psycopg

    from onefold.change.ledger import Plan


@click.group(
    invoke_without_command=True,
    epilog="Examples: onefold plan · onefold plan --catalog=../branch · onefold plan show 7 · onefold apply 7",
)
@click.option(
    "--catalog",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another checkout with the edited catalogue, suites and dbt project; default: this one.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@click.pass_context
def plan(context: click.Context, folder: Path | None, as_json: bool) -> None:
    """Compute what the edited catalogue, suites, transforms and mappings would change, against the live warehouse.

    Nothing that is published is touched. The plan is kept under a number, and `onefold apply` makes just that, or
    refuses because something moved.
    """
    if context.invoked_subcommand is not None:
        return
    from onefold.audit import actor
    from onefold.change.approval import ask_approval, needs_approval
    from onefold.change.plan import dbt_builder, make_plan
    from onefold.change.project import read_project
    from onefold.commands.audit_restored import person_who_says
    from onefold.conform.gate import entity_gate
    from onefold.platform.warehouse import url_as
    from onefold.quality.gate import evaluate_suite
    from onefold.settings import plan_approval, settings
    from onefold.warehouse.connection import connect
    from onefold.warehouse.post_commit import after_commit

    logging.getLogger("great_expectations.data_context").setLevel(logging.WARNING)
    here, url, above = settings(), url_as("loader"), plan_approval()
    who = actor() if above is None else person_who_says(here)
    project = read_project((folder or here.root).resolve())
    gate = entity_gate(url, project.expectations)
    made = make_plan(url, project, who, gate, builder=dbt_builder(url), evaluate=evaluate_suite)
    with connect(url, autocommit=True) as connection:
        needed = needs_approval(made, above)
        if needed:
            with connection.transaction():
                ask_approval(connection, made, who)
        _show(connection, made, as_json)
    after_commit(url)
    if not as_json:
        number = made.plan_id
        if needed:
            click.echo(f"\nAnother person than you approves it: bin/onefold plan approve {number}")
        click.echo(f"{'Then' if needed else 'To make it so'}: bin/onefold apply {number}")


@plan.command("list", epilog="Example: onefold plan list")
@click.option(
    "--limit", type=click.IntRange(1, MAX_ROWS), default=20, show_default=True, help="How many, newest first."
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def list_command(limit: int, as_json: bool) -> None:
    """List the plans, the newest first."""
    from onefold.change.ledger import newest
    from onefold.platform.warehouse import connect_as
    from onefold.text_table import table

    with connect_as("engineer") as connection:
        found = newest(connection, limit)
    if as_json:
        click.echo(json.dumps([_facts(each) for each in found], indent=2))
        return
    rows = [
        [str(p.plan_id), p.state.replace("_", " "), p.actor, f"{p.created_at:%Y-%m-%d %H:%M}", f"{p.says.golden:,}"]
        for p in found
    ]
    heads = ["plan", "state", "by", "at (UTC)", "golden records"]
    click.echo(table(heads, rows, left=4) if rows else "There is no plan yet. Make one: bin/onefold plan")


@plan.command("show", epilog="Example: onefold plan show 7")
@click.argument("plan_id", type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="For scripts: the migration's text and every sample too.")
def show_command(plan_id: int, as_json: bool) -> None:
    """Show a plan. Personal values are masked."""
    from onefold.change.ledger import get
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        _show(connection, get(connection, plan_id), as_json)


@plan.command("approve", epilog="Example: onefold plan approve 7")
@click.argument("plan_id", type=click.IntRange(min=1))
@click.option("--reject", is_flag=True, help="Turn it down instead.")
@click.option("--yes", is_flag=True, help="Without asking.")
def approve_command(plan_id: int, reject: bool, yes: bool) -> None:
    """Approve a plan, signed in as another person than who made it; or turn it down, as anybody.

    Asked for where ONEFOLD_PLAN_APPROVAL says so.
    """
    from onefold.audit.approval import decide, require_question
    from onefold.change import ledger
    from onefold.change.approval import DAG_ID
    from onefold.commands.audit_restored import person_who_says
    from onefold.platform.airflow import WAREHOUSE_DATABASE
    from onefold.platform.postgres import Postgres
    from onefold.platform.warehouse import url_as
    from onefold.settings import settings
    from onefold.warehouse.connection import connect
    from onefold.warehouse.post_commit import after_commit

    here, loader = settings(), url_as("loader")
    who = person_who_says(here)
    with connect(loader, autocommit=True) as connection:
        found = ledger.get(connection, plan_id)
        asked = require_question(connection, DAG_ID, f"plan__{plan_id}")
        click.echo(asked.plan)
        if not yes:
            click.confirm(f"{'Turn it down' if reject else 'Approve it'} as {who}?", abort=True)
        approvals = Postgres(here.home, here.pg_port).url(WAREHOUSE_DATABASE, "onefold_approvals")
        with connect(approvals, autocommit=True) as deciding:
            decide(
                deciding,
                asked.approval_id,
                approved=not reject,
                by=who,
                started_by=asked.requested_by,
                shown=asked.plan,
            )
        if reject:
            with connection.transaction():
                ledger.end(connection, found, "turned_down")
    after_commit(loader)
    click.echo(f"Plan {plan_id} is turned down." if reject else f"Approved by {who}. Now: bin/onefold apply {plan_id}")


def _show(connection: psycopg.Connection, found: Plan, as_json: bool) -> None:
    from onefold.change.ledger import samples_of
    from onefold.change.text import plan_page

    if as_json:
        samples = samples_of(connection, found.plan_id)
        click.echo(json.dumps({**_facts(found), "content": found.content, "samples": samples}, indent=2))
    else:
        click.echo(plan_page(connection, found))


def _facts(found: Plan) -> dict[str, object]:
    return {
        "plan_id": found.plan_id,
        "state": found.state,
        "fingerprint": found.fingerprint,
        "warehouse": found.warehouse,
        "publish_id": found.publish_id,
        "actor": found.actor,
        "created_at": found.created_at.isoformat(),
        "golden": found.says.golden,
    }
