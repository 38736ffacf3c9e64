"""onefold check: is the catalogue right?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from onefold.catalog.data_protection import check_data_protection
from onefold.catalog.reader import read_catalog
from onefold.catalog.yaml_file import CatalogError
from onefold.connectors.check import check_connectors
from onefold.quality.suite import check_suites
from onefold.settings import ROOT


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT,
    help="The checkout whose catalogue is read; default: this one.",
)
def check(as_json: bool, root: Path) -> None:
    """Check the catalogue and the suites: every file, and that what one file names exists in the others.

    Prints how much is integrated, or every mistake with its file, line and remedy; then the exit code is 1.
    """
    try:
        catalog = read_catalog(root)
        check_connectors(catalog.systems, root / "catalog" / "systems")
        check_data_protection(catalog, root)
        expectations = check_suites(catalog, root / "expectations")
    except CatalogError as error:
        _print_mistakes(error, as_json)
        raise SystemExit(1) from None
    counts = {
        "systems": len(catalog.systems),
        "streams": sum(len(system.streams) for system in catalog.systems.values()),
        "entities": len(catalog.entities),
        "expectations": expectations,
    }
    if as_json:
        click.echo(json.dumps({"valid": True, **counts}))
    else:
        summary = ", ".join(f"{count} {what}" for what, count in counts.items())
        click.echo(f"The catalogue is right: {summary}.")


def _print_mistakes(error: CatalogError, as_json: bool) -> None:
    if as_json:
        mistakes = [
            {"file": str(mistake.file), "line": mistake.line, "text": mistake.text} for mistake in error.mistakes
        ]
        click.echo(json.dumps({"valid": False, "mistakes": mistakes}, ensure_ascii=False))
        return
    click.echo(str(error), err=True)
    click.echo(f"\nMistakes in the catalogue: {len(error.mistakes)}. Fix the lines above.", err=True)
