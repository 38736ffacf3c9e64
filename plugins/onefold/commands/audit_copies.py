"""Checkpoints outside the anchor file: copies that are given to verify, the places where they go, their time-stamps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from onefold.audit import Anchor, SignedCheckpoint, anchors, last_anchor, read_checkpoint
from onefold.audit.places.append_only import AppendOnlyFile
from onefold.audit.places.sending import Sent, last_sent, places_of, send
from onefold.audit.places.timestamp import TimeStampAuthority, stamped, time_of
from onefold.errors import Fatal
from onefold.settings import Settings, settings
from onefold.text_table import table


def holds_anchors(path: Path) -> bool:
    """Whether a copy is a file of anchors, a line each, and not one signed note."""
    with path.open("rb") as file:
        return file.read(1) == b"{"


def signed_anchors(path: Path) -> Iterator[Anchor]:
    """The anchors of a copied file that are checkpoints."""
    return (each for each in anchors(path) if each.checkpoint)


def read_copy(path: Path) -> SignedCheckpoint:
    """A copied checkpoint: a signed note, or the newest line of an anchor file. Raises Fatal when it is neither."""
    try:
        newest = last_anchor(path) if holds_anchors(path) else None
        copied = read_checkpoint(newest.checkpoint if newest else path.read_text("utf-8"))
    except (Fatal, UnicodeDecodeError) as error:
        raise Fatal(f"{path} is no copied checkpoint: {error}") from error
    if copied.checkpoint.size == 0:
        raise Fatal(f"{path} is a checkpoint over no events, which proves nothing.")
    return copied


def copies_kept(here: Settings) -> list[Path]:
    """What this machine can read of the copies that ONEFOLD_CHECKPOINTS made, for verify to check as well.

    The append-only files, and the oldest and the newest checkpoint that has a time-stamp: each stamp must be the
    authority's. Raises Fatal when one is not.
    """
    found = []
    for place in places_of(here):
        if isinstance(place, AppendOnlyFile) and place.is_readable() and place.path.stat().st_size:
            found.append(place.path)
        if isinstance(place, TimeStampAuthority) and (notes := stamped(here.audit_anchor)):
            ends = sorted({notes[0], notes[-1]})
            for note in ends:
                time_of(note, place.roots)
            found += ends
    return found


@click.command("places")
@click.option("--send", "at_once", is_flag=True, help="First bring the newest checkpoint to each place, due or not.")
def places_command(at_once: bool) -> None:
    """Show where checkpoints go besides, how far each place is, and whether we could rewrite it. Exits 1 on trouble."""
    here = settings()
    places = places_of(here)
    if not places:
        raise Fatal("ONEFOLD_CHECKPOINTS names no place outside this installation (docs/checkpoints.md).")
    sent = send(here.audit_anchor, places, at_once=True) if at_once else last_sent(here.audit_anchor)
    newest = last_anchor(here.audit_anchor)
    rows, troubles = [], []
    for place in places:
        last = sent.get(place.name, Sent(0, 0))
        covers = f"{last.seq:,} of {newest.seq if newest else 0:,} events"
        hint = place.how_to_rewrite() if isinstance(place, AppendOnlyFile) else None
        rows.append([place.name, covers, _stamps(here, place) if isinstance(place, TimeStampAuthority) else ""])
        troubles += [f"{place.name}: {text}" for text in (last.error, hint and f"can be rewritten: {hint}") if text]
    click.echo(table(["place", "covers", "time-stamps"], rows, 3))
    for trouble in troubles:
        click.echo(trouble, err=True)
    sys.exit(1 if any(place.error for place in sent.values()) else 0)


def _stamps(here: Settings, place: TimeStampAuthority) -> str:
    notes = stamped(here.audit_anchor)
    if not notes:
        return "none"
    first, last = time_of(notes[0], place.roots), time_of(notes[-1], place.roots)
    return (
        f"{len(notes):,} from {first:%Y-%m-%d %H:%M:%S} (event {int(notes[0].stem):,}) to {last:%Y-%m-%d %H:%M:%S} UTC"
    )
