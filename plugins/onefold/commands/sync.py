"""onefold sync and conform: one run through the scheduler."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.settings import settings


@click.command(epilog="Example: onefold sync salesforce --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z")
@click.argument("system")
@click.option("--from", "start", help="First instant of the window, ISO 8601; default: on from the last load.")
@click.option("--to", "end", help="End of the window, itself outside; default: now.")
@click.option(
    "--accept-deletes",
    "accepted",
    multiple=True,
    metavar="STREAM=RECORDS",
    help="Let so many records of the stream be deleted, though its listing lacks suspiciously many.",
)
@click.option(
    "--anew",
    multiple=True,
    metavar="STREAM",
    help="Read the stream from scratch and compare it whole, whatever it could go on from.",
)
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def sync(
    system: str, start: str | None, end: str | None, accepted: tuple[str, ...], anew: tuple[str, ...], as_json: bool
) -> None:
    """Load one SYSTEM now, all its streams, through the real scheduler."""
    from onefold.catalog.reader import read_systems
    from onefold.commands.past import ask_streams, asked_window, known_system
    from onefold.commands.report_text import load_table, withheld_by_loads
    from onefold.commands.runs import airflow, follow
    from onefold.insight.contract import new_fields
    from onefold.insight.loads import loads_of_run
    from onefold.platform.warehouse import connect_as

    found = known_system(read_systems(), system)
    if start or end:
        ask_streams(found, asked_window(start, end)[0])
    deletes = accepted_deletes(found, accepted)
    if unknown := sorted(set(anew) - found.streams.keys()):
        raise Fatal(
            f"{system} has no stream {', '.join(unknown)}, as --anew asks for. Its streams are: "
            f"{', '.join(found.streams)}. Nothing was started."
        )
    here = settings()
    api = airflow(here)
    api.wait_for_dag(f"sync__{system}")  # of a system that was added just now
    accept = ", ".join(f"{stream}={records}" for stream, records in deletes.items())
    conf = {"start": start, "end": end, "accept_deletes": accept or None, "anew": list(anew) or None}
    run = follow(api, api.start_dag(f"sync__{system}", conf))
    with connect_as("engineer") as connection:
        loads = loads_of_run(connection, run.dag_id, run.run_id)
        of_run = {load.load_id for load in loads}
        new = [each for each in new_fields(connection, {system: found}) if each.load_id in of_run]
    if as_json:
        click.echo(json.dumps([asdict(load) for load in loads], indent=2, default=str))
    else:
        told = [f"New field: {each}; or: bin/onefold accept {system}.{each.stream}" for each in new]
        click.echo("\n".join([load_table(loads), *withheld_by_loads(loads), *told]))


def accepted_deletes(system: System, accepted: Sequence[str]) -> dict[str, int]:
    """How many deletions are accepted of each stream, from texts as customer=812. Raises Fatal for any other."""
    found = {}
    for text in accepted:
        stream, _, records = text.partition("=")
        if stream not in system.streams or not records.isdecimal() or int(records) < 1:
            raise Fatal(
                f"--accept-deletes {text}: write a stream of {system.system} and how many of its records may be "
                f"deleted, as {next(iter(system.streams))}=812. The streams are: {', '.join(system.streams)}."
            )
        found[stream] = int(records)
    return found


@click.command(epilog="Example: onefold conform --json")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def conform(as_json: bool) -> None:
    """Build the entities from what has been loaded since the last publish, and publish them."""
    from onefold.commands.report_text import entity_lines, held_back_lines
    from onefold.commands.runs import airflow, follow
    from onefold.insight.entities import entity_statuses, last_publish_report
    from onefold.insight.held_back import held_back
    from onefold.platform.warehouse import connect_as

    here = settings()
    api = airflow(here)
    follow(api, api.start_dag("conform"))
    with connect_as("engineer") as connection:
        report, entities = last_publish_report(connection), entity_statuses(connection)
        held = held_back_lines(held_back(connection), {})
    click.echo(json.dumps(report, indent=2) if as_json else "\n".join([*entity_lines(entities), *held]))
