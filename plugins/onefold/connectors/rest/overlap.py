"""Offsets that drift: a row that is added or deleted between two pages moves all rows behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from onefold.connectors.paging import Fetched
from onefold.connectors.records import Body

log = logging.getLogger(__name__)


class _Place(msgspec.Struct, array_like=True):
    """Where the next page should begin, and the keys of the last records before it."""

    position: int
    known: list[str]


def overlapping(at: Callable[[int], tuple[Body, str]], overlap: int, named: str) -> Callable[[str | None], Fetched]:
    """Fetches pages of a list in a fixed order such that no record which stays in it is missed.

    `at` gives a page from a position on, and a mark that tells pages apart. Each page is asked for a little before
    where the last one ended. A record that is known from there proves that nothing lies in between; where none is
    met, more rows were deleted than the overlap holds, and the page is asked for from further back. What was added
    before comes twice at worst, which a load does not mind. Its order must be the source's own and must not change.
    """

    def fetch(token: str | None) -> Fetched:
        place = _Place(0, []) if token is None else msgspec.json.decode(token, type=_Place)
        known, back = set(place.known), overlap
        while True:
            start = max(0, place.position - back)
            body, mark = at(start)
            if start == 0 or not known or any(record.key in known for record in body.records):
                break
            back *= 2
            log.warning("%s: rows were deleted meanwhile; going back by %d to where it was", named, back)
        fresh = [record for record in body.records if record.key not in known]
        no_further = start + len(body.records) <= place.position
        if not fresh or (no_further and not known):  # without keys, which the gate will see, places must do
            return Fetched([], None, mark)
        keys = [record.key for record in body.records if record.key is not None]
        following = _Place(start + len(body.records), [*place.known, *keys][-overlap:])
        return Fetched(fresh, msgspec.json.encode(following).decode(), mark)

    return fetch
