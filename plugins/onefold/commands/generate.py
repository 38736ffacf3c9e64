"""onefold generate: write everything that is generated from the catalogue."""

from __future__ import annotations

import click

from onefold.catalog import json_schema, readme
from onefold.catalog.reader import read_catalog
from onefold.mapping.generate import generate as generate_mapping
from onefold.settings import ROOT


@click.command(epilog="Example: onefold generate --check")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when a file is stale.")
def generate(check: bool) -> None:
    """Write what follows from the catalogue: dbt models with their documentation and unit tests, the editors' schemas,
    and the README's table of systems."""
    schemas = json_schema.generate(check)
    catalog = read_catalog()
    table = readme.generate(catalog.systems.values(), check)
    stale = [*schemas, *table, *generate_mapping(catalog.entities, catalog.systems, check)]
    for path in stale:
        click.echo(f"{'stale' if check else 'written' if path.exists() else 'removed'}: {path.relative_to(ROOT)}")
    if not stale:
        click.echo("Everything that is generated is fresh.")
    elif check:
        click.echo("The catalogue has changed since these were generated. Run: bin/onefold generate", err=True)
        raise SystemExit(1)
