"""Checkpoints of the chain, in a file outside the database: they show deleted last events, or a rewritten chain.

Each machine has such a file; what is in all of them is in audit.anchor (anchor_store.py).

Each line is one JSON object: the head (seq, hash, at) and the signed checkpoint over all events up to it. Lines of
releases before checkpoints hold the head alone; they stay, and are verified like the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from onefold.errors import Fatal

_TAIL_BYTES = 16_384  # far more than one anchor's line


class Anchor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The chain's head when it was anchored: event `seq`, of time `at`, had this hash.

    `checkpoint` is the signed note over the events up to it; empty in what was written before there were any.
    """

    seq: int
    hash: str
    at: str
    checkpoint: str = ""


def anchors(path: Path) -> Iterator[Anchor]:
    """Every anchor that the file has when reading starts, oldest first.

    Anchors that are added later may be of events that the reader of the chain does not see yet. A last line without
    its end was written by a process that was stopped, and is skipped. Raises Fatal, naming the line, when one cannot be
    read.
    """
    with path.open("rb") as lines:
        left = os.fstat(lines.fileno()).st_size
        for number, line in enumerate(lines, start=1):
            left -= len(line)
            if left < 0:
                return
            if line.endswith(b"\n"):
                yield _decode(line, path, f"line {number}")


def last_anchor(path: Path) -> Anchor | None:
    """The newest anchor of the file; None when there is none. Raises Fatal when it cannot be read."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        whole = _whole_tail(file)[0]
    return _decode(whole.splitlines()[-1], path, "last line") if whole else None


def anchors_after(path: Path, seq: int) -> Iterator[Anchor]:
    """The anchors of events after `seq`; reads the file's end only, where that is enough."""
    with path.open("rb") as file:
        whole = _whole_tail(file)[0]
        at_start = file.seek(0, os.SEEK_END) <= _TAIL_BYTES
    tail = [_decode(line, path, "last lines") for line in whole.splitlines()[0 if at_start else 1 :]]
    enough = at_start or (bool(tail) and tail[0].seq <= seq)
    yield from (each for each in (tail if enough else anchors(path)) if each.seq > seq)


def last_whole_line(file: IO[bytes], path: Path) -> Anchor | None:
    """The newest anchor. An incomplete line after it (its writer was stopped) is cut off, so that the next line is
    complete.
    """
    whole, end = _whole_tail(file)
    if end < file.seek(0, os.SEEK_END):
        file.truncate(end)
    return _decode(whole.splitlines()[-1], path, "last line") if whole else None


def _whole_tail(file: IO[bytes]) -> tuple[bytes, int]:
    """The last complete lines of the file, and where they end."""
    start = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
    file.seek(start)
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    return whole, start + len(whole)


def _decode(line: bytes, path: Path, where: str) -> Anchor:
    try:
        return msgspec.json.decode(line, type=Anchor)
    except msgspec.MsgspecError as error:
        raise Fatal(
            f"{path}, {where} is not an anchor ({error}). Compare the file with its backup: "
            "without it, nobody can see that the last audit events were deleted."
        ) from error
