"""onefold slots: what sources keep their logs for, and dropping what no stream reads any more."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command(epilog="Example: onefold slots --drop onefold_stock_level")
@click.option("--drop", "dropped", metavar="SLOT", help="Drop it, and its publication, at the source.")
@click.option("--forget", "forgotten", metavar="SLOT", help="Forget it without asking its source, which is gone.")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def slots(dropped: str | None, forgotten: str | None, as_json: bool) -> None:
    """Show the replication slots that Onefold has made at sources, and which of them no stream reads any more.

    A slot that nobody reads keeps its server's log until the disk is full. One is dropped or forgotten only when its
    stream was taken out of the catalogue, or reads another.
    """
    from onefold.catalog.reader import read_systems
    from onefold.commands.endpoints import endpoint_of
    from onefold.load.source_slots import drop_unused, stream_slots, unused_slots
    from onefold.platform.warehouse import connect_as
    from onefold.text_table import table

    systems = read_systems()
    with connect_as("loader", autocommit=True) as connection:
        if name := dropped or forgotten:
            for line in drop_unused(connection, systems, name, endpoint_of if dropped else None):
                click.echo(line)
            return
        found, unused = stream_slots(connection), unused_slots(connection, systems)
    if as_json:
        shown = [asdict(each) | {"unused": each in unused} for each in found]
        click.echo(json.dumps(shown, indent=2, default=str))
        return
    rows = [
        (each.slot, f"{each.system}.{each.stream}", each.connection, "no" if each in unused else "yes")
        for each in found
    ]
    click.echo(table(("slot", "made for", "connection", "read"), rows, 4) if rows else "There is none.")
    for each in unused:
        click.echo(f"{each.system}.{each.stream}: {each.unused}")
