"""A system's log of what was done to the rows of its other books: each deletion there is a row of its own here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.world.book import Book, Entry, Shelf


@dataclass(frozen=True, slots=True)
class Log(Book):
    """A book that, besides its own rows, holds one for every row that was deleted from the books `of` (names of books
    that come before it). Such a row has a negative number, which `deletion` reads."""

    of: tuple[str, ...] = ()

    def opened(self, shelves: Mapping[str, Shelf], seed: int, companies: int) -> Shelf:
        """The log's rows in a world that holds the shelves that it is of."""
        return LogShelf(self, [shelves[name] for name in self.of], seed, companies)

    def deletion(self, number: int) -> tuple[str, int] | None:
        """The book and the number of the thing whose deletion the row shows; None for the log's own rows."""
        thing, which = divmod(-1 - number, len(self.of))
        return (self.of[which], thing) if number < 0 else None


class LogShelf(Shelf):
    """A log's rows in a world."""

    def __init__(self, book: Log, logged: Sequence[Shelf], seed: int, companies: int) -> None:
        super().__init__(book, seed, companies)
        self._logged = logged
        for which, shelf in enumerate(logged):
            self._note(which, (entry for entry in shelf.entries if entry.deleted), 0)
        self._base = self._reached()

    def advance(self, sequence: int, at: datetime, changes: int, deletions: int, new: int) -> tuple[int, int, int]:
        """As a book; what was deleted from the others by this advance is new here."""
        changed, deleted, added = super().advance(sequence, at, changes, deletions, new)
        before = len(self.entries)
        for which, shelf in enumerate(self._logged):
            gone = (entry for entry in shelf.entries if entry.deleted and entry.past and entry.past[-1][0] == sequence)
            self._note(which, gone, sequence)
        return changed, deleted, added + len(self.entries) - before

    def _note(self, which: int, gone: Iterable[Entry], born: int) -> None:
        for entry in gone:
            number = -1 - (which + len(self._logged) * entry.number)
            row = Entry(number, self.book.key(number), entry.modified, entry.modified, False, None, born=born)
            self.entries.append(row)
            self.by_key[row.key] = row
