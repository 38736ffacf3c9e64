"""The rows of one stream of a stand-in that holds things other than companies: which there are, and their lives.

A row shows a thing of `business.py` (order 17, person 4). What it shows is a pure function of the seed, the thing's
number and the row's revision; the book keeps only what time did to the row.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.world.company import BASE_END, BASE_START
from sandbox.world.share import choice

DELETED_SHARE = 0.01
BROKEN_SHARE = 0.01
TIED_SHARE = 0.05  # rows stamped by one of a few mass updates

KEY_CONFLICT, KEY_TOO_LONG, HALF_A_CHARACTER = "key_conflict", "key_too_long", "half_a_character"
"""Codes of rows of which there are two, different ones, and of rows that are kept as they came, without their key."""

ODD = "odd1962"
"""Begins what is hashed to choose odd rows: each code occurs in a world of 200 companies, and no load has so many
of them that its gate refuses it."""

Key = str | tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Book:
    """What a stream of a stand-in holds.

    Attributes:
        system, stream: as in the catalogue.
        size: how many rows the base world has, by its number of companies.
        key: the row's primary key by the thing's number; a tuple where the key has several fields.
        named: the same by seed, number and number of companies, where the number alone does not tell.
        number: the number of the thing that the n-th row shows (rows of several systems may show one thing).
        exists: whether there is a thing with this number at all, by seed, number and number of companies: not every
            invoice has a correction. `size` counts the places, those of what does not exist too.
        company: the id of the company that the row is, by the thing's number; None where it is none.
        broken: codes of what is wrong on purpose in about 1 % of the rows, taking turns.
        odd: further codes, each with the share of the other rows that have it; which, a hash of the row's key says.
        also: numbers of things that the base world has besides, and that nothing ever happens to, by seed and number
            of companies.
        changes, deletes, grows: whether rows are changed, deleted or added as time passes.
        hides_deleted: what is deleted is not shown any more, so that none of the base world's rows is.
        stays: whether the row with this number is never deleted, because others hang on it.
    """

    system: str
    stream: str
    size: Callable[[int], int]
    key: Callable[[int], Key]
    number: Callable[[int], int] = lambda place: place
    exists: Callable[[int, int, int], bool] = lambda seed, number, companies: True
    company: Callable[[int], int | None] = lambda number: None
    broken: tuple[str, ...] = ()
    odd: Mapping[str, float] = field(default_factory=dict)
    also: Callable[[int, int], Iterable[int]] = lambda seed, companies: ()
    changes: bool = True
    deletes: bool = True
    grows: bool = True
    hides_deleted: bool = False
    stays: Callable[[int], bool] = lambda number: False
    named: Callable[[int, int, int], Key] | None = None

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"

    def opened(self, shelves: Mapping[str, Shelf], seed: int, companies: int) -> Shelf:
        """The book's rows in a world that holds these shelves already."""
        return Shelf(self, seed, companies)


@dataclass(slots=True)
class Entry:
    """One row. Stamps have whole seconds. `past` is what it was before later advances, oldest first:
    (number of the advance that ended it, modified, deleted, revision). `still`: it never changes, because something
    that hangs on it is broken, or because it is not of the world's own companies."""

    number: int
    key: Key
    created: datetime
    modified: datetime
    deleted: bool
    broken: str | None
    revision: int = 1
    born: int = 0
    past: list[tuple[int, datetime, bool, int]] = field(default_factory=list)
    still: bool = False

    def at(self, sequence: int) -> tuple[datetime, bool, int] | None:
        """(modified, deleted, revision) as they were after advance number `sequence`; None before it existed."""
        if sequence < self.born:
            return None
        for ended_by, modified, deleted, revision in self.past:
            if sequence < ended_by:
                return modified, deleted, revision
        return self.modified, self.deleted, self.revision


