"""onefold check: is the catalogue right? And with --connect: what would each stream load?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click

from onefold.catalog.data_protection import check_data_protection
from onefold.catalog.delivery_target import DeliveryTarget, read_delivery_targets
from onefold.catalog.prices import read_prices
from onefold.catalog.reader import Catalog, read_catalog
from onefold.catalog.target_reader import read_targets
from onefold.catalog.yaml_file import CatalogError
from onefold.connectors.check import check_connectors
from onefold.deliver.clients import missing_clients
from onefold.draft.marks import MarkLeft, marks_left
from onefold.errors import OnefoldError
from onefold.quality.suite import check_suites
from onefold.settings import ROOT

ALL = "(all)"


@click.command(epilog="Example: onefold check --connect invoicing.customer")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT,
    help="The checkout whose catalogue is read; default: this one.",
)
@click.option(
    "--connect",
    "connected",
    is_flag=False,
    flag_value=ALL,
    metavar="[SYSTEM[.STREAM]]",
    help="Ask the source for one page of each stream and show what it would load. Nothing is written.",
)
@click.option("--since", help="With --connect: from when on, ISO 8601; default: as a first load would ask.")
def check(as_json: bool, root: Path, connected: str | None, since: str | None) -> None:
    """Check the catalogue and the suites: every file, and that what one file names exists in the others.

    Prints how much is integrated and which marks of drafts are left, or every mistake with its file, line and remedy;
    then the exit code is 1. With --connect also 1 when a stream cannot be read, or the gate would refuse what it sees.
    """
    try:
        catalog = read_catalog(root)
        if connected is None:
            targets, expectations = check_catalog(catalog, root)
    except CatalogError as error:
        _print_mistakes(error, as_json)
        raise SystemExit(1) from None
    if connected is not None:
        raise SystemExit(_try(catalog, connected, since, as_json))
    counts = {
        "systems": len(catalog.systems),
        "streams": sum(len(system.streams) for system in catalog.systems.values()),
        "entities": len(catalog.entities),
        "expectations": expectations,
    }
    marks = list(marks_left(root / "catalog" / "systems"))
    missing = missing_clients(targets.values())
    if as_json:
        told = [{"file": str(mark.file), "line": mark.line, "text": mark.text} for mark in marks]
        click.echo(json.dumps({"valid": True, **counts, "marks": told, "missing": missing}, ensure_ascii=False))
        return
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    click.echo(f"The catalogue is right: {summary}.")
    for line in missing:
        click.echo(line)
    _print_marks(marks, root)


def check_catalog(catalog: Catalog, root: Path) -> tuple[dict[str, DeliveryTarget], int]:
    """Check all that a checkout says besides; its warehouses to deliver to, and the number of expectations. Raises
    CatalogError."""
    check_connectors(catalog.systems, root / "catalog" / "systems")
    check_data_protection(catalog, root)
    read_targets(catalog, root)
    read_prices(catalog.systems, root)
    return read_delivery_targets(catalog.entities, root), check_suites(catalog, root / "expectations")


def _try(catalog: Catalog, connected: str, since: str | None, as_json: bool) -> int:
    """Ask for a page of each stream; the exit code."""
    from onefold.commands.endpoints import endpoint_of
    from onefold.commands.reconcile import named_streams
    from onefold.draft.trial import Trial, try_stream
    from onefold.draft.trial_text import trial_json, trial_text
    from onefold.orchestration.forms import instant

    start = instant(since)
    trials: list[Trial] = []
    names = named_streams(catalog.systems, [*catalog.systems] if connected == ALL else [connected])
    for system, of_system in groupby(names, key=lambda name: name.partition(".")[0]):
        streams = [name.partition(".")[2] for name in of_system]
        try:
            endpoint = endpoint_of(catalog.systems[system].connection)
        except OnefoldError as error:
            found = [Trial(f"{system}.{stream}", str(error)) for stream in streams]
        else:
            found = [try_stream(catalog.systems[system], stream, endpoint, since=start) for stream in streams]
        trials += found
        if not as_json:
            click.echo("\n\n".join(map(trial_text, found)) + "\n")
    failed = sum(trial.failed is not None for trial in trials)
    doubtful = sum(bool(trial.problems) for trial in trials)
    if as_json:
        click.echo(json.dumps([trial_json(trial) for trial in trials], ensure_ascii=False, indent=2))
    else:
        skipped = sum(trial.skipped is not None for trial in trials)
        right, tried = len(trials) - failed - doubtful - skipped, len(trials) - skipped
        click.echo(f"{right} of {tried} streams would load; {doubtful} have problems, {failed} cannot be read.")
    return 1 if failed or doubtful else 0


def _print_marks(marks: Sequence[MarkLeft], root: Path) -> None:
    if not marks:
        return
    click.echo(f"Marks of drafts left to check: {len(marks)}. Delete each once you have seen to it:")
    for file, of_file in groupby(marks, key=lambda mark: mark.file):
        lines = ", ".join(str(mark.line) for mark in of_file)
        click.echo(f"  {file.relative_to(root)}, lines {lines}")


def _print_mistakes(error: CatalogError, as_json: bool) -> None:
    if as_json:
        mistakes = [
            {"file": str(mistake.file), "line": mistake.line, "text": mistake.text} for mistake in error.mistakes
        ]
        click.echo(json.dumps({"valid": False, "mistakes": mistakes}, ensure_ascii=False))
        return
    click.echo(str(error), err=True)
    click.echo(f"\nMistakes in the catalogue: {len(error.mistakes)}. Fix the lines above.", err=True)
