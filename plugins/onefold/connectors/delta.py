"""Delta queries: a source that gives all it has once, and from then on what changed since a link that it gave us.

The link is the cursor. It is handed over with the page that ends a round (page.Part) and comes back with the next
load's window once that page's load is published; a load that fails asks with the old link again.

Source: Microsoft Graph, "Use delta query to track changes in Microsoft Graph data" and the pages on each resource:
@odata.nextLink until @odata.deltaLink; `@removed` or, in drives, `deleted` marks what is gone; 410 (SyncStateNotFound,
resyncRequired and others) means that the link is too old and everything must be listed again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import msgspec

from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.lenient_json import lenient_value, raw_elements, read_lenient
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import EXPIRED, SAME_PAGE
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.records import Head, key_names, sound_text
from onefold.connectors.window import Window
from onefold.connectors.window_text import filled, placeholders, top_level
from onefold.errors import Fatal
from onefold.http.attempt import BadBody
from onefold.http.client import Client
from onefold.http.failure import Refused

log = logging.getLogger(__name__)

OWNER = "userId"
"""The field in which a record gets the part of the stream that it was read from: the source does not say it itself."""

_RESYNC = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})
_NEXT, _LINK = "@odata.nextLink", "@odata.deltaLink"


@dataclass(frozen=True, slots=True)
class Round:
    """One page of a round: `next` leads to the page after it, or `link` to the next round's changes."""

    records: list[Record]
    next: str | None
    link: str | None

    @property
    def mark(self) -> int:
        """Tells pages apart by what they hold: a page may lead to itself under ever new addresses."""
        return hash(tuple(record.payload for record in self.records))


class _Body(msgspec.Struct):
    value: list[msgspec.Raw]
    next: str | None = msgspec.field(name=_NEXT, default=None)
    link: str | None = msgspec.field(name=_LINK, default=None)


class _Marks(msgspec.Struct):
    removed: dict[str, msgspec.Raw] | None = msgspec.field(name="@removed", default=None)
    deleted: dict[str, msgspec.Raw] | None = None
    root: dict[str, msgspec.Raw] | None = None


class _Problem(msgspec.Struct):
    code: str = ""


class _Error(msgspec.Struct):
    error: _Problem = msgspec.field(default_factory=_Problem)


class RoundReader:
    """Reads the pages of one stream's rounds; `named` is how messages call it."""

    def __init__(self, named: str, stream: Stream) -> None:
        self._named = named
        self._head = Head(named, stream)
        self._body = msgspec.json.Decoder(_Body)
        self._marks = msgspec.json.Decoder(_Marks)
        self._content = msgspec.json.Decoder(dict[str, msgspec.Raw])
        self._lacks = stream.partial_changes.lacks if stream.partial_changes else []

    def __call__(self, body: bytes, owner: str = "") -> Round:
        """The page, of several readings of one key the last, with changes of some fields merged into it.

        Raises BadBody for what is no whole page, Fatal when the list of records is not where it was.
        """
        try:
            page = self._body.decode(body)
            records = [self._record(bytes(raw), owner) for raw in page.value]
        except msgspec.ValidationError as error:
            raise self._changed(body, error) from error
        except (msgspec.DecodeError, RecursionError) as error:
            page, records = self._one_by_one(body, owner, error)
        if bool(page.next) == bool(page.link):
            raise BadBody(f"a page that must have either {_NEXT} or {_LINK}")
        newest: dict[str | int, Record] = {}
        for place, record in enumerate(records):
            if record:
                key = record.key or place
                newest[key] = self._together(newest.get(key), record)
        return Round(list(newest.values()), page.next, page.link)

    def _together(self, before: Record | None, record: Record) -> Record:
        """The newer of two readings on one page; a change of some fields with the rest of the one before it."""
        if not self._lacks or before is None or before.deleted or record.deleted:
            return record
        try:
            changed, held = self._content.decode(record.payload), self._content.decode(before.payload)
        except (msgspec.DecodeError, RecursionError):  # what cannot be read is not merged: it waits by itself
            return record
        if any(name in changed for name in self._lacks):
            return record
        payload = msgspec.json.encode({**held, **changed})
        return msgspec.structs.replace(record, payload=payload, cursor=record.cursor or before.cursor)

    def _record(self, payload: bytes, owner: str) -> Record | None:
        try:
            marks = self._marks.decode(payload)
        except msgspec.ValidationError:  # no object, or another mark than there should be: that record's own fault
            return self._unfit(payload.decode(), owner)
        if marks.root is not None:
            return None  # the drive itself is no document
        record = self._head.record(self._with_owner(payload, owner))
        gone = marks.removed is not None or marks.deleted is not None
        return msgspec.structs.replace(record, deleted=True) if gone else record

    def _with_owner(self, payload: bytes, owner: str) -> bytes:
        if not owner or not payload.startswith(b"{"):
            return payload
        return b"".join((b'{"', OWNER.encode(), b'":', msgspec.json.encode(owner), b",", payload[1:]))

    def _one_by_one(self, body: bytes, owner: str, error: Exception) -> tuple[_Body, list[Record | None]]:
        """A page with half a surrogate pair, NaN or far too many brackets somewhere: its record goes to quarantine, no
        other one."""
        try:
            text = body.decode()
            raws, following = raw_elements(text, ("value",)), [lenient_value(text, (name,)) for name in (_NEXT, _LINK)]
        except ValueError:
            raise BadBody("JSON that is cut off or malformed") from error
        if raws is None:
            raise BadBody("JSON with half a surrogate pair, and no list of records where it was") from error
        addresses = (address if isinstance(address, str) else None for address in following)
        return _Body([], *addresses), [self._unfit(raw, owner) for raw in raws]

    def _unfit(self, raw: str, owner: str) -> Record | None:
        """A record of such a page; None for the drive itself."""
        record = self._head.record(self._with_owner(raw.encode(), owner))
        try:
            content = read_lenient(raw)
        except RecursionError:
            return record
        if not isinstance(content, dict):
            return record
        if "root" in content:
            return None
        return msgspec.structs.replace(record, deleted="@removed" in content or "deleted" in content)

    def _changed(self, body: bytes, error: msgspec.ValidationError) -> BadBody | Fatal:
        found = msgspec.json.decode(body)
        if isinstance(found, dict) and "error" in found:
            return BadBody("an error instead of records")
        keys = key_names(found) if isinstance(found, dict) else type(found).__name__
        return Fatal(
            f"{self._named}: the answer's shape has changed: {error}. A list of records is expected at value; the body "
            f"has: {keys}. Compare the stream's YAML with the system's interface."
        )


