"""onefold map: a first mapping of a system's fields, proposed from names and values on this machine."""

from __future__ import annotations

import json

import click

from onefold.errors import Fatal
from onefold.settings import ROOT


@click.group("map")
def map_() -> None:
    """Propose how a system's fields map to entities."""


@map_.command(epilog="Example: onefold map propose erp.klient > mapping.diff")
@click.argument("name", metavar="SYSTEM[.STREAM]")
@click.option(
    "--records", type=click.IntRange(10, 5000), default=1000, show_default=True, help="Looked at, of a stream."
)
@click.option("--write", is_flag=True, help="Apply the diff to catalog/entities.")
@click.option("--json", "as_json", is_flag=True, help="For scripts: every field with its candidates; no diff.")
def propose(name: str, records: int, write: bool, as_json: bool) -> None:
    """Propose entity, attribute and transform for each field of a system that has been loaded.

    What is sure is printed as a diff of catalog/entities/*.yaml (standard output), each line with its reasons and an
    example, which is made up where the field is personal. The rest is listed with its three likeliest attributes
    (standard error), for you to decide. Names, values and what other systems are mapped to decide; nothing leaves
    this machine.
    """
    from onefold.catalog.edit_yaml import unified
    from onefold.catalog.reader import read_catalog
    from onefold.commands.reconcile import named_streams
    from onefold.mapping_proposal.assistant import proposed_mapping
    from onefold.mapping_proposal.report import as_json as json_of
    from onefold.mapping_proposal.report import report_lines
    from onefold.mapping_proposal.yaml_diff import edited
    from onefold.platform.warehouse import connect_as

    catalog = read_catalog()
    system, _, stream = name.partition(".")
    named_streams(catalog.systems, [name])
    with connect_as("loader", autocommit=True) as connection:
        found = proposed_mapping(connection, catalog, system, [stream] if stream else [], records)
    if as_json:
        click.echo(json.dumps(json_of(system, found), indent=2, ensure_ascii=False))
        return
    for line in report_lines(system, found):
        click.echo(line, err=True)
    files = edited(ROOT / "catalog" / "entities", found.answer.rules)
    if not write:
        click.echo(unified(ROOT, files), nl=False)
        return
    if not files:
        raise Fatal("nothing is sure enough to be written; decide about the fields above and map them by hand")
    for path, (_, after) in files.items():
        path.write_bytes(after.encode())
        click.echo(f"changed: {path.relative_to(ROOT)}")
    click.echo(
        f"Next: look at each line marked `proposed`, give {system} its place under trust, then run: bin/onefold check "
        "&& bin/onefold generate"
    )
