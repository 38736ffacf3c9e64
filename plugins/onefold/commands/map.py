"""onefold map: a first mapping of a system's fields, proposed from names and values on this machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import psycopg

from onefold.commands.models import WITHOUT_MODEL
from onefold.errors import Fatal, OnefoldError
from onefold.settings import ROOT

if TYPE_CHECKING:
    from onefold.catalog.reader import Catalog
    from onefold.mapping_proposal.assistant import Proposed
    from onefold.mapping_proposal.rules import ProposedRule


@click.group("map")
def map_() -> None:
    """Propose how a system's fields map to entities."""


@map_.command(epilog="Example: onefold map propose erp.klient > mapping.diff")
@click.argument("name", metavar="SYSTEM[.STREAM]")
@click.option(
    "--records", type=click.IntRange(10, 5000), default=1000, show_default=True, help="Looked at, of a stream."
)
@click.option("--write", is_flag=True, help="Apply the diff to catalog/entities.")
@WITHOUT_MODEL
@click.option("--json", "as_json", is_flag=True, help="For scripts: every field with its candidates; no diff.")
def propose(name: str, records: int, write: bool, without_model: bool, as_json: bool) -> None:
    """Propose entity, attribute and transform for each field of a system that has been loaded.

    What is sure is printed as a diff of catalog/entities/*.yaml (standard output), each line with its reasons and an
    example, which is made up where the field is personal. The rest is listed with its three likeliest attributes
    (standard error), for you to decide. Names, values and what other systems are mapped to decide; nothing leaves
    this machine, unless ONEFOLD_LLM names language models: those are told names, types and shares, never a value.
    """
    from onefold.catalog.edit_yaml import unified
    from onefold.catalog.reader import read_catalog
    from onefold.commands.reconcile import named_streams
    from onefold.llm.configuration import is_on
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
        if is_on() and not without_model:
            found = _with_opinions(connection, catalog, system, found, records)
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


def _with_opinions(
    connection: psycopg.Connection, catalog: Catalog, system: str, found: Proposed, records: int
) -> Proposed:
    """The proposals with a model's opinions. Its rules stay only when the catalogue with them passes `check`, and their
    examples hold: of a model's trouble nothing is lost but its opinion."""
    from onefold.commands.models import router
    from onefold.mapping_proposal.opinion_rules import join_opinions, without_opinions
    from onefold.mapping_proposal.yaml_diff import edited

    with ExitStack() as stack:
        try:
            models = stack.enter_context(router())
        except OnefoldError as error:
            click.echo(f"no model's opinion: {error}", err=True)
            return found
        joined = join_opinions(connection, catalog, system, found, models.ask, records)
    for note in joined.notes:
        click.echo(note, err=True)
    by_model = tuple(each for each in joined.proposed.answer.rules if each.opinion)
    files = edited(ROOT / "catalog" / "entities", joined.proposed.answer.rules)
    why = _refused(connection, files, by_model) if by_model else ""
    return without_opinions(joined.proposed, found, why) if why else joined.proposed


def _refused(
    connection: psycopg.Connection, files: Mapping[Path, tuple[str, str]], by_model: tuple[ProposedRule, ...]
) -> str:
    """Why the changed catalogue does not pass; empty when it does. It is read from a folder of its own."""
    from onefold.catalog.reader import read_catalog
    from onefold.catalog.yaml_file import CatalogError
    from onefold.commands.check import check_catalog
    from onefold.mapping_proposal.opinion_rules import failed_examples

    with TemporaryDirectory(prefix="onefold-proposal-") as folder:
        root = _changed_checkout(Path(folder), files)
        try:
            catalog = read_catalog(root)
            check_catalog(catalog, root)
        except CatalogError as error:
            return f"bin/onefold check refuses it: {error.mistakes[0].text}"
        failed = failed_examples(connection, catalog, by_model)
        return f"no example holds for {', '.join(failed)}" if failed else ""


def _changed_checkout(folder: Path, files: Mapping[Path, tuple[str, str]]) -> Path:
    """A checkout that is this one, but for the changed files."""
    (folder / "catalog" / "entities").mkdir(parents=True)
    for name in ("dbt_project", "expectations"):
        (folder / name).symlink_to(ROOT / name)
    for path in (ROOT / "catalog").iterdir():
        if path.name != "entities":
            (folder / "catalog" / path.name).symlink_to(path)
    for path in (ROOT / "catalog" / "entities").iterdir():
        target = folder / "catalog" / "entities" / path.name
        if path in files:
            target.write_bytes(files[path][1].encode())
        else:
            target.symlink_to(path)
    return folder
