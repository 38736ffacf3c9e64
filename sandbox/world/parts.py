"""What hangs on the rows of another book and lives as they do: an order's lines.

A line has no life of its own. It is changed when its order is; the last of several is taken away at every second
revision of the order and comes back at the next; all go when the order goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sandbox.world.book import BROKEN_SHARE, Book, Entry, Key, Shelf, key_text


def left(count: int, revision: int) -> int:
    """How many of so many parts a row has at this revision."""
    return count - 1 if revision % 2 == 0 and count > 1 else count


@dataclass(frozen=True, slots=True)
class Parts:
    """A book of parts.

    Attributes:
        system, stream: as in the catalogue.
        of: the book of the rows that they hang on; it stands before this one.
        count: how many parts thing `number` has at first, by seed, number and number of companies.
        key: a part's primary key by the thing's number and the part's place, from 0.
        company: the id of the company whose part it is, by the thing's number; None where it is no company's.
        broken: codes of what is wrong on purpose in about 1 % of the parts, taking turns.
    """

    system: str
    stream: str
    of: Book
    count: Callable[[int, int, int], int]
    key: Callable[[int, int], Key]
    company: Callable[[int], int | None] = lambda number: None
    broken: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"

    def opened(self, shelves: Mapping[str, Shelf], seed: int, companies: int) -> PartShelf:
        return PartShelf(self, shelves[self.of.name], seed, companies)


@dataclass(slots=True)
class Part:
    """One part of a row: `place` is its place among `siblings` parts."""

    parent: Entry
    place: int
    siblings: int
    key: Key
    broken: str | None

    @property
    def number(self) -> int:
        return self.parent.number

    def at(self, sequence: int) -> tuple[datetime, bool, int] | None:
        """(modified, deleted, revision) as they were after advance number `sequence`; None before it existed."""
        state = self.parent.at(sequence)
        if state is None:
            return None
        modified, deleted, revision = state
        return modified, deleted or self.place >= left(self.siblings, revision), revision


class PartShelf:
    """The parts of one shelf's rows."""

    def __init__(self, book: Parts, of: Shelf, seed: int, companies: int) -> None:
        self.book = book
        self.entries: list[Part] = []
        self.of_number: dict[int, list[Part]] = {}
        self._of = of
        self._seed = seed
        self._companies = companies
        self._due = 60
        self._turn = 0
        self._follow()
        self._base = len(self.entries), len(self.of_number), self._due, self._turn

    def rewind(self) -> None:
        """Back to the base world, after the rows are."""
        count, parents, self._due, self._turn = self._base
        del self.entries[count:]
        for number in list(self.of_number)[parents:]:
            del self.of_number[number]

    def advance(self, sequence: int, at: datetime, changes: int, deletions: int, new: int) -> tuple[int, int, int]:
        """Follows what this advance did to the rows; returns how many parts it changed, deleted and added."""
        known = len(self.entries)
        self._follow()
        changed = deleted = 0
        for part in self.entries[:known]:
            before, after = part.at(sequence - 1), part.at(sequence)
            if before == after or before is None or after is None:
                continue
            if not after[1]:
                changed += 1
            elif not before[1]:
                deleted += 1
        return changed, deleted, len(self.entries) - known

    def truth(self) -> Iterator[dict[str, object]]:
        """What only tests may know of each part."""
        for part in self.entries:
            state = part.at(1 << 60)
            yield {
                "system": self.book.system,
                "stream": self.book.stream,
                "key": key_text(part.key),
                "company_id": self.book.company(part.number),
                "number": part.number,
                "broken": part.broken,
                "deleted": state is not None and state[1],
            }

    def _follow(self) -> None:
        for parent in self._of.entries[len(self.of_number) :]:
            count = self.book.count(self._seed, parent.number, self._companies)
            parts = [
                Part(parent, place, count, self.book.key(parent.number, place), self._damage(parent))
                for place in range(count)
            ]
            self.of_number[parent.number] = parts
            self.entries += parts

    def _damage(self, parent: Entry) -> str | None:
        self._due += 1
        if not self.book.broken or self._due < 1 / BROKEN_SHARE or parent.deleted or parent.past:
            return None
        self._due -= 100
        self._turn += 1
        parent.still = True
        return self.book.broken[(self._turn - 1) % len(self.book.broken)]
