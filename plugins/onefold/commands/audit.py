"""onefold audit: check or export the chain of audit events, and trace a golden record to its loads."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
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
from onefold.audit.anchor_store import require_all_stored, stored_anchors
from onefold.audit.given_up import ACTIONS as OF_RESTORES
from onefold.audit.given_up import Restore, restores_of, what_was_given_up
from onefold.audit.store import entries_of
from onefold.commands.audit_checkpoints import (
    check_proof_command,
    checkpoint_command,
    prove_command,
    rotate_key_command,
)
from onefold.commands.audit_copies import Copy, anchors_that_count, copies_of, holds_anchors, places_command, read_copy
from onefold.commands.audit_evidence import evidence_command
from onefold.commands.audit_reads import reads_command
from onefold.commands.audit_requests import requests_command
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
    reads_command,
    requests_command,
    restored_command,
):
    audit.add_command(_command)


@audit.command("verify")
@click.option("--file", "export", type=_FILE, help="Check this export, offline, instead of the warehouse.")
@click.option(
    "--with",
    "copied",
    multiple=True,
    help="A checkpoint that was copied elsewhere earlier (`onefold audit checkpoint`), a copied anchor file, or a "
    "bucket (s3://bucket/prefix, as in ONEFOLD_CHECKPOINTS).",
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
    export: Path | None, copied: tuple[str, ...], anchor_file: Path | None, key: Path | None, as_json: bool
) -> None:
    """Check every event's hash and link, every anchor and every copied checkpoint.

    Exits 1 and names the first bad event, or says what is missing: without anchors nothing is proven.
    """
    default = settings().audit_anchor
    local = anchor_file or (None if export else default)
    notes: list[str] = []
    try:
        verdict = _verify(export, local, copied, key, notes.append)
    except (OnefoldError, psycopg.Error) as error:
        if as_json:
            click.echo(json.dumps({"ok": False, "error": str(error).strip()}))
            sys.exit(1)
        raise click.ClickException(str(error).strip()) from error
    problem = _problem(verdict, local)
    facts = {"ok": problem is None, "problem": problem, **asdict(verdict), "notes": notes}
    if not as_json:
        for note in notes:
            click.echo(note)
    click.echo(json.dumps(facts) if as_json else problem or _report(verdict))
    sys.exit(0 if problem is None else 1)


def _verify(
    export: Path | None, local: Path | None, copied: Sequence[str], key: Path | None, tell: Callable[[str], None]
) -> Verdict:
    """`tell` hears of copies over events that a restore gave up, which contradict nothing, and of what was not read."""
    path = local or settings().audit_anchor
    public = signing_key.public_file(path.parent)
    trust = Trust(
        signing_key.read_verifiers(public) if public.exists() else (), signing_key.read_verifiers(key) if key else ()
    )
    paths, read = copies_of(copied, None if export else settings(), tell)

    kept = local if local and local.exists() else None

    def check(entries: Iterator[Entry], restores: Sequence[Restore], stored: Iterable[Anchor] = ()) -> Verdict:
        given_up = what_was_given_up(path, restores)
        for each in given_up.missing:
            tell(f"An anchor file that {each.text} gave up is not beside {path}: put it back, or copies of it fail.")
        # Of a file of anchors each counts below; where nothing was given up, the newest must be among ours besides.
        notes = [Copy(str(file), read_copy(file)) for file in paths if not (restores and holds_anchors(file))]
        copies = []
        for copy in (*notes, *read):
            if restore := given_up.by(copy.signed.checkpoint):
                tell(f"{copy.where}: its {copy.signed.checkpoint.size} events were given up by {restore.text}.")
            else:
                copies.append(copy.signed)
        return verify(
            _counted(entries),
            chain(given_up.kept_anchors(), anchors(kept)) if kept else stored,
            elsewhere=[anchors_that_count(file, given_up, tell) for file in paths if holds_anchors(file)],
            copies=copies,
            trust=trust,
            must_list_copies=local is not None,
        )

    if export:
        return check(entries_from_file(export), restores_of(entries_from_file(export)))
    with connect_as("auditor") as conn, connect_as("auditor") as store:
        found = check(entries_from_database(conn), restores_of(entries_of(conn, OF_RESTORES)), stored_anchors(store))
        if found.ok and kept == settings().audit_anchor:
            require_all_stored(store, anchors(kept))
        return found


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
    where = f"{local} and audit.anchor have no anchors" if local else "no anchors were given"
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