class Shelf:
    """One book's rows in a world."""

    def __init__(self, book: Book, seed: int, companies: int) -> None:
        self.book = book
        self.entries: list[Entry] = []
        self.by_key: dict[Key, Entry] = {}
        self._seed = seed
        self._companies = companies
        self._place = 0
        self._due = 60
        self._turn = 0
        spread = random.Random(f"{seed}:{book.name}:mass updates")
        self._mass_updates = [_stamp(spread) for _ in range(3)]
        for _ in range(book.size(companies)):
            self._add(None, 0)
        for number in book.also(seed, companies):
            self._put(number, None, 0).still = True
        self._base = self._reached()

    def _reached(self) -> tuple[int, int, int, int]:
        return len(self.entries), self._place, self._due, self._turn

    def rewind(self) -> None:
        """Back to the base world: what was added since then goes, and what was changed is as it was."""
        count, self._place, self._due, self._turn = self._base
        if len(self.entries) > count:
            del self.entries[count:]
            self.by_key = {entry.key: entry for entry in self.entries}
        for entry in self.entries:
            if entry.past:
                _, entry.modified, entry.deleted, entry.revision = entry.past[0]
                entry.past.clear()

    def advance(self, sequence: int, at: datetime, changes: int, deletions: int, new: int) -> tuple[int, int, int]:
        """Changes, deletes and adds up to so many rows, all stamped `at`; returns how many of each."""
        rng = random.Random(f"{self._seed}:{self.book.name}:advance:{sequence}")
        living = [entry for entry in self.entries if not (entry.deleted or entry.broken or entry.still)]
        wanted = (changes if self.book.changes else 0), (deletions if self.book.deletes else 0)
        chosen = rng.sample(living, min(len(living) // 2, sum(wanted)))
        to_change, to_delete = chosen[: wanted[0]], self._mortal(living, chosen, wanted[0])
        for entry in (*to_change, *to_delete):
            entry.past.append((sequence, entry.modified, entry.deleted, entry.revision))
            entry.modified = max(at.replace(microsecond=0), entry.modified + timedelta(seconds=1))
            entry.revision += 1
        for entry in to_delete:
            entry.deleted = True
        added = new if self.book.grows else 0
        for _ in range(added):
            while not self._add(at, sequence):
                pass
        return len(to_change), len(to_delete), added

    def _mortal(self, living: list[Entry], chosen: list[Entry], after: int) -> list[Entry]:
        """The rows chosen to be deleted; others in the place of those that stay."""
        stays, taken = self.book.stays, {entry.key for entry in chosen}
        others = (entry for entry in living if entry.key not in taken and not stays(entry.number))
        mortal = (next(others, None) if stays(entry.number) else entry for entry in chosen[after:])
        return [entry for entry in mortal if entry]

    def truth(self) -> Iterator[dict[str, object]]:
        """What only tests may know of each row; where two have one key, of both."""
        for entry in self.entries:
            row = {
                "system": self.book.system,
                "stream": self.book.stream,
                "key": None if entry.broken in (KEY_TOO_LONG, HALF_A_CHARACTER) else key_text(entry.key),
                "company_id": self.book.company(entry.number),
                "number": entry.number,
                "broken": entry.broken,
                "deleted": entry.deleted,
            }
            yield from (row,) * (2 if entry.broken == KEY_CONFLICT else 1)

    def _add(self, at: datetime | None, born: int) -> bool:
        """Fills the next place; False where no thing has its number."""
        number = self.book.number(self._place)
        self._place += 1
        if not self.book.exists(self._seed, number, self._companies):
            return False
        entry = self._put(number, at, born)
        entry.broken = (
            None if entry.deleted else self._damage() or choice(f"{ODD} {self.book.name}", entry.key, self.book.odd)
        )
        return True

    def _put(self, number: int, at: datetime | None, born: int) -> Entry:
        rng = random.Random(f"{self._seed}:{self.book.name}:{number}")
        tied = rng.random() < TIED_SHARE
        modified = rng.choice(self._mass_updates) if tied else _stamp(rng)
        created = (BASE_START + (modified - BASE_START) * rng.random()).replace(microsecond=0)
        if not self.book.changes:
            created = modified
        deleted = self.book.deletes and rng.random() < DELETED_SHARE and at is None and not self.book.hides_deleted
        if at is not None:
            created = modified = at.replace(microsecond=0)
        named = self.book.named
        key = named(self._seed, number, self._companies) if named else self.book.key(number)
        entry = Entry(number, key, created, modified, deleted, None, born=born)
        self.entries.append(entry)
        self.by_key[entry.key] = entry
        return entry

    def _damage(self) -> str | None:
        self._due += 1
        if not self.book.broken or self._due < 1 / BROKEN_SHARE:
            return None
        self._due -= 100
        self._turn += 1
        return self.book.broken[(self._turn - 1) % len(self.book.broken)]


def key_text(key: Key) -> str:
    """The key as a load writes it: several values are a JSON array."""
    return key if isinstance(key, str) else json.dumps(key, separators=(",", ":"), ensure_ascii=False)


def _stamp(rng: random.Random) -> datetime:
    return (BASE_START + (BASE_END - BASE_START) * rng.random()).replace(microsecond=0)
