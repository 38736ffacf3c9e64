"""Files of a stand-in: which there are by now, and how they come to be on disk.

The things of a book lie in files of so many each. Whatever an advance touched comes in a further file of its own, as
an office sends a correction: under another name, holding its period as it is now.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sandbox.world import Entry, World
from sandbox.world.company import BASE_END, BASE_START

_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Dropped:
    """One file: its name below the folder, when it was written, and what is in it."""

    name: str
    modified: datetime
    content: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Batch:
    """The things of one file after advance number `sequence` (0: of the base world); `touched` are those that the
    advance changed or added."""

    number: int
    sequence: int
    modified: datetime
    entries: list[Entry]
    touched: list[Entry]

    @property
    def suffix(self) -> str:
        """What tells a further file from the first."""
        return f"_kor{self.sequence}" if self.sequence else ""


def batches(world: World, stream: str, of: Callable[[Entry, int], int]) -> Iterator[Batch]:
    """The files of a stream; `of` gives the number of an entry's file by the entry and its place."""
    together: defaultdict[int, list[Entry]] = defaultdict(list)
    for place, entry in enumerate(world.shelf(stream).entries):
        together[of(entry, place)].append(entry)
    for number, entries in together.items():
        touched: defaultdict[int, list[Entry]] = defaultdict(list)
        for entry in entries:
            for sequence in {entry.born, *(past[0] for past in entry.past)}:
                touched[sequence].append(entry)
        for sequence, mine in touched.items():
            there = [entry for entry in entries if entry.at(sequence) is not None]
            stamps = [state[0] for entry in mine if (state := entry.at(sequence))]
            modified = max(stamps) if sequence else _written(number)
            yield Batch(number, sequence, modified, there, mine)


def bring_up(folder: Path, world: World, files: Iterable[Dropped]) -> None:
    """Make the folder hold these files and no others. Each appears whole, by a rename."""
    folder.mkdir(parents=True, exist_ok=True)
    mark, whose = folder / ".world", f"{world.seed} {world.base_size}"
    same = mark.exists() and mark.read_text() == whose
    wanted = {file.name: file for file in files}
    for path in [path for path in folder.rglob("*") if path.is_file() and path != mark]:
        if not same or path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    mark.write_text(whose)
    for file in wanted.values():
        path = folder / file.name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.tmp")
            draft.write_bytes(file.content())
            os.utime(draft, (file.modified.timestamp(),) * 2)
            draft.replace(path)


def _written(number: int) -> datetime:
    """When a file of the base world was written: spread over its time, however many there are."""
    share = (number + 1) * _GOLDEN % 1
    return (BASE_START + (BASE_END - BASE_START - timedelta(days=1)) * share).replace(microsecond=0)
