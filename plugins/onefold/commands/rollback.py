"""onefold rollback: what a rollback would do, and its start through the scheduler."""

from __future__ import annotations

import json

import click

from onefold.settings import settings


@click.command(epilog='Example: onefold rollback 41 42 --reason "prices without the decimal point" --dry-run')
@click.argument("loads", nargs=-1, type=click.IntRange(min=1))
@click.option("--run", help="All published loads of this DAG run, as scheduled__2026-03-01T02:00:00+00:00.")
@click.option("--dag", help="The DAG of that run, as sync__nbp: runs of several DAGs may have one id.")
@click.option("--undo", type=click.IntRange(min=1), metavar="ID", help="Undo this rollback (ops.rollback) instead.")
@click.option("--reason", required=True, help="Why; others read it in ops.rollback.")
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def rollback(
    loads: tuple[int, ...],
    run: str | None,
    dag: str | None,
    undo: int | None,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take published LOADS out of staging and conformed as if they had never been; later loads stay.

    It starts the DAG rollback, which waits for the approval of another person than you. It can be undone.
    """
    from onefold.catalog.reader import read_catalog
    from onefold.commands.runs import airflow
    from onefold.platform.people import accounts
    from onefold.platform.warehouse import url_as
    from onefold.rollback.lifecycle import preview_rollback
    from onefold.rollback.request import RollbackRequest

    request = RollbackRequest(loads=loads, dag_id=dag, run_id=run, undo=undo, reason=reason)
    planned = preview_rollback(url_as("loader"), read_catalog(), request)
    if dry_run:
        click.echo(json.dumps(planned.as_json(), indent=2) if as_json else planned.text)
        return
    here = settings()
    api = airflow(here)
    conf = {"loads": ", ".join(map(str, loads)), "dag": dag, "run": run, "undo": undo, "reason": reason}
    started = api.start_dag("rollback", {name: value for name, value in conf.items() if value})
    where = f"{here.ui_url}/dags/rollback/runs/{started.run_id}/tasks/approve/required_actions"
    if as_json:
        click.echo(json.dumps({**planned.as_json(), "run_id": started.run_id, "approve_at": where}, indent=2))
        return
    click.echo(planned.text)
    approvers = ", ".join(account.name for account in accounts() if account.duty == "approver") or "an approver"
    click.echo(f"Nothing is changed yet. Another person than you ({approvers}) approves it at {where}")
