"""Whether a listing was read to its end: what answers say about more pages, and about an error with status 200."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from requests.utils import parse_header_links

from onefold.catalog.paging import NextPage
from onefold.connectors.json_shape import Path
from onefold.errors import Fatal
from onefold.http.attempt import BadBody, Response

_JSON = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SMALL = 4096
"""Bytes; a larger value beside the records is no sign of anything."""
_ENVELOPES = frozenset({"links", "meta", "metadata", "page", "pageinfo", "pages", "paging", "pagination"})
"""Objects in which answers say how they go on; as all names here: in lower case, without `_` and `-`."""
_TOTALS = frozenset(
    {"xtotalcount", "total", "totalcount", "totalelements", "totalitems", "totalrecords", "totalresults", "totalsize"}
)
_FLAGS = frozenset({"hasmore", "hasnext", "hasnextpage", "more", "morerecords", "moreresults"})
_ADDRESSES = frozenset({"next", "nextlink", "nextpage", "nextpageurl", "nextrecordsurl", "nexturl", "@odata.nextlink"})
_TOKENS = frozenset({"continuationtoken", "nextcursor", "nextpagetoken", "nexttoken"})
_ERRORS = frozenset({"error", "errorcode", "errormessage", "errors", "fault"})
_SUCCESS = frozenset({"ok", "succeeded", "success"})
_OUTCOMES = frozenset({"result", "status"})
_FAILED = frozenset({"error", "fail", "failed", "failure"})
TOTAL_HEADER = "X-Total-Count"


def next_link(response: Response) -> str | None:
    """The address that the header Link gives for the next page (RFC 8288), as it stands there."""
    links = parse_header_links(response.headers.get("Link", ""))
    return next((link["url"] for link in links if "next" in link.get("rel", "").lower().split()), None)


class Completeness:
    """What one listing's answers have said; `counts`: as many records are read as its answers list."""

    def __init__(self, named: str, following: NextPage, list_at: Path, *, counts: bool) -> None:
        self._named = named
        self._next = following
        self._list_at = list_at
        self._counts = counts
        self._used = {following.path, following.more, following.total}
        self._values: Mapping[str, object] = {}
        self._link: str | None = None
        self._read: int | None = None
        self._total: int | None = None

    def start(self, *, at_the_beginning: bool) -> None:
        """A listing begins here, or goes on where a process before has left it."""
        self._read = 0 if at_the_beginning and self._counts else None
        self._total = None

    def see(self, response: Response | None) -> None:
        """Look at an answer, None where it has no content. Raises BadBody when it has its list of records and says all
        the same that it failed."""
        self._values, self._link = {}, None
        if response is None:
            return
        self._values = dict(_beside_the_list(response.body, self._list_at))
        counted = response.headers.get(TOTAL_HEADER, "")
        if counted.isdecimal():
            self._values[TOTAL_HEADER] = int(counted)
        self._link = None if self._next.kind == "link" else next_link(response)
        for name, value in self._values.items():
            if _says_failed(_plain(name), value):
                raise BadBody(f"status {response.status} with an error: so says its {name}")

    def count(self, records: int) -> None:
        """So many records were read. Raises Fatal when the answer has no number at `next.total`."""
        if self._read is not None:
            self._read += records
        if self._next.total and (records or self._total is None):
            total = dict(_signs(self._values)).get(self._next.total)
            total = int(total) if isinstance(total, str) and total.isdecimal() else total
            if type(total) is not int:
                raise Fatal(
                    f"{self._named}: the answer has no number at {self._next.total}. Compare next.total in its YAML "
                    "with the system's interface."
                )
            self._total = total if self._total is None else min(self._total, total)  # records may be deleted meanwhile

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
        for where, value in _signs(self._values):
            plain = _plain(where)
            if where in self._used:
                continue
            if plain in _TOTALS and type(value) is int and self._read is not None and value > self._read:
                raise self._partial(f"its {where} is {value}, and {self._read} were read")
            if (
                (plain in _ADDRESSES and _is_place(value))
                or (plain in _FLAGS and value is True)
                or (plain in _TOKENS and isinstance(value, str) and value)
            ):
                raise self._partial(f"its {where} says that there is a next page")

    def _partial(self, what: str) -> Fatal:
        return Fatal(
            f"{self._named}: the listing was read in part: {what}. Nothing of it is published. Say under `next` in its "
            "YAML how its pages go on (kind, path, parameter, first); or, if that answer is whole, complete: true."
        )


def _beside_the_list(body: bytes | msgspec.Raw, at: Path, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted name and value of what is small and stands beside the list, or beside an object that the list is in."""
    try:
        found = _JSON.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    for name, raw in found.items():
        if name == (at[0] if at else None):
            if at[1:]:
                yield from _beside_the_list(raw, at[1:], f"{prefix}{name}.")
        elif len(memoryview(raw)) < _SMALL:
            yield f"{prefix}{name}", msgspec.json.decode(raw)


def _signs(found: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Dotted name and value of what may say how a listing goes on; of a link its address."""
    for name, value in found.items():
        if _plain(name) not in _ENVELOPES:
            yield name, value
        elif isinstance(value, dict):
            for inner, deeper in value.items():
                is_link = isinstance(deeper, dict) and "href" in deeper
                yield (f"{name}.{inner}.href", deeper["href"]) if is_link else (f"{name}.{inner}", deeper)
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    yield f"{name}.{each.get('rel')}", each.get("href")


def _says_failed(plain: str, value: object) -> bool:
    """Whether a value beside the list says that the request failed."""
    if plain in _OUTCOMES:
        return isinstance(value, str) and value.lower() in _FAILED
    return (plain in _SUCCESS and value is False) or (plain in _ERRORS and value not in (None, False, "", 0, [], {}))


def _is_place(value: object) -> bool:
    """Whether a value can be where the next page is: an address, or a page's number."""
    if isinstance(value, str):
        return value.startswith(("http", "/", "?"))
    return type(value) is int and value > 0


def _plain(name: str) -> str:
    """The last part of a dotted name, in lower case, without signs between its words."""
    return name.removesuffix(".href").rpartition(".")[2].lower().replace("_", "").replace("-", "")
