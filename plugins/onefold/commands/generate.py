"""onefold generate: write everything that is generated from the catalogue."""

from __future__ import annotations

import click

from onefold.catalog import json_schema, readme
from onefold.catalog.reader import read_catalog
from onefold.mapping.generate import generate as generate_mapping
from onefold.settings import ROOT


@click.command(epilog="Example: onefold generate --check")
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 when a file is stale or a migration is missing."
)
@click.option(
    "--accept-loss",
    multiple=True,
    metavar="ENTITY[.ATTRIBUTE]",
    help="Let the migration lose these values (dropped, or of another type); can be given several times.",
)
@click.option(
    "--forms",
    is_flag=True,
    help="Also write the tables of countries, telephone numbers and postal codes anew from the installed packages.",
)
def generate(check: bool, accept_loss: tuple[str, ...], forms: bool) -> None:
    """Write what follows from the catalogue: dbt models with their documentation and unit tests, the migration of the
    entities' tables, the editors' schemas, the README's table of systems, and the Python client of the register API."""
    if forms:
        from onefold.mapping.forms import tables  # takes seconds to import, and is seldom needed

        for path in tables.generate():
            click.echo(f"written: {path.relative_to(ROOT)}")
    from onefold.serve import python_client

    schemas = json_schema.generate(check)
    catalog = read_catalog()
    table = readme.generate(catalog.systems.values(), check)
    client = python_client.generate(catalog, check)
    stale = [
        *schemas,
        *table,
        *client,
        *generate_mapping(catalog.entities, catalog.systems, check, accept_loss=accept_loss),
    ]
    for path in stale:
        click.echo(f"{'stale' if check else 'written' if path.exists() else 'removed'}: {path.relative_to(ROOT)}")
    if not stale:
        click.echo("Everything that is generated is fresh.")
    elif check:
        click.echo("The catalogue has changed since these were generated. Run: bin/onefold generate", err=True)
        raise SystemExit(1)
