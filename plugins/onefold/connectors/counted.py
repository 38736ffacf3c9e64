"""Pages that are asked for by a count: of the records before them (offset) or of the pages (number)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onefold.catalog.paging import NextPage

_FIRST = {"offset": 0, "number": 1}


@dataclass(frozen=True, slots=True)
class Place:
    """Which page: its offset or number, how many records it is asked to have, if anybody says so, and what the source
    counts and the position does not say: how many pages are before an offset, or records before a page."""

    position: int
    size: int | None
    before: int = 0

    def token(self, size: int | None) -> str:
        """As text; its size only where that is not `size`, the one in the YAML."""
        text = [str(self.position), "" if self.size == size else str(self.size), str(self.before or "")]
        return "/".join(text).rstrip("/")


class Counting:
    """Counts pages of kind offset or number from page to page.

    By number a page's place follows from its size, and a source that gives no more than 25 where 50 were asked for may
    still count in fifties: its second page would then begin behind 50 records, of which 25 were never seen. So after a
    first page that is smaller than asked for, no more than it had is asked for.
    """

    def __init__(self, following: NextPage) -> None:
        self._next = following
        self.first = _FIRST.get(following.kind, 0) if following.first is None else following.first
        self._size = following.size if following.size_parameter else None

    def place(self, token: str | None) -> Place:
        """The place that a token names; None: the first page's."""
        position, size, before, *_ = *(token or str(self.first)).split("/"), "", ""
        return Place(int(position), int(size) if size else self._size, int(before or 0))

    def before(self, place: Place) -> tuple[int | None, int | None]:
        """How many records and how many pages come before this place; None for what it does not say."""
        ahead = place.position - self.first
        other = place.before if place.before or not ahead else None
        if self._next.kind == "number":
            return other, ahead
        return (None if self._next.overlap else ahead), other

    def following(self, place: Place, listed: int) -> str:
        """The token of the page after this one, which had so many records."""
        if self._next.kind == "offset":
            pages = place.before + 1 if self._next.pages else 0
            return Place(place.position + listed, place.size, pages).token(self._size)
        records = place.before + listed if self._next.total else 0
        size = place.size
        if size and place.position == self.first and 0 < listed < size:
            size = listed
        return Place(place.position + 1, size, records).token(self._size)

    def as_in_yaml(self, place: Place) -> Place | None:
        """The same place asked for with the size of the YAML; None where it is. A source that refuses another size
        checks sizes, and so has kept to the one that it took."""
        return None if place.size == self._size else replace(place, size=self._size)
