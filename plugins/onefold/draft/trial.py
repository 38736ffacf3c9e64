"""One page of a stream, asked for before anything is scheduled: what it would load, and what stands against that.

Nothing is written to the warehouse, and no value is kept: names, types and counts are all that is told.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from onefold.catalog.fields import keys_to
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.completeness import ReadInPart
from onefold.connectors.connector import StreamSource
from onefold.connectors.page import Page
from onefold.connectors.past import history
from onefold.connectors.record import Record
from onefold.connectors.registry import OpenTransport, connector_class, open_transport
from onefold.connectors.window import BEGINNING, Window
from onefold.draft.trial_parents import of_each_parent
from onefold.draft.values_seen import MISSING, fits, kind_of, undeclared, value_of
from onefold.errors import OnefoldError
from onefold.foreign_text import shown_name
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint

PAGES = 3
"""So many pages are asked for until one has records."""
ATTEMPTS = 2
RECENT = timedelta(days=30)
LOOKED_AT = 1_000
"""Records of a page whose fields are looked at."""


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """One field: its declared type (None: it is not declared, `name` is then the source's own), how often each type was
    seen, in how many records it is absent, and in how many it cannot be read as declared."""

    name: str
    declared: str | None
    seen: Mapping[str, int]
    absent: int = 0
    unfit: int = 0
    required: bool = False

    @property
    def found(self) -> tuple[str, int] | None:
        """What the gate would say of it, and of how many records."""
        if self.unfit:
            return f"{self.name} cannot be read as {self.declared} in {self.unfit} of the records", self.unfit
        if self.absent and self.required:
            return f"{self.name} is required and absent in {self.absent} of the records", self.absent
        return None


@dataclass(frozen=True, slots=True)
class Trial:
    """What one page of a stream showed. `failed` says why there is none, `skipped` why none was asked for; `next_page`
    how the one after it would be asked for; `cursor` in which order the page's cursors are. `problems` are what the
    gate would refuse the load for, `notes` what it would keep single records out for."""

    stream: str
    failed: str | None = None
    records: int = 0
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    fields: tuple[FieldSeen, ...] = ()
    keyless: int = 0
    repeated_keys: int = 0
    cursor: str | None = None
    next_page: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skipped: str | None = None

    @property
    def passed(self) -> bool:
        return self.failed is None and not self.problems


def try_stream(
    system: System,
    stream_name: str,
    endpoint: Endpoint,
    *,
    since: datetime | None = None,
    transport: OpenTransport = open_transport,
) -> Trial:
    """Ask for the first page. A stream that cannot be read gives a trial that says why; nothing is raised for it."""
    stream, named = system.streams[stream_name], f"{system.system}.{stream_name}"
    if stream.lookup:
        return Trial(named, skipped="a look-up is asked about what other systems name, so there is no page to see")
    attempts: list[Attempt] = []
    started = time.monotonic()
    patient = system.model_copy(update={"limits": system.limits.model_copy(update={"attempts": ATTEMPTS})})
    doubt: str | None = None
    page: Page | None = None
    try:
        try:
            page = _any_page(patient, stream_name, endpoint, since, transport, attempts)
        except ReadInPart as error:
            page = _whole_page(patient, stream_name, endpoint, since, transport, attempts)
            if page is None:
                raise
            doubt = str(error)
    except OnefoldError as error:
        return Trial(named, str(error), requests=len(attempts), seconds=round(time.monotonic() - started, 1))
    found = _seen(stream, page.records[:LOOKED_AT])
    keys = [record.key for record in page.records if record.key is not None]
    repeated, keyless = len(keys) - len(set(keys)), len(page.records) - len(keys)
    cursor, without = _cursor(stream, page.records)
    said = [each.found for each in found if each.found]
    said += [(f"{keyless} records lack the primary key ({', '.join(stream.primary_key)})", keyless)] if keyless else []
    said += [(f"{repeated} records have a key that another of the page has", repeated)] if repeated else []
    if without and stream.cursor:
        said.append((f"{without} records lack the cursor ({', '.join(stream.cursor.fields)})", without))
    allowed = stream.gate.max_quarantined_share * len(page.records)
    problems = [doubt] if doubt else []
    problems += [text for text, count in said if count > allowed]
    return Trial(
        stream=named,
        records=len(page.records),
        requests=len(attempts),
        bytes=sum(attempt.bytes for attempt in attempts),
        seconds=round(time.monotonic() - started, 1),
        fields=tuple(found),
        keyless=keyless,
        repeated_keys=repeated,
        cursor=cursor,
        next_page="not known: see the problem" if doubt else _next_page(stream, page.token),
        problems=tuple(problems),
        notes=tuple(text for text, count in said if count <= allowed),
    )


def _windows(system: System, stream_name: str, since: datetime | None) -> Iterator[Window]:
    """What a first load would ask for; of a stream that is asked slice by slice, the last of them first."""
    now, stream = datetime.now(UTC), system.streams[stream_name]
    first = since or history(system, stream_name, now) or BEGINNING
    if stream.request.slices and not since:
        recent = now - max(stream.request.slices.longest, RECENT)
        if recent > first:
            yield Window(recent, now)
    yield Window(first, now)


def _any_page(
    system: System, stream_name: str, endpoint: Endpoint, since: datetime | None, transport: OpenTransport,
    attempts: list[Attempt],
) -> Page:  # fmt: skip
    """The first page with records of the windows; the last one's where none has."""
    page = Page([], datetime.now(UTC), None)
    for window in _windows(system, stream_name, since):
        page = _first_page(system, stream_name, endpoint, window, transport, attempts)
        if page.records:
            break
    return page


def _first_page(
    system: System, stream_name: str, endpoint: Endpoint, window: Window, transport: OpenTransport,
    attempts: list[Attempt],
) -> Page:  # fmt: skip
    """The first page that has records, of the first few; an empty one where none has. Of a stream with a parent, a page
    of one of the first few parents."""
    if (parent := system.streams[stream_name].parent) is None:
        return _own_page(system, stream_name, endpoint, window, transport, attempts)
    above = _first_page(system, parent.stream, endpoint, Window(BEGINNING, window.end), transport, attempts)
    last = Page([], datetime.now(UTC), None)
    for child in islice(of_each_parent(system, stream_name, above.records), PAGES):
        last = child.complete(_own_page(child.system, stream_name, endpoint, window, transport, attempts))
        if last.records:
            return last
    return last


def _own_page(
    system: System, stream_name: str, endpoint: Endpoint, window: Window, transport: OpenTransport,
    attempts: list[Attempt],
) -> Page:  # fmt: skip
    last: Page | None = None
    with transport(system, endpoint, attempts.append, stream=stream_name) as opened:
        source = StreamSource(system, stream_name, endpoint)
        with closing(_closable(connector_class(system)(source, opened).read(window, None))) as pages:
            for last in islice(pages, PAGES):
                if last.records:
                    return last
    return last or Page([], datetime.now(UTC), None)


def _closable(pages: Iterator[Page]) -> Generator[Page]:
    """An iterator need not have `close`; a generator has, and so has what it yields from."""
    yield from pages


def _whole_page(
    system: System, stream_name: str, endpoint: Endpoint, since: datetime | None, transport: OpenTransport,
    attempts: list[Attempt],
) -> Page | None:  # fmt: skip
    """The page of a listing that was read in part, so that its fields can be shown beside the reason; None where it
    cannot be read either."""
    stream = system.streams[stream_name]
    complete = stream.model_copy(update={"next": stream.next.model_copy(update={"complete": True})})
    known = system.model_copy(update={"streams": {**system.streams, stream_name: complete}})
    try:
        return _any_page(known, stream_name, endpoint, since, transport, attempts)
    except OnefoldError:
        return None


def _seen(stream: Stream, records: list[Record]) -> list[FieldSeen]:
    """The declared fields that are read by keys, then the keys that the catalogue does not name."""
    read: list[Mapping[str, object]] = []
    for record in records:
        try:
            content = json.loads(record.payload)
        except (ValueError, RecursionError):
            continue
        read += [content] if isinstance(content, dict) else []
    found: list[FieldSeen] = []
    known = set(stream.ignore)
    for name, given in stream.fields.items():
        keys = keys_to(name, given)
        if keys is None:
            known.add(str(given.path).lstrip("$.").split(".")[0].split("[")[0].strip('"'))
            found.append(FieldSeen(name, given.type, {}))
            continue
        known.add(keys[0])
        values = [value for value in (value_of(each, keys) for each in read) if value is not MISSING]
        unfit = sum(not fits(value, given.type) for value in values)
        kinds = Counter(kind_of(value) for value in values)
        needed = given.required and not stream.partial_changes
        found.append(FieldSeen(name, given.type, dict(kinds), len(read) - len(values), unfit, needed))
    volatile = {path.split(".")[0] for path in stream.volatile}
    for name, kind, count in undeclared(read, frozenset(known | volatile)):
        found.append(FieldSeen(shown_name(name), None, {kind: count}, len(read) - count))
    return found


def _cursor(stream: Stream, records: list[Record]) -> tuple[str | None, int]:
    """The order of the page's cursors, and how many records have none."""
    if stream.cursor is None or not records:
        return None, 0
    given = [record.cursor for record in records if record.cursor is not None]
    lacking = len(records) - len(given)
    if not given:
        return "absent", lacking
    pairs = list(pairwise(given))
    if all(first == second for first, second in pairs):
        return "all the same" if pairs else "one record", lacking
    if all(first <= second for first, second in pairs):
        return "ascending", lacking
    return ("descending" if all(first >= second for first, second in pairs) else "in no order"), lacking


def _next_page(stream: Stream, token: str | None) -> str:
    """How the page after it would be asked for, without a value that the source gave."""
    if token is None:
        return "none: this page is the last"
    following = stream.next
    match following.kind:
        case "offset" | "number" if token.isdecimal():
            return f"{following.parameter}={token}"
        case "url" | "link":
            return "at the address that the answer names"
        case "token" | "after":
            return f"{following.parameter}=… ({len(token)} characters that the answer names)"
        case _:
            return "the connector goes on from where this page ends"