@dataclass(frozen=True, slots=True)
class Question:
    """What a round begins with when there is no link to go on from."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]

    @classmethod
    def of(cls, stream: Stream, window: Window) -> Question:
        own = [name for name in top_level(stream) if name != OWNER]
        values = placeholders(window, stream) | {"{fields}": ",".join(own)}
        params = {name: filled(value, values) for name, value in stream.request.params.items()}
        return cls(stream.request.path, params, {"Accept": "application/json"} | stream.request.headers)

    def address(self, owner: str = "") -> str:
        """The first page's, below the connection's host."""
        query = urlencode(self.params, quote_via=quote, safe="$,:'()/*")
        path = filled(self.path, {"{user}": quote(owner, safe="")})
        return f"{path}?{query}" if query else path

    def state(self, link: str) -> str:
        """The link with a mark of what was asked: it goes on answering that, whatever the YAML asks by then."""
        return f"{self._mark()} {link}"

    def link(self, state: str | None) -> str | None:
        """The link of a state; None when there is none, or it answers another question than this one."""
        mark, _, link = (state or "").partition(" ")
        return link if link and mark == self._mark() else None

    def _mark(self) -> str:
        asked = msgspec.json.encode([self.path, self.params, self.headers], order="sorted")
        return hashlib.sha256(asked).hexdigest()[:12]


def says_resync(status: int, body: bytes) -> bool:
    """Whether the answer means that the link is too old to go on from."""
    try:
        code = msgspec.json.decode(body, type=_Error).error.code
    except msgspec.DecodeError:
        code = ""
    return status == 410 or code.lower() in _RESYNC


def delta_reader(system: System, stream_name: str, http: Client) -> PageReader:
    """Reads a stream that is one part. A page's token is the next page's address, behind the moment since when all is
    listed anew ("-" where only changes are)."""
    named = f"{system.system}.{stream_name}"
    stream = system.streams[stream_name]
    split = RoundReader(named, stream)

    def read(window: Window, token: str | None) -> Iterator[Page]:
        question = Question.of(stream, window)
        resuming, anew = token is not None, False
        snapshot_since, address = _place(token) if token else (None, question.link(window.checkpoints.get("")))
        same, mark = 0, None
        while True:
            if address is None:
                snapshot_since, address = datetime.now(UTC), question.address()
            at = max(datetime.now(UTC), snapshot_since or datetime.min.replace(tzinfo=UTC))
            try:
                body = http.send(
                    "GET", address, headers=question.headers, parse=lambda answer: split(sound_text(answer))
                )
            except Refused as error:
                if anew or error.status not in (EXPIRED if resuming else {410}):
                    raise
                log.warning("%s: what we had to go on from is too old; everything is listed anew", named)
                address, resuming, anew = None, False, True
                continue
            resuming = False
            same, mark = (same + 1 if body.mark == mark and body.records else 1), body.mark
            if same > SAME_PAGE and body.next:
                raise circle(named, same)
            if body.link:
                yield Page(body.records, at, None, ended=(Partition("", question.state(body.link), snapshot_since),))
                return
            address = body.next
            yield Page(body.records, at, f"{snapshot_since.isoformat() if snapshot_since else '-'} {address}")

    return read


def circle(named: str, times: int) -> Fatal:
    """What is raised when pages lead in a circle."""
    return Fatal(
        f"{named}: the source gave the same page {times} times and leads in a circle. Nothing more can be read this "
        "way: report it to the system's owner."
    )


def _place(token: str) -> tuple[datetime | None, str]:
    since, _, address = token.partition(" ")
    return (None if since == "-" else datetime.fromisoformat(since)), address
