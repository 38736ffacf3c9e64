"""onefold deliver: deliver to another warehouse now, through the scheduler."""

from __future__ import annotations

import json

import click

from onefold.errors import Fatal
from onefold.settings import settings


@click.command(epilog="Example: onefold deliver analysts --verify")
@click.argument("target", metavar="TARGET")
@click.option("--full", is_flag=True, help="Compare every row with PostgreSQL, and write again what differs.")
@click.option("--verify", is_flag=True, help="Only compare every row; name each cell that differs.")
@click.option("--conformance", is_flag=True, help="Only try out the target: every type at its limits, and statements.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def deliver(target: str, full: bool, verify: bool, conformance: bool, as_json: bool) -> None:
    """Deliver what was published since the last delivery to TARGET, a file of catalog/warehouses without its ending."""
    from onefold.catalog.delivery_target import read_delivery_targets
    from onefold.commands.runs import airflow, follow
    from onefold.insight.deliveries import delivery_of_run
    from onefold.platform.warehouse import connect_as

    targets = read_delivery_targets()
    if target not in targets:
        there = f"There are: {', '.join(targets)}." if targets else "There are none yet: docs/deliveries.md."
        raise Fatal(f"There is no target {target!r} in catalog/warehouses. {there}")
    if full + verify + conformance > 1:
        raise Fatal("Give one of --full, --verify and --conformance: the latter two deliver nothing.")
    api = airflow(settings())
    api.wait_for_dag(f"deliver__{target}")  # of a target that was added just now
    run = follow(api, api.start_dag(f"deliver__{target}", {"full": full, "verify": verify, "conformance": conformance}))
    with connect_as("engineer") as connection:
        done = delivery_of_run(connection, run.dag_id, run.run_id)
    click.echo(json.dumps(done.as_json(), indent=2, default=str) if as_json else str(done))
