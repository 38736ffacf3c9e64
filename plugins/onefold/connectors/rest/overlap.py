"""Offsets that drift: a row that is added or deleted between two pages moves all rows behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count

import msgspec

from onefold.connectors.paging import SAME_PAGE, Fetched, in_a_circle
from onefold.connectors.records import Body

log = logging.getLogger(__name__)


class _Place(msgspec.Struct, array_like=True):
    """Where the next page should begin, and the keys of the last records before it."""

    position: int
    known: list[str]


def overlapping(
    at: Callable[[int], tuple[Body, str]], first: int, overlap: int, named: str
) -> Callable[[str | None], Fetched]:
    """Fetches pages of a list in a fixed order such that no record which stays in it is missed.

    `at` gives a page from a position on, `first` being that of the first record, and a mark that tells pages apart.
    Each page is asked for a little before where the last one ended. A record that is known from there proves that
    nothing lies in between; where none is met, more rows were deleted than the overlap holds, and the page is asked for
    from further back. What was added before comes twice at worst, which a load does not mind. Where a page brings
    nothing but what is known, as from a source whose pages are smaller than the overlap, the one behind it is asked
    for: only an empty page ends the list. Its order must be the source's own and must not change.
    """

    def fetch(token: str | None) -> Fetched:
        place = _Place(first, []) if token is None else msgspec.json.decode(token, type=_Place)
        known, back = set(place.known), overlap
        while True:
            start = max(first, place.position - back)
            body, mark = at(start)
            if start == first or not known or any(record.key in known for record in body.records):
                break
            back *= 2
            log.warning("%s: rows were deleted meanwhile; going back by %d to where it was", named, back)
        for turn in count():
            end = start + len(body.listed)
            fresh = [record for record in body.records if record.key not in known]
            behind = end <= place.position and not known  # without keys, which the gate will see, places must do
            stays = not fresh and (body.outer is None or end <= place.position)
            if not body.listed or not (behind or stays):
                break
            if turn > len(known) + SAME_PAGE:
                raise in_a_circle(named, turn)
            start = end
            body, mark = at(start)
        if not body.listed:
            return Fetched([], None, mark)
        keys = [record.key for record in body.records if record.key is not None]
        before = [key for key in place.known if key not in keys]
        following = _Place(end, [*before, *keys][-overlap:])
        within = None if body.outer is None else max(0, end - place.position)
        return Fetched(fresh, msgspec.json.encode(following).decode(), mark, within)

    return fetch
