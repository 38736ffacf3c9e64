"""Checkpoints outside the anchor file: copies that are given to verify, the places where they go, their time-stamps."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from onefold.audit import Anchor, SignedCheckpoint, anchors, last_anchor, read_checkpoint
from onefold.audit.given_up import GivenUp
from onefold.audit.places.append_only import AppendOnlyFile
from onefold.audit.places.bucket import LockedBucket
from onefold.audit.places.place import Place, read_places
from onefold.audit.places.sending import Sent, last_sent, places_of, send
from onefold.audit.places.timestamp import TimeStampAuthority, stamped, time_of
from onefold.errors import Fatal, OnefoldError
from onefold.settings import Settings, settings
from onefold.text_table import table


def holds_anchors(path: Path) -> bool:
    """Whether a copy is a file of anchors, a line each, and not one signed note."""
    with path.open("rb") as file:
        return file.read(1) == b"{"


def signed_anchors(path: Path) -> Iterator[Anchor]:
    """The anchors of a copied file that are checkpoints."""
    return (each for each in anchors(path) if each.checkpoint)


def anchors_that_count(path: Path, given_up: GivenUp, tell: Callable[[str], None]) -> Iterator[Anchor]:
    """The anchors of a copied file that the chain must have; says how many others a restore gave up."""
    count, last = 0, None
    for each in signed_anchors(path):
        if restore := given_up.by_anchor(each):
            count, last = count + 1, restore
        else:
            yield each
    if last:
        tell(f"{path}: {count} of its checkpoints are over events that were given up, the last ones by {last.text}.")


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


@dataclass(frozen=True)
class Copy:
    """A copied checkpoint, and where it is."""

    where: str
    signed: SignedCheckpoint


def copies_of(
    names: Sequence[str], here: Settings | None, tell: Callable[[str], None]
) -> tuple[list[Path], list[Copy]]:
    """The files that `--with` names, and the checkpoints in the buckets that it names.

    With `here` also what ONEFOLD_CHECKPOINTS has made; `tell` hears of what of it cannot be read from here. Raises
    Fatal when what is named cannot be read.
    """
    files = [Path(name) for name in names if not name.startswith("s3:")]
    for file in files:
        if not file.is_file():
            raise Fatal(f"--with names {file}, which is no file. Give a copied checkpoint, an anchor file or s3://….")
    copies = [
        copy for name in names if name.startswith("s3:") for place in read_places(name) for copy in _in(place, tell)
    ]
    for place in places_of(here) if here else ():
        try:
            copies += _in(place, tell)
        except OnefoldError as error:
            tell(f"Not read, and so not compared: {error}")
    return [*files, *(copies_kept(here) if here else ())], copies


def _in(place: Place, tell: Callable[[str], None]) -> list[Copy]:
    """What is in a bucket; nothing for a place of another kind."""
    if not isinstance(place, LockedBucket):
        return []
    found = list(place.read())
    for kept in found:
        if kept.put_over:
            over = f"was overwritten or deleted (versions: {kept.put_over + 1}); its oldest version counts"
            tell(f"{place.name}: {kept.key} {over}.")
    return [Copy(f"{place.name}: {kept.key}", kept.copy) for kept in found]


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
