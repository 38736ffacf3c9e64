"""Goes from page to page, makes progress or says why not, and goes on after a crash."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from onefold.catalog.paging import NextPage
from onefold.connectors.page import Page
from onefold.connectors.record import Record
from onefold.errors import Fatal
from onefold.http.client import Client
from onefold.http.failure import Refused
from onefold.http.wire import joined, split

log = logging.getLogger(__name__)

SAME_PAGE = 3
"""How often one page may come. Twice is legal (the load takes a record once); a circle is not."""

EXPIRED = frozenset({400, 404, 410})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A page's records, the token of the next page (None: there is none), and a mark that tells pages apart. `within`:
    how many are listed, where the records are within those; `repeated`: how many of them the page before had too."""

    records: list[Record]
    token: str | None
    mark: str
    within: int | None = None
    repeated: int = 0

    @property
    def listed(self) -> int:
        """How many records the source has listed on this page."""
        return len(self.records) if self.within is None else self.within


def pages(fetch: Callable[[str | None], Fetched], token: str | None, named: str) -> Iterator[Page]:
    """Every page from the token on (None: from the first), each fetched when the one before has been taken.

    A token that the source no longer knows starts the window anew: the load takes every record only once. Raises
    Fatal when the source leads in a circle.
    """
    seen: Counter[str] = Counter()
    resuming = token is not None
    while True:
        at = datetime.now(UTC)
        try:
            fetched = fetch(token)
        except Refused as error:
            if not resuming or error.status not in EXPIRED:
                raise
            log.warning("%s: the page to go on from is no longer there; the window starts anew", named)
            token, resuming = None, False
            continue
        resuming = False
        seen[fetched.mark] += 1
        if seen[fetched.mark] > SAME_PAGE and fetched.token is not None:
            raise in_a_circle(named, seen[fetched.mark])
        yield Page(fetched.records, at, fetched.token)
        if fetched.token is None:
            return
        token = fetched.token


def next_address(http: Client, following: NextPage, first: str, page: str, address: str, named: str) -> str:
    """The next page's address, where the page at `page` gives `address`, which may be relative: what `following` keeps
    of it. `first` is the path of the first page. Raises Fatal when it is no address."""
    if following.keep == "address":
        return http.following(page, address, named)
    found = joined(page, address, named)
    target = split(found)
    query = "?" + target.query if target else found.partition("#")[0]
    return (target.path if target and following.keep == "path" else first) + query


def in_a_circle(named: str, times: int) -> Fatal:
    """What is raised when the same page came so often."""
    return Fatal(
        f"{named}: the source gave the same page {times} times and leads in a circle. Nothing more can be read "
        "this way: check `next` in its YAML (where its last page comes again for every page behind it, name `total`, "
        "`pages`, `more` or `last`), or report it to the system's owner."
    )
