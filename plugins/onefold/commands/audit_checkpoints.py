"""onefold audit checkpoint, prove, check-proof, rotate-key: what is signed over the audit chain."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click
import psycopg

from onefold.audit import AuditEvent, SignedCheckpoint, actor, anchor, append, last_anchor, read_checkpoint, signing_key
from onefold.audit.proof import consistency_proof, fault_of, hashes_from_database, inclusion_proof, read_proof
from onefold.audit.signed_note import Verifier
from onefold.audit.store import entry_from_database
from onefold.commands.audit_copies import read_copy
from onefold.errors import Fatal
from onefold.platform.warehouse import connect_as
from onefold.settings import settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("checkpoint", epilog="Example: onefold audit checkpoint > /media/usb/onefold.checkpoint")
def checkpoint_command() -> None:
    """Print the newest signed checkpoint. Keep copies where this machine cannot reach them."""
    click.echo(_newest(), nl=False)


@click.command("prove", epilog="Example: onefold audit prove 41 > event-41.tlog-proof")
@click.argument("event", type=click.IntRange(min=1), required=False)
@click.option("--since", type=_FILE, help="Prove instead that the log still begins with this copied checkpoint.")
def prove_command(event: int | None, since: Path | None) -> None:
    """Prove that one event is in the log, or that the log continues an older checkpoint, to somebody without access."""
    if (event is None) == (since is None):
        raise click.UsageError("Give the number of an event, or --since and a copied checkpoint.")
    newest = _newest()
    size = read_checkpoint(newest).checkpoint.size
    with connect_as("auditor") as conn, closing(hashes_from_database(conn, size)) as leaves:
        if since is not None:
            click.echo(consistency_proof(read_copy(since), leaves, newest), nl=False)
        elif event is not None:
            click.echo(inclusion_proof(entry_from_database(conn, event), leaves, newest), nl=False)


@click.command("check-proof")
@click.argument("file", type=_FILE)
@click.option("--with", "copy", type=_FILE, help="The copied checkpoint that a proof of consistency begins at.")
@click.option("--key", type=_FILE, help="The public keys that you trust. Default: signing.pub of this installation.")
def check_proof_command(file: Path, copy: Path | None, key: Path | None) -> None:
    """Check a proof without the warehouse. Exits 1 and says why when it does not hold."""
    proof = read_proof(file.read_text("utf-8"))
    keys = signing_key.read_verifiers(key or signing_key.public_file(settings().audit_anchor.parent))
    old = read_copy(copy) if copy else None
    for what, signed in (("checkpoint in the proof", proof.checkpoint), ("copied checkpoint", old)):
        if signed is not None and not _signed_by_one_of(keys, signed):
            raise Fatal(f"The {what} is not signed by any of the keys given.")
    if reason := fault_of(proof, old):
        raise Fatal(f"The proof does not hold: {reason}.")
    head = proof.checkpoint.checkpoint
    if proof.entry is not None:
        what = f"event {proof.entry.seq} ({proof.entry.action} {proof.entry.subject} at {proof.entry.at}) is one"
        click.echo(f"OK: {what} of the {head.size} events of {head.origin}.")
    else:
        click.echo(
            f"OK: the {head.size} events of {head.origin} begin with the {proof.old_size} of the copied checkpoint."
        )


@click.command("rotate-key")
@click.option("--lost", is_flag=True, help="The private key is gone: begin with a new one, which nothing vouches for.")
def rotate_key_command(lost: bool) -> None:
    """Replace the key that signs checkpoints. The old key signs one last checkpoint together with the new one."""
    path = settings().audit_anchor
    folder = path.parent
    new = signing_key.replace_lost_key(folder) if lost else signing_key.begin_rotation(folder)
    with connect_as("loader", autocommit=True) as conn:
        append(conn, AuditEvent(actor(), "checkpoint.key", f"key:{new.key_id.hex()}", payload={"lost": lost}))
        anchor(conn, path)
    signing_key.end_rotation(folder)
    click.echo(f"Checkpoints are now signed by {new.text}")
    click.echo(f"Give {signing_key.public_file(folder)} to whoever verifies.")


def _newest() -> str:
    """The newest checkpoint, made now when there are newer events; a signed note."""
    path = settings().audit_anchor
    try:
        with connect_as("loader", autocommit=True) as conn:
            anchor(conn, path)
    except psycopg.Error as error:
        raise Fatal(f"The audit chain cannot be read: {str(error).strip()}") from error
    newest = last_anchor(path)
    if newest is None:
        raise Fatal("There is no audit event yet, so there is nothing to sign.")
    return newest.checkpoint


def _signed_by_one_of(keys: list[Verifier], signed: SignedCheckpoint) -> bool:
    return any(signed.signed_by(key) for key in keys)
