"""onefold sweep: list the keys of a stream at its source, through the scheduler, and delete what is gone there."""

from __future__ import annotations

import json

import click

from onefold.errors import Fatal
from onefold.settings import settings


@click.command(epilog="Example: onefold sweep stripe.charge --dry-run")
@click.argument("name", metavar="SYSTEM.STREAM")
@click.option("--dry-run", is_flag=True, help="Only show how many records would be deleted.")
@click.option(
    "--accept-deletes", type=click.IntRange(min=1), help="Let so many be deleted, though they are suspicious."
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def sweep(name: str, dry_run: bool, accept_deletes: int | None, as_json: bool) -> None:
    """List all keys of one SYSTEM.STREAM now, and delete what its source no longer has."""
    from onefold.catalog.reader import read_systems
    from onefold.commands.reconcile import one_stream
    from onefold.commands.runs import airflow, follow
    from onefold.connectors.key_listing import why_no_sweep
    from onefold.platform.warehouse import connect_as
    from onefold.reconcile.sweep import sweep_table, sweeps_of_run

    systems = read_systems()
    system, stream = one_stream(systems, name)
    if why := why_no_sweep(systems[system], stream):
        raise Fatal(f"{name} cannot be swept: {why}.")
    api = airflow(settings())
    accepted = {"accept_deletes": f"{stream}={accept_deletes}"} if accept_deletes else {}
    conf = {"streams": [name], "sweep": "dry_run" if dry_run else "now", **accepted}
    run = follow(api, api.start_dag("reconcile", conf))
    with connect_as("engineer") as connection:
        lines = sweeps_of_run(connection, run.dag_id, run.run_id)
    click.echo(json.dumps([line.as_json() for line in lines], indent=2) if as_json else sweep_table(lines))
    if dry_run and not as_json:
        for line in lines:
            click.echo(
                f"Nothing was deleted. Which they are, for who may read records: landing.load_{line.load_id}__candidate"
            )
