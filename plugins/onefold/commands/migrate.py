"""onefold migrate: what a migration would take, and its start through the scheduler."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from onefold.settings import settings


@click.command(
    epilog='Example: onefold migrate salesforce order --from 2024-01-01 --to 2025-01-01 --reason "the years before us"'
)
@click.argument("system")
@click.argument("streams", nargs=-1)
@click.option("--from", "start", required=True, help="First instant of the window, ISO 8601.")
@click.option("--to", "end", required=True, help="End of the window, itself outside, ISO 8601.")
@click.option("--chunk-days", type=click.IntRange(1, 3660), default=30, show_default=True, help="Days loaded at once.")
@click.option("--service-window", help="Work in these hours only, as '22:00-05:00 Europe/Warsaw'.")
@click.option("--rate", help="Requests that it may ask (5/s), instead of the system's own rate.")
@click.option("--reason", required=True, help="Why; the approver reads it.")
@click.option("--dry-run", is_flag=True, help="Only say what it would take.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def migrate(
    system: str,
    streams: tuple[str, ...],
    start: str,
    end: str,
    chunk_days: int,
    service_window: str | None,
    rate: str | None,
    reason: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring a window of the past of SYSTEM's STREAMS (default: all) in, chunk by chunk.

    It starts the DAG migrate, which makes a dry run of everything, publishes nothing, and then waits for the approval
    of another person than you.
    """
    from onefold.catalog.reader import read_systems
    from onefold.commands.runs import airflow
    from onefold.migration.plan import make_plan
    from onefold.migration.request import MigrationRequest
    from onefold.orchestration.forms import needed_instant
    from onefold.platform.warehouse import connect_as

    systems = read_systems()
    request = MigrationRequest(
        system=system,
        streams=streams or (tuple(systems[system].streams) if system in systems else ()),
        start=needed_instant(start),
        end=needed_instant(end),
        chunk=timedelta(days=chunk_days),
        reason=reason,
        mode="service_window" if service_window else "incremental",
        service_window=service_window,
        rate=rate,
    )
    with connect_as("engineer") as connection:
        planned = make_plan(connection, systems, request)
    if dry_run:
        click.echo(json.dumps(planned.as_json(), indent=2) if as_json else "\n".join(planned.lines(system)))
        return
    here = settings()
    api = airflow(here)
    run = api.start_dag("migrate", request.as_form())
    where = f"{here.ui_url}/dags/migrate/runs/{run.run_id}"
    if as_json:
        click.echo(json.dumps({**planned.as_json(), "run_id": run.run_id, "approve_at": where}, indent=2))
        return
    click.echo("\n".join(planned.lines(system)))
    click.echo(f"Nothing is published yet. Once it has had its dry run, another person than you approves it at {where}")
