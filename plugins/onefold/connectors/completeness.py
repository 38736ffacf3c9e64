"""Whether a listing was read to its end: what answers say about more pages, and about an error with status 200."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.catalog.paging import NextPage
from onefold.connectors.json_shape import Path
from onefold.connectors.signs import (
    beside_the_list,
    error_in,
    in_headers,
    is_page_total,
    is_total,
    linked,
    names_next,
    names_previous,
    signs,
    whole_number,
)
from onefold.errors import Fatal
from onefold.foreign_text import shown_name
from onefold.http.attempt import BadBody, Response

PAGES = "Say under `next` in its YAML how its pages go on (kind, path, parameter, first)"


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
        self._used = {following.path, following.more, following.total}
        self._values: Mapping[str, object] = {}
        self._link: str | None = None
        self._previous: str | None = None
        self._pages: int | None = None
        self._read: int | None = None
        self._total: int | None = None

    def start(self, *, at_the_beginning: bool) -> None:
        """A listing begins here, or goes on where a process before has left it."""
        self._pages = 0 if at_the_beginning else None
        self._read = 0 if at_the_beginning and self._counts else None
        self._total = None

    def see(self, response: Response | None) -> None:
        """Look at an answer, None where it has no content. Raises BadBody when it has its list of records and says all
        the same that it failed."""
        self._values, self._link, self._previous = {}, None, None
        if response is None:
            return
        beside = beside_the_list(response.body, self._list_at)
        self.note(beside)
        total = self._next.total
        named = {total: response.headers[total]} if total and total in response.headers else {}
        self._values = beside | in_headers(response.headers) | named
        self._link = None if self._next.kind == "link" else linked(response.headers)
        self._previous = linked(response.headers, "prev") or linked(response.headers, "previous")

    def note(self, beside: Mapping[str, object]) -> None:
        """What stands beside the records of an answer, by its name. Raises BadBody when it says that it failed."""
        self._values = beside
        if name := error_in(beside):
            raise BadBody(f"status 200 with an error: so says its {shown_name(name)}")

    def count(self, records: int) -> None:
        """So many records were read. Raises Fatal when the answer has no number at `next.total`."""
        if self._read is not None:
            self._read += records
        if self._pages is not None:
            self._pages += 1
        if self._next.total and (records or self._total is None):
            total = whole_number(dict(signs(self._values)).get(self._next.total))
            if total is None:
                raise Fatal(
                    f"{self._named}: the answer has no number at {self._next.total}. Compare next.total in its YAML "
                    "with the system's interface."
                )
            self._total = total if self._total is None else min(self._total, total)  # records may be deleted meanwhile

    def require_beginning(self) -> None:
        """Raises Fatal when the first answer says that there is a page before it: its pages are counted from 0."""
        if self._next.complete:
            return
        found = (where for where, value in signs(self._values) if names_previous(where, value))
        if where := next(found, "header Link" if self._previous else None):
            named = shown_name(where)
            raise self._partial(f"its {named} says that there is a page before the first that was asked for")

    def all_read(self) -> bool:
        """Whether as many records were read as the source counts, where `next.total` says what it counts."""
        return self._total is not None and self._read is not None and self._read >= self._total

    def require_end(self) -> None:
        """Raises Fatal when the last answer says that there is more than was read."""
        if self._total is not None and self._read is not None and self._read < self._total:
            raise self._partial(f"its {self._next.total} is {self._total}, and {self._read} were read")
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

    def _partial(self, what: str) -> Fatal:
        return Fatal(
            f"{self._named}: the listing was read in part: {what}. Nothing of it is published. {self._remedy}; or, if "
            "that answer is whole, `next: {complete: true}`."
        )
