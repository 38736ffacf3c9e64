"""What staging, quarantine and cursor must hold, worked out with plain dicts from what the loads have read.

Nothing of the engine is used. A load says of each key what it read and how the gate judged that; folding the published
loads in their order gives everything that is visible. A load that was rolled back is simply not folded.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from tests.load.shop import MORNING

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LOOK_BACK = timedelta(minutes=10)


def moment(minute: int) -> datetime:
    """A minute of the source's clock."""
    return MORNING + timedelta(minutes=minute)


class Said(NamedTuple):
    """What the source says of a key: since which minute of its clock, what, and whether it is deleted."""

    minute: int
    credit: int
    deleted: bool = False


@dataclass(frozen=True)
class Read:
    """A reading: what was said, when it was read (a step's number), and the verdict; None: no gate has judged it."""

    said: Said
    at: int
    good: bool | None = None

    @property
    def age(self) -> tuple[int, int]:
        """By the source's clock; where that is the same, what was read later is newer."""
        return self.said.minute, self.at

    def differs_from(self, held: Read | None) -> bool:
        """Whether it is to be written where `held` is the newest version."""
        return held is None or (self.said != held.said and self.age >= held.age)


class RowId(NamedTuple):
    """A row in quarantine: the load that had it refused, and its key."""

    load: int
    key: str


@dataclass(frozen=True)
class Row:
    """A row in quarantine: what it holds, which load closed it (None: it waits), and whether that was by a replay."""

    read: Read
    closed_by: int | None = None
    replayed: bool = False


@dataclass
class Load:
    """A published load. `chose` are the rows that a replay took its readings from; `listed` is how many keys a sweep
    has listed, which gave its readings by what they lack."""

    number: int
    run: str
    reads: dict[str, Read]
    window_end: datetime
    moved_cursor: bool = False
    published: bool = True
    chose: tuple[RowId, ...] = ()
    listed: int | None = None

    @property
    def rows_read(self) -> int:
        """How many records the source gave."""
        return len(self.reads) if self.listed is None else self.listed

    @property
    def cursor(self) -> int | None:
        """The greatest minute that it read."""
        return max((read.said.minute for read in self.reads.values()), default=None)


class Counts(NamedTuple):
    """How many records a load wrote, by what became of them."""

    new: int = 0
    changed: int = 0
    deleted: int = 0
    quarantined: int = 0


@dataclass
class Visible:
    """What is seen of the stream."""

    versions: dict[str, list[tuple[int, Read]]] = field(default_factory=dict)
    rows: dict[RowId, Row] = field(default_factory=dict)
    counts: dict[int, Counts] = field(default_factory=dict)

    def held(self, key: str) -> Read | None:
        """The newest version of a key."""
        return self.versions[key][-1][1] if key in self.versions else None

    def waiting(self, key: str | None = None) -> Iterator[RowId]:
        """The rows that wait, of one key or of all."""
        return (at for at, row in self.rows.items() if row.closed_by is None and key in (None, at.key))

    def write(self, load: Load, key: str, read: Read) -> None:
        """Take one reading in, as the load protocol says."""
        held, waits = self.held(key), next(self.waiting(key), None)
        if not read.differs_from(held):
            return
        good = read.good or read.said.deleted
        counts = self.counts[load.number]
        if good:
            what = "deleted" if read.said.deleted else "changed" if held else "new"
            self.versions.setdefault(key, []).append((load.number, read))
        elif waits and not load.chose and self.rows[waits].read.said == read.said:
            return  # the same waits already
        else:
            what = "quarantined"
        self.counts[load.number] = counts._replace(**{what: getattr(counts, what) + 1})
        overtaken = waits is not None and self.rows[waits].read.age > read.age
        if waits and not overtaken:
            self.rows[waits] = replace(self.rows[waits], closed_by=load.number, replayed=waits in load.chose)
        if not good:
            self.rows[RowId(load.number, key)] = Row(read, closed_by=load.number if overtaken else None)


def fold(loads: Iterable[Load]) -> Visible:
    """What the published ones among these loads leave."""
    seen = Visible()
    for load in sorted(loads, key=lambda load: load.number):
        if load.published:
            seen.counts[load.number] = Counts()
            for key, read in load.reads.items():
                seen.write(load, key, read)
    return seen


