"""onefold new system: the first draft of a system's YAML, from the source's own description."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from onefold.errors import Fatal
from onefold.settings import ROOT

if TYPE_CHECKING:
    from onefold.draft.model import Draft

KINDS = ("openapi", "wsdl", "edmx", "database", "csv")


@click.group()
def new() -> None:
    """Make first drafts."""


@new.command(epilog="Example: onefold new system invoicing --from openapi openapi.json")
@click.argument("name")
@click.option("--from", "kind", type=click.Choice(KINDS), required=True, help="What LOCATION is.")
@click.argument("location")
@click.option("--stream", "chosen_streams", multiple=True, help="Only this stream; may be given several times.")
@click.option("--title", help="The system's title; default: what the description says.")
@click.option("--stdout", is_flag=True, help="Print the YAML and write nothing.")
def system(
    name: str, kind: str, location: str, chosen_streams: tuple[str, ...], title: str | None, stdout: bool
) -> None:
    """Write catalog/systems/NAME.yaml and a suite per stream, drafted from LOCATION.

    LOCATION is a file (OpenAPI 3, WSDL, an OData service's $metadata, a CSV file), or a database's SQLAlchemy URL. What
    had to be guessed is marked in the YAML. Files that are there are never written over.
    """
    from dataclasses import replace

    from onefold.catalog.reader import read_systems
    from onefold.draft.model import draft_yaml, suite_yaml, with_distinct_names

    draft = _draft(kind, location)
    streams = with_distinct_names(draft.streams)
    if unknown := set(chosen_streams) - {stream.name for stream in streams}:
        names = ", ".join(stream.name for stream in streams)
        raise Fatal(f"there is no stream {', '.join(sorted(unknown))} in it; there are: {names}")
    chosen = [stream for stream in streams if not chosen_streams or stream.name in chosen_streams]
    draft = replace(draft, streams=chosen, title=title or draft.title)
    text = draft_yaml(name, draft, "a database" if kind == "database" else Path(location).name)
    with TemporaryDirectory() as folder:  # a draft that the catalogue would refuse is a mistake of ours
        Path(folder, f"{name}.yaml").write_text(text, encoding="utf-8")
        read_systems(Path(folder))
    if stdout:
        click.echo(text, nl=False)
        return
    files = {ROOT / "catalog" / "systems" / f"{name}.yaml": text}
    files |= {ROOT / "expectations" / f"{name}__{each.name}.yaml": suite_yaml(name, each) for each in chosen}
    if there := [path for path in files if path.exists()]:
        raise Fatal(
            f"{there[0].relative_to(ROOT)} is there already; nothing was written. Take another name, or --stdout."
        )
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
        click.echo(f"written: {path.relative_to(ROOT)}")
    click.echo(f"Next: look at what is marked `check`, add the connection {name}, then run: bin/onefold check")


def _draft(kind: str, location: str) -> Draft:
    if kind == "database":
        from onefold.draft.database import database_draft

        return database_draft(location)
    path = Path(location)
    if not path.is_file():
        raise Fatal(f"there is no file {location}; save the description to a file and name that")
    match kind:
        case "openapi":
            from onefold.draft.openapi import openapi_draft

            return openapi_draft(path.read_text(encoding="utf-8-sig"))
        case "edmx":
            from onefold.draft.edmx import edmx_draft

            return edmx_draft(path.read_bytes())
        case "wsdl":
            from onefold.draft.wsdl import wsdl_draft

            return wsdl_draft(path)
        case _:
            from onefold.draft.csv_file import csv_draft

            return csv_draft(path)
