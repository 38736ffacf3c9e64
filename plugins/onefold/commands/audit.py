"""onefold audit: check or export the chain of audit events, and trace a golden record to its loads."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import click
import psycopg

from onefold.audit import Entry, Verdict, anchors, canonical, entries_from_database, entries_from_file, verify
from onefold.errors import Fatal, OnefoldError
from onefold.platform.warehouse import connect_as
from onefold.settings import settings

_SECONDS_BETWEEN_REPORTS = 2.0


@click.group()
def audit() -> None:
    """What happened, provably: the chain of audit events, and the provenance of each golden record."""


@audit.command("verify")
@click.option(
    "--file",
    "export",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check this export, offline, instead of the warehouse.",
)
@click.option(
    "--anchor",
    "anchor_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The anchored heads. Default for the warehouse: audit/anchor.jsonl in Onefold's home.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
def verify_command(export: Path | None, anchor_file: Path | None, as_json: bool) -> None:
    """Check every event's hash and link, and every anchored head. Exits 1 and names the first bad event."""
    if anchor_file is None and export is None:
        default = settings().audit_anchor
        anchor_file = default if default.exists() else None
    try:
        heads = anchors(anchor_file) if anchor_file else ()
        if export:
            verdict = verify(_counted(entries_from_file(export)), heads)
        else:
            with connect_as("auditor") as conn:
                verdict = verify(_counted(entries_from_database(conn)), heads)
    except (OnefoldError, psycopg.Error) as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "error": str(error).strip()}))
            sys.exit(1)
        raise click.ClickException(str(error).strip()) from error
    click.echo(json.dumps({"ok": verdict.ok, **asdict(verdict)}) if as_json else _report(verdict, anchor_file))
    sys.exit(0 if verdict.ok else 1)


@audit.command("export")
def export_command() -> None:
    """Write every event to stdout, one canonical JSON object (RFC 8785) a line."""
    out = sys.stdout.buffer
    try:
        with connect_as("auditor") as conn:
            for entry in _counted(entries_from_database(conn)):
                out.write(canonical(entry) + b"\n")
    except (OnefoldError, psycopg.Error) as error:
        raise click.ClickException(str(error).strip()) from error
    out.flush()


@audit.command("trace", epilog="Example: onefold audit trace customer 0a3f7c1e-5b0d-4c61-9d2e-7f3f0d9b6a11")
@click.argument("entity")
@click.argument("golden_id", type=click.UUID)
@click.option("--json", "as_json", is_flag=True, help="One JSON object an attribute and line.")
def trace_command(entity: str, golden_id: UUID, as_json: bool) -> None:
    """Show where each attribute of a golden record came from: system, key, field, transform, mapping version, load.

    Values of personal attributes are left out.
    """
    from onefold.catalog.reader import read_catalog
    from onefold.conform.provenance import trace_provenance

    entities = read_catalog().entities
    if entity not in entities:
        raise Fatal(f"There is no entity {entity!r} in catalog/entities. There are: {', '.join(entities)}.")
    with connect_as("engineer") as connection:
        provenance = trace_provenance(connection, entities[entity], golden_id)
    if not provenance:
        raise Fatal(f"No {entity} with id {golden_id} is published now; the ids are in the view conformed.{entity}.")
    for each in provenance:
        if as_json:
            click.echo(json.dumps(asdict(each), ensure_ascii=False))
            continue
        value = "(personal)" if each.value is None else each.value
        made = f"{each.field or 'constant'} by {each.transform}, mapping {each.mapping_version}"
        click.echo(f"{each.attribute:<22} {value}")
        click.echo(f"{'':<22}   {each.system}.{each.stream} {each.key}: {made}, load {each.load_id}")


def _report(verdict: Verdict, anchor_file: Path | None) -> str:
    if verdict.fault:
        return (
            f"BROKEN at event {verdict.fault.seq}: {verdict.fault.reason}.\n"
            f"The {verdict.events} events before it are intact (head {verdict.head_hash[:16]}…)."
        )
    held = (
        f"{verdict.anchors} anchored heads of {anchor_file} are all in it."
        if anchor_file
        else "No anchors were checked, so a cut tail cannot be ruled out: give --anchor."
    )
    return f"OK: {verdict.events} events, head {verdict.head_seq} ({verdict.head_hash[:16]}…). {held}"


def _counted(entries: Iterator[Entry]) -> Iterator[Entry]:
    """The same entries; says on stderr how far it is, where that takes long."""
    started = reported = time.monotonic()
    for count, entry in enumerate(entries, start=1):
        if count % 10_000 == 0 and (now := time.monotonic()) - reported >= _SECONDS_BETWEEN_REPORTS:
            reported = now
            click.echo(f"{count:,} events, {count / (now - started):,.0f} a second", err=True)
        yield entry