@dataclass
class Truth:
    """The loads of one stream, as they were read, and what follows from them."""

    loads: dict[int, Load] = field(default_factory=dict)
    final: int = 0
    """The newest load that can no longer be rolled back; of what it and those before it left, retention may take."""

    @property
    def visible(self) -> Visible:
        """What staging and quarantine hold."""
        return fold(self.loads.values())

    @property
    def published(self) -> list[Load]:
        """The loads that are there, in their order."""
        return [load for load in self.loads.values() if load.published]

    @property
    def cursor(self) -> int | None:
        """How far the loads that moved the cursor have read."""
        reached = [load.cursor for load in self.published if load.moved_cursor and load.cursor is not None]
        return max(reached, default=None)

    def moves_cursor(self, start: datetime) -> bool:
        """Whether a load whose window begins then leaves nothing behind that neither it nor the next run reads."""
        moved = [load for load in self.published if load.moved_cursor]
        if not moved:
            return start <= BEGINNING
        reached = max(load.window_end for load in moved) if self.cursor is None else moment(self.cursor)
        return start <= reached - LOOK_BACK

    def add(self, load: Load, least_credit: int) -> None:
        """A load is published; the suite of this moment refuses less credit than that."""
        seen = self.visible
        load.reads = {
            key: replace(read, good=_verdict(seen, load, key, read, least_credit)) for key, read in load.reads.items()
        }
        self.loads[load.number] = load

    def missing(self, source: Container[str], at: int) -> dict[str, Read] | None:
        """What a sweep reads: of each key that the source lacks and we hold, that it is deleted. What a load that can
        still be rolled back has deleted is read once more. None where two rows of a key are of one time: which of them
        a deletion repeats is of no interest."""
        seen, reads = self.visible, dict[str, Read]()
        first = min((number for number in self.loads if number > self.final), default=None)
        for key in {*seen.versions, *(row.key for row in seen.waiting())}:
            if key in source:
                continue
            said = [seen.rows[row].read.said for row in seen.waiting(key)]
            if key in seen.versions:
                load, held = seen.versions[key][-1]
                if not held.said.deleted or (first is not None and load >= first):
                    said.append(held.said)
            if len({each.minute for each in said}) < len(said):
                return None
            if said:
                newest = max(said)
                reads[key] = Read(newest._replace(deleted=True), at)
        return reads

    def judge_late(self, first: int, least_credit: int) -> None:
        """Before loads from `first` on are changed, what was read late is judged by the suite of this moment."""
        for load in self.loads.values():
            if load.number >= first:
                load.reads = {
                    key: replace(read, good=read.said.credit >= least_credit) if read.good is None else read
                    for key, read in load.reads.items()
                }

    def with_their_replays(self, loads: set[int]) -> set[int]:
        """The loads, and the replays that cannot stay without them, since they judged rows of theirs, or of a replay
        that goes with them."""
        every = set(loads)
        while more := {load.number for load in self.published if any(row.load in every for row in load.chose)} - every:
            every |= more
        return every

    def without_their_origin(self, loads: set[int]) -> bool:
        """Whether a replay is among the loads that judged rows of a load which is neither there nor among them."""
        there = loads | {load.number for load in self.published}
        return any(row.load not in there for number in loads for row in self.loads[number].chose)

    def change(self, loads: Iterable[int], *, published: bool) -> None:
        """These loads are taken out, or in again."""
        for number in loads:
            self.loads[number].published = published


def _verdict(seen: Visible, load: Load, key: str, read: Read, least_credit: int) -> bool | None:
    """The gate's verdict. What was read unchanged keeps the one that it has; what is late is not looked at."""
    held = seen.held(key)
    if held and held.said == read.said:
        return True
    if not read.differs_from(held):
        return None
    if (
        not load.chose
        and not read.said.deleted
        and any(seen.rows[at].read.said == read.said for at in seen.waiting(key))
    ):
        return False
    return read.said.credit >= least_credit


def alive(source: Mapping[str, Said]) -> dict[str, Said]:
    """What the source has."""
    return {key: said for key, said in source.items() if not said.deleted}
