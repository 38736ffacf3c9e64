"""onefold accept: what a source has changed of a stream's contract, written into the stream's YAML for review."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from onefold.settings import ROOT

if TYPE_CHECKING:
    from onefold.insight.contract import ContractChanges


@click.command(epilog="Example: onefold accept salesforce.account --write")
@click.argument("name", metavar="SYSTEM.STREAM")
@click.option("--write", is_flag=True, help="Change the file; without it the change is only shown.")
def accept(name: str, write: bool) -> None:
    """Show how the YAML of one SYSTEM.STREAM has to change for what its source has changed, or write it.

    Fields that have vanished, that are of another type, and that are new, as its last loads have met them.
    """
    from onefold.catalog.edit_fields import with_fields
    from onefold.catalog.edit_yaml import text_of, unified
    from onefold.catalog.reader import read_catalog
    from onefold.commands.reconcile import one_stream
    from onefold.insight.contract import contract_changes
    from onefold.platform.warehouse import connect_as

    catalog = read_catalog()
    system, stream = one_stream(catalog.systems, name)
    with connect_as("engineer") as connection:
        changes = contract_changes(connection, catalog.systems[system], stream, catalog.entities)
    for line in explained(name, changes):
        click.echo(line)
    settings = changes.settings()
    if not settings:
        click.echo(f"There is nothing to write into catalog/systems/{system}.yaml.")
        return
    path = ROOT / "catalog" / "systems" / f"{system}.yaml"
    before = text_of(path)
    after = with_fields(before, stream, settings)
    click.echo("\n" + unified(ROOT, {path: (before, after)}), nl=False)
    if write:
        path.write_bytes(after.encode())
        click.echo(f"\nWritten. Look at it, run bin/onefold check, then load again: bin/onefold sync {system}")
    else:
        click.echo("\nNothing is written yet. With --write it is.")


def explained(name: str, changes: ContractChanges) -> Iterator[str]:
    """What has changed, who reads it, and what a person has to see to, a line each."""
    gone = [each for each in changes.changed if each.vanished]
    for each in changes.changed:
        yield f"{each.field} was {each.was} and is now {each.is_now} ({each.records:,} records of load {each.load_id})."
        if each.readers and each.vanished:
            yield f"  {', '.join(each.readers)} would be NULL: take {name} out of the sources, or name another field."
        elif each.readers:
            yield (
                f"  {', '.join(each.readers)} read it: see whether the transform understands what it is now, and raise "
                "the entity's version where the meaning changes."
            )
    for new in changes.new:
        yield f"{new.field} is new ({new.type}, {new.records:,} records of load {new.load_id})."
    if gone and changes.new:
        renamed = f"{gone[0].field}: {{path: {changes.new[0].field}}}"
        yield f"If a new field is one that has vanished under another name, write that instead, as {renamed}."
    for field, why in changes.unacceptable.items():
        yield f"{field} is left to you: {why}."
