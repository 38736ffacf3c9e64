"""Whether a listing was read to its end: what answers say about more pages, and about an error with status 200."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.catalog.paging import COUNTED, NextPage
from onefold.connectors.json_shape import Path
from onefold.connectors.paging import Fetched
from onefold.connectors.signs import (
    beside_at,
    beside_the_list,
    error_in,
    in_headers,
    is_page_total,
    is_total,
    linked,
    names_next,
    names_previous,
    signs,
    truth,
    whole_number,
)
from onefold.errors import Fatal
from onefold.foreign_text import shown_name
from onefold.http.attempt import BadBody, Response

PAGES = "Say under `next` in its YAML how its pages go on (kind, path, parameter, first)"


class ReadInPart(Fatal):
    """A source says that a listing has more than was read of it; `next: {complete: true}` says that it has not."""


class Completeness:
    """What one listing's answers have said; `counts`: as many records are read as its answers list. `remedy` says what
    to do about a part."""

    def __init__(
        self, named: str, following: NextPage, list_at: Path = (), *, counts: bool, remedy: str = PAGES
    ) -> None:
        self._named = named
        self._next = following
        self._list_at = list_at
        self._remedy = remedy
        self._counts = counts
        self._used = {following.path, following.header, following.more, following.last}
        self._used |= {following.total, following.pages}
        self._values: Mapping[str, object] = {}
        self._headers: Mapping[str, str] = {}
        self._nothing = False
        self._link: str | None = None
        self._previous: str | None = None
        self._pages: int | None = None
        self._read: int | None = None
        self._total: int | None = None
        self._largest_total: int | None = None

    def start(self, *, at_the_beginning: bool) -> None:
        """A listing begins here, or goes on where a process before has left it."""
        self.go_on(*((0, 0) if at_the_beginning else (None, None)))

    def go_on(self, read: int | None, pages: int | None) -> None:
        """A listing goes on after so many records and pages; None where nobody knows."""
        self._pages = pages
        self._read = read if self._counts else None
        self._total = self._largest_total = None

    def see(self, response: Response | None) -> None:
        """Look at an answer, None where it has no content. Raises BadBody when it has its list of records and says all
        the same that it failed."""
        self._values, self._headers, self._link, self._previous = {}, {}, None, None
        self._nothing = response is None
        if response is None:
            return
        beside = beside_the_list(response.body, self._list_at)
        self.note(beside)
        self._headers = response.headers
        self._values = beside | in_headers(response.headers)
        self._link = None if self._next.kind == "link" else linked(response.headers)
        self._previous = linked(response.headers, "prev") or linked(response.headers, "previous")

    def note(self, beside: Mapping[str, object]) -> None:
        """What stands beside the records of an answer, by its name. Raises BadBody when it says that it failed."""
        self._values = beside
        if name := error_in(beside):
            raise BadBody(f"status 200 with an error: so says its {shown_name(name)}")

    def count(self, records: int, repeated: int = 0) -> None:
        """A page with so many records was read, of which some had been read before. Raises Fatal when the answer has no
        number at `next.total`, or one that cannot be."""
        if self._read is not None:
            self._read += records - repeated
        if self._pages is not None:
            self._pages += 1
        if self._next.total and not self._nothing and (records or self._total is None):
            total = whole_number(self._said(self._next.total))
            if total is None:
                raise Fatal(
                    f"{self._named}: the answer has no number at {self._next.total}. Compare next.total in its YAML "
                    "with the system's interface."
                )
            if total < records:
                raise Fatal(
                    f"{self._named}: its {self._next.total} is {total}, and one page alone has {records} records: it "
                    "counts something else. Where it is the number of pages, say next.pages in place of next.total."
                )
            self._total = total if self._total is None else min(self._total, total)  # records may be deleted meanwhile
            self._largest_total = max(self._largest_total or 0, total)  # or added: those behind them have moved

    def says_more(self, listed: int) -> bool | None:
        """Whether the answer with so many records says that there are more pages; None where the YAML names no end mark
        (`more`, `last`), or an answer without records has none. Raises Fatal when it is not there, or says neither."""
        name = self._next.more or self._next.last
        if name is None:
            return None
        if self._nothing:
            return False
        value = self._said(name)
        said = truth(value)
        if said is None and value is None and not listed:
            return None
        if said is None:
            key = "more" if self._next.more else "last"
            raise Fatal(
                f"{self._named}: the answer has neither true nor false at {name}. Compare next.{key} in its YAML with "
                "the system's interface."
            )
        return said if self._next.more else not said

    def _said(self, name: str) -> object:
        """What the answer says at a dotted name beside its records, or in the header of that name."""
        if name in self._headers:
            return in_headers({name: self._headers[name]}).get(name, self._headers[name])
        return beside_at(self._values, name)

    def require_beginning(self) -> None:
        """Raises Fatal when the first answer says that there is a page before it: its pages are counted from 0."""
        if self._next.complete:
            return
        found = (where for where, value in signs(self._values) if names_previous(where, value))
        if where := next(found, "header Link" if self._previous else None):
            named = shown_name(where)
            raise self._partial(f"its {named} says that there is a page before the first that was asked for")

    def following(self, asked: str | None, fetched: Fetched) -> str | None:
        """The token of the page after the one that was asked for with the token `asked`, None at an end that is proven.
        Raises Fatal when the listing was read in part."""
        found, listed = fetched.token, fetched.listed
        self.count(listed, fetched.repeated)
        more = self.says_more(listed)
        nowhere = not listed and found == asked
        if more and (found is None or nowhere):
            raise self._partial("it says that there are more pages, and nothing to go on from")
        if more is None and not listed and (nowhere or self._next.kind in COUNTED):
            found = None  # an empty page, with nothing after it
        if more is False or (self._next.kind in COUNTED and self.all_read()):
            found = None
        if found is None:
            self._require_room(listed, more)
            self.require_end()
        return found

    def _require_room(self, listed: int, more: bool | None) -> None:
        """One page that is as long as was asked for may have been cut there."""
        asked = self._next.size if self._next.kind == "none" and self._next.size_parameter else None
        if listed == asked and more is None and not (self._next.total or self._next.pages or self._next.complete):
            raise self._partial(f"it has as many records as were asked for ({listed}), so there may be more")

    def all_read(self) -> bool:
        """Whether as many records, or pages, were read as the source counts, where the YAML says what it counts."""
        total, pages = self._largest_total, self._page_total()
        return (total is not None and self._read is not None and self._read >= total) or (
            pages is not None and self._pages is not None and self._pages >= pages
        )

    def _page_total(self) -> int | None:
        """Raises Fatal when the answer has no number at `next.pages`."""
        if not self._next.pages or self._nothing:
            return None
        pages = whole_number(self._said(self._next.pages))
        if pages is None:
            raise Fatal(
                f"{self._named}: the answer has no number at {self._next.pages}. Compare next.pages in its YAML with "
                "the system's interface."
            )
        return pages

    def require_end(self) -> None:
        """Raises Fatal when the last answer says that there is more than was read."""
        if self._total is not None and self._read is not None and self._read < self._total:
            raise self._partial(f"its {self._next.total} is {self._total}, and {self._read} were read")
        pages = self._page_total()
        if pages is not None and self._pages is not None and self._pages < pages:
            raise self._partial(f"its {self._next.pages} is {pages}, and the pages read are {self._pages}")
        if self._next.complete:
            return
        if self._link:
            raise self._partial("its header Link names a next page (next: {kind: link})")
        for where, value in signs(self._values):
            if where in self._used:
                continue
            number = whole_number(value)
            if number is not None and is_total(where) and self._read is not None and number > self._read:
                raise self._partial(f"its {shown_name(where)} is {number}, and {self._read} were read")
            if number is not None and is_page_total(where) and self._pages is not None and number > self._pages:
                raise self._partial(f"its {shown_name(where)} is {number}, and the pages read are {self._pages}")
            if names_next(where, value):
                raise self._partial(f"its {shown_name(where)} says that there is a next page")

    def _partial(self, what: str) -> ReadInPart:
        return ReadInPart(
            f"{self._named}: the listing was read in part: {what}. Nothing of it is published. {self._remedy}; or, if "
            "that answer is whole, `next: {complete: true}`."
        )
