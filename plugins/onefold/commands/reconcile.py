"""onefold reconcile: compare streams with their sources, through the scheduler."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import click

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.settings import settings


@click.command(epilog="Example: onefold reconcile salesforce.account --repair")
@click.argument("names", nargs=-1, metavar="[SYSTEM[.STREAM]]...")
@click.option("--from", "start", help="Compare what changed since then, ISO 8601; default: see the runbook.")
@click.option("--thorough", is_flag=True, help="Read the records even where the source can count them.")
@click.option("--repair", is_flag=True, help="Load again the days in which records differ, and only they.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def reconcile(names: tuple[str, ...], start: str | None, thorough: bool, repair: bool, as_json: bool) -> None:
    """Compare streams with their sources, and show where they differ; without a name, every stream."""
    from onefold.catalog.reader import read_systems
    from onefold.commands.runs import airflow, follow
    from onefold.platform.warehouse import connect_as
    from onefold.reconcile.report import comparison_table, comparisons_of_run

    streams = named_streams(read_systems(), names)
    api = airflow(settings())
    conf = {"streams": streams, "start": start, "thorough": thorough, "repair": repair}
    run = follow(api, api.start_dag("reconcile", conf))
    with connect_as("engineer") as connection:
        lines = comparisons_of_run(connection, run.dag_id, run.run_id)
    click.echo(json.dumps([line.as_json() for line in lines], indent=2) if as_json else comparison_table(lines))


def named_streams(systems: Mapping[str, System], names: Sequence[str]) -> list[str]:
    """The streams as system.stream; all of a system where only it is named. Raises Fatal for an unknown one."""
    found: list[str] = []
    for name in names:
        system, _, stream = name.partition(".")
        if system not in systems:
            raise Fatal(f"There is no system {system!r} in catalog/systems. There are: {', '.join(systems)}.")
        if stream and stream not in systems[system].streams:
            raise Fatal(f"{system} has no stream {stream!r}. It has: {', '.join(systems[system].streams)}.")
        found += [f"{system}.{each}" for each in ([stream] if stream else systems[system].streams)]
    return list(dict.fromkeys(found))


def one_stream(systems: Mapping[str, System], name: str) -> tuple[str, str]:
    """System and stream of a name that must be system.stream. Raises Fatal for an unknown one, or a whole system."""
    named_streams(systems, [name])
    system, _, stream = name.partition(".")
    if not stream:
        raise Fatal(f"Name one stream, as {system}.{next(iter(systems[system].streams))}.")
    return system, stream
