"""Brings new checkpoints to their places after a commit, which it must never undo or delay for long."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from onefold.audit.anchor import last_anchor
from onefold.audit.places.place import Place, read_places
from onefold.errors import OnefoldError
from onefold.private_files import draft_private
from onefold.settings import Settings

log = logging.getLogger(__name__)


class Sent(msgspec.Struct, frozen=True):
    """The last attempt at one place: over how many events a checkpoint is there, when it was, and what went wrong."""

    seq: int
    tried_at: float
    error: str | None = None


def places_of(settings: Settings) -> list[Place]:
    """The places that ONEFOLD_CHECKPOINTS names. Raises Fatal when it cannot be read."""
    return read_places(settings.checkpoint_places, settings.checkpoint_authorities)


def send_after_commit(settings: Settings) -> None:
    """Bring the newest checkpoint to the places that are due. Never raises for a setting or a place that is wrong."""
    if settings.checkpoint_places:
        try:
            send(settings.audit_anchor, places_of(settings))
        except (OnefoldError, OSError) as error:
            log.warning("No checkpoint of the audit chain reached a place outside: %s", error)


def send(path: Path, places: Sequence[Place], *, at_once: bool = False) -> dict[str, Sent]:
    """Bring the newest checkpoint of the anchor file to each place where one is due; what was tried last, by place.

    Never raises for a place that fails: it is logged, kept for `onefold audit places`, and tried again later. A process
    that finds another one at it leaves it to that one. With `at_once` every place is due.
    """
    state = path.with_name("places.json")
    with os.fdopen(os.open(path.with_name("places.lock"), os.O_RDWR | os.O_CREAT, 0o600)) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if at_once else fcntl.LOCK_NB))
        except BlockingIOError:
            return {}
        done = last_sent(path)
        newest = last_anchor(path)
        if newest is None or not newest.checkpoint:
            return done
        for place in places:
            before = done.get(place.name, Sent(0, 0))
            if newest.seq == before.seq and before.error is None:
                continue
            if not at_once and time.time() < before.tried_at + place.seconds_between:
                continue
            try:
                place.send(newest, path)
                done[place.name] = Sent(newest.seq, time.time())
            except (OnefoldError, OSError) as error:
                log.warning("No checkpoint of the audit chain reached a place outside: %s", error)
                done[place.name] = Sent(before.seq, time.time(), str(error))
        draft_private(state, msgspec.json.encode(done)).replace(state)
        return done


def last_sent(path: Path) -> dict[str, Sent]:
    """What was tried last at each place, by its name; empty when nothing was, or when that is not known any more."""
    try:
        return msgspec.json.decode(path.with_name("places.json").read_bytes(), type=dict[str, Sent])
    except (OSError, msgspec.MsgspecError):
        return {}
