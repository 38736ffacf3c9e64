"""Deletions that a source lists apart from its records: each entry of that feed becomes a deleted record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from onefold.catalog.deletes import Tombstones
from onefold.catalog.stream import Stream
from onefold.connectors.cursor import canonical
from onefold.connectors.lenient_json import lenient_value, raw_elements
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record
from onefold.connectors.records import Body, dotted, next_page_of, sound_text, value_at
from onefold.connectors.window import Window
from onefold.http.attempt import BadBody, Response

FEED = "tombstones:"
"""Begins the token of whoever has read all records and is in the feed; the feed's own token follows."""


class Entries:
    """Reads a page of the feed as records whose key is what the entry says, the deleted record's or another's."""

    def __init__(self, feed: Tombstones) -> None:
        self._at = dotted(feed.records)
        self._key = dotted(feed.key)
        self._next = dotted(feed.next.path or "")

    def __call__(self, response: Response) -> Body:
        """Raises BadBody when the body is not whole JSON or has no list, nor an object, of entries."""
        body = sound_text(response)
        try:
            entries = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError):  # some entry is odd: the others are read all the same
            return self._one_by_one(body)
        for name in self._at:
            entries = entries.get(name) if isinstance(entries, dict) else None
        if isinstance(entries, dict):
            entries = list(entries.values())
        if not isinstance(entries, list):
            raise BadBody("no list of deletions where it was")
        following = value_at(body, self._next) if self._next else None
        return Body([self._named(entry) for entry in entries], next_page_of(following))

    def _one_by_one(self, body: bytes) -> Body:
        try:
            raws = raw_elements(body.decode(), self._at)
            following = lenient_value(body.decode(), self._next) if self._next else None
        except ValueError:
            raise BadBody("JSON that is cut off or malformed") from None
        if raws is None:
            raise BadBody("no list of deletions where it was")
        return Body([self._record(raw.encode()) for raw in raws], next_page_of(following))

    def _named(self, entry: object) -> Record:
        return self._record(msgspec.json.encode(entry))

    def _record(self, payload: bytes) -> Record:
        key = value_at(payload, self._key)
        return Record(None if key is None else str(key), None, False, payload)


def followed_by(read: PageReader, feed: PageReader, told: Callable[[Page], Page]) -> PageReader:
    """Reads the records and then the feed: whoever was deleted while the records were read is deleted in the end.

    `told` makes of a page of the feed what is to be landed.
    """

    def read_both(window: Window, token: str | None) -> Iterator[Page]:
        begun = token is not None and token.startswith(FEED)
        if not begun:
            for page in read(window, token):
                yield page if page.token is not None else replace(page, token=FEED)
        for page in feed(window, (token or "").removeprefix(FEED) or None if begun else None):
            yield replace(told(page), token=None if page.token is None else FEED + page.token)

    return read_both


def deleted(stream: Stream, tombstones: Tombstones) -> Callable[[Page], Page]:
    """The records that the entries of a page name, as deleted ones."""
    gone = _gone(stream, tombstones)
    return lambda page: replace(page, records=[record for entry in page.records if (record := gone(entry)) is not None])


def ended(page: Page) -> Page:
    """Where the records are within what is deleted, they go with it: what staging holds of that partition is gone."""
    now = datetime.now(UTC)
    return replace(
        page, records=[], ended=tuple(Partition(entry.key, None, now) for entry in page.records if entry.key)
    )


def _gone(stream: Stream, tombstones: Tombstones) -> Callable[[Record], Record | None]:
    (name,) = stream.primary_key
    place = dotted(stream.fields[name].path or name)
    pattern, cursor_at = re.compile(tombstones.match), dotted(tombstones.cursor or "")
    kind = stream.cursor.kind if stream.cursor else None

    def gone(entry: Record) -> Record | None:
        """The deleted record that the entry names; None where it is about something else."""
        found = pattern.fullmatch(entry.key or "")
        if found is None:
            return None
        content: object = found[1]
        for part in reversed(place):
            content = {part: content}
        cursor = canonical(kind, [value_at(entry.payload, cursor_at)]) if kind and cursor_at else None
        return Record(found[1], cursor, True, msgspec.json.encode(content))

    return gone
