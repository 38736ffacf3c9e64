"""onefold audit: check or export the chain of audit events, and trace a golden record to its loads."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from uuid import UUID

import click
import psycopg

from onefold.audit import (
    Anchor,
    Entry,
    Trust,
    Verdict,
    anchors,
    canonical,
    entries_from_database,
    entries_from_file,
    signing_key,
    verify,
)
from onefold.audit.restore import ACTION as RESTORED
from onefold.audit.restore import Restore, hash_of, restores_of, without_given_up
from onefold.audit.store import entries_of
from onefold.commands.audit_checkpoints import (
    check_proof_command,
    checkpoint_command,
    prove_command,
    rotate_key_command,
)
from onefold.commands.audit_copies import copies_kept, holds_anchors, places_command, read_copy, signed_anchors
from onefold.commands.audit_evidence import evidence_command
from onefold.commands.audit_restored import restored_command
from onefold.errors import Fatal, OnefoldError
from onefold.platform.warehouse import connect_as
from onefold.settings import settings

_SECONDS_BETWEEN_REPORTS = 2.0
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """What happened, provably: the chain of audit events, and the provenance of each golden record."""


for _command in (
    checkpoint_command,
    places_command,
    prove_command,
    check_proof_command,
    rotate_key_command,
    evidence_command,
    restored_command,
):
    audit.add_command(_command)


@audit.command("verify")
@click.option("--file", "export", type=_FILE, help="Check this export, offline, instead of the warehouse.")
@click.option(
    "--with",
    "copied",
    type=_FILE,
    multiple=True,
    help="A checkpoint that was copied elsewhere earlier (`onefold audit checkpoint`), or a copied anchor file.",
)
@click.option(
    "--anchor",
    "anchor_file",
    type=_FILE,
    help="The anchor file. Default for the warehouse: audit/anchor.jsonl in Onefold's home.",
)
@click.option(
    "--key", type=_FILE, help="The public keys that you were given. Default: signing.pub beside the anchor file."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
def verify_command(
    export: Path | None, copied: tuple[Path, ...], anchor_file: Path | None, key: Path | None, as_json: bool
) -> None:
    """Check every event's hash and link, every anchor and every copied checkpoint.

    Exits 1 and names the first bad event, or says what is missing: without anchors nothing is proven.
    """
    default = settings().audit_anchor
    local = anchor_file or (None if export else default)
    try:
        verdict = _verify(export, local, copied, key)
    except (OnefoldError, psycopg.Error) as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "error": str(error).strip()}))
            sys.exit(1)
        raise click.ClickException(str(error).strip()) from error
    problem = _problem(verdict, local)
    facts = {"ok": problem is None, "problem": problem, **asdict(verdict)}
    click.echo(json.dumps(facts) if as_json else problem or _report(verdict))
    sys.exit(0 if problem is None else 1)


def _verify(export: Path | None, local: Path | None, copied: Sequence[Path], key: Path | None) -> Verdict:
    heads = anchors(local) if local and local.exists() else ()
    public = signing_key.public_file((local or settings().audit_anchor).parent)
    trust = Trust(
        signing_key.read_verifiers(public) if public.exists() else (), signing_key.read_verifiers(key) if key else ()
    )
    paths = [*copied, *(() if export else copies_kept(settings()))]

    def check(entries: Iterator[Entry], restores: Sequence[Restore], has: Callable[[int], str | None]) -> Verdict:
        # Of a file of anchors, a restore may have given up the newest: then each of the others counts.
        notes = [path for path in paths if not (restores and holds_anchors(path))]
        files = [path for path in paths if holds_anchors(path)]
        return verify(
            _counted(entries),
            heads,
            elsewhere=[_anchors_that_count(path, restores, has) for path in files],
            copies=[read_copy(path) for path in notes],
            trust=trust,
            must_list_copies=local is not None,
        )

    if export:
        told = restores_of(entries_from_file(export))
        given_up = range(told[0].kept_seq + 1, max(each.anchored_seq for each in told) + 1) if told else range(0)
        known = {each.seq: str(each.hash) for each in entries_from_file(export) if each.seq in given_up}
        return check(entries_from_file(export), told, known.get)
    with connect_as("auditor") as conn:
        return check(entries_from_database(conn), restores_of(entries_of(conn, RESTORED)), partial(hash_of, conn))


def _anchors_that_count(path: Path, restores: Sequence[Restore], has: Callable[[int], str | None]) -> Iterable[Anchor]:
    if not restores:
        return signed_anchors(path)
    left, given_up = without_given_up(signed_anchors(path), restores, has)
    if given_up:
        events = ", ".join(str(restore.seq) for restore in restores)
        click.echo(f"{path}: {given_up} checkpoints are over events that a restore gave up (event {events})", err=True)
    return left


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


def _problem(verdict: Verdict, local: Path | None) -> str | None:
    """What is wrong, or not proven, in words; None when all is well."""
    if verdict.fault:
        return (
            f"BROKEN at event {verdict.fault.seq}: {verdict.fault.reason}.\n"
            f"The {verdict.events} events before it are intact (head {verdict.head_hash[:16]}…). "
            "What to do: docs/runbooks/broken-chain.md."
        )
    if verdict.anchors or (verdict.copies and local is None):
        return None
    where = f"{local} is not there or has no anchors" if local else "no anchors were given"
    remedy = (
        "Restore the file from its backup, or give a checkpoint that was copied earlier by --with; `onefold audit "
        "checkpoint` begins a new file, which proves nothing of what was before it (docs/runbooks/broken-chain.md)."
        if local
        else "Give the anchor file by --anchor, or a copied checkpoint by --with."
    )
    return (
        f"NOT PROVEN: {verdict.events} events follow from each other, but {where}, so that deleted last events, or a "
        f"chain written anew, cannot be ruled out. {remedy}"
    )


def _report(verdict: Verdict) -> str:
    after = verdict.events - verdict.covered
    held = f"{verdict.anchors} anchored heads ({verdict.signed} signed) are all in it"
    held += f", and {verdict.copies} copied checkpoints" if verdict.copies else ""
    rest = f"; the last {after} events came after the newest of them" if after else ""
    return f"OK: {verdict.events} events, head {verdict.head_seq} ({verdict.head_hash[:16]}…). {held}{rest}."


def _counted(entries: Iterator[Entry]) -> Iterator[Entry]:
    """The same entries; says on stderr how far it is, where that takes long."""
    started = reported = time.monotonic()
    for count, entry in enumerate(entries, start=1):
        if count % 10_000 == 0 and (now := time.monotonic()) - reported >= _SECONDS_BETWEEN_REPORTS:
            reported = now
            click.echo(f"{count:,} events, {count / (now - started):,.0f} a second", err=True)
        yield entry
