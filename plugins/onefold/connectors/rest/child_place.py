"""How far a load of a stream with parents has come, and what its next page will hold."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from onefold.connectors.page import Page
from onefold.connectors.partition import Partition
from onefold.connectors.record import Record

RECORDS, ENDED, SECONDS = 500, 100, 5.0
"""A page is given once it has so many records, so many partitions have ended on it, or it is so old: that much a crash
costs."""


class Place(msgspec.Struct, array_like=True, frozen=True):
    """The partition, the last parent asked in it, and the token of its next page; with `ended` all of it is read.

    Of the partition: since when it is read, how many of its parents were gone by their status, why one could not be
    read, what to ask for again, how many records and pages it had, and whether this is the second reading. Of the load:
    whether anything was read, whether a record had no key, and how many parents were gone or unreadable.
    """

    partition: str = ""
    key: str | None = None
    token: str | None = None
    ended: bool = False
    since: datetime = datetime.min.replace(tzinfo=UTC)
    lost: int = 0
    refused: str | None = None
    again: list[tuple[str, dict[str, msgspec.Raw]]] = []
    records: int = 0
    pages: int = 0
    second: bool = False
    read: bool = False
    keyless: bool = False
    gone: int = 0
    unreadable: int = 0

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    def passed(self, parent: str) -> bool:
        """Whether a parent of the partition has been read to its end."""
        return self.key is not None and (parent < self.key or (parent == self.key and self.token is None))

    def begin(self, partition: str, since: datetime) -> Place:
        """At the beginning of another partition."""
        fresh = Place(partition, since=since)
        return msgspec.structs.replace(
            fresh, read=self.read, keyless=self.keyless, gone=self.gone, unreadable=self.unreadable
        )

    def after_page(self, parent: str, page: Page) -> Place:
        """With one page of a parent read."""
        keyless = self.keyless or any(record.key is None for record in page.records)
        records, pages = self.records + len(page.records), self.pages + 1
        return msgspec.structs.replace(
            self, key=parent, token=page.token, read=True, keyless=keyless, records=records, pages=pages
        )

    def after_gone(self, parent: str) -> Place:
        """With a parent passed that is gone."""
        return msgspec.structs.replace(self, key=parent, token=None, lost=self.lost + 1, gone=self.gone + 1)

    def after_unreadable(self, parent: str, why: str, again: dict[str, msgspec.Raw] | None) -> Place:
        """With a parent passed that could not be read, to be asked with these values by the next load."""
        return msgspec.structs.replace(
            self,
            key=parent,
            token=None,
            refused=why,
            again=[*self.again, *([(parent, again)] if again else [])],
            unreadable=self.unreadable + 1,
        )

    def may_lack(self, parents: int, before: int) -> bool:
        """Whether a record may have been missed: where one is deleted between two pages, those behind it move, and one
        can stand on neither. So where several pages have fewer records than the partition had, it is read once more."""
        return not self.second and self.pages > parents and self.records < before

    def once_more(self) -> Place:
        """Back at the beginning of the partition; what was read of it stays."""
        return msgspec.structs.replace(self, key=None, token=None, records=0, pages=0, lost=0, second=True)

    def at_its_end(self) -> Place:
        """With the partition done."""
        return msgspec.structs.replace(self, ended=True, token=None, again=[])


def place_from(token: str | None) -> Place:
    """The place that a token names; without one the beginning."""
    return msgspec.json.decode(token, type=Place) if token else Place()


@dataclass
class Batch:
    """What the next page will hold. `at` is before the first of its requests, and not before that of an earlier page:
    what a partition has had since it was begun must not look older than that."""

    at: datetime
    records: list[Record] = field(default_factory=list)
    ended: list[Partition] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    @property
    def some(self) -> bool:
        return bool(self.records or self.ended)

    @property
    def full(self) -> bool:
        old = self.some and time.monotonic() - self.begun > SECONDS
        return old or len(self.records) >= RECORDS or len(self.ended) >= ENDED

    def page(self, place: Place | None) -> Page:
        """All of it as a page, after which the load goes on at this place; None: it was the last one."""
        page = Page(self.records, self.at, place.text() if place else None, ended=tuple(self.ended))
        self.records, self.ended, self.begun = [], [], time.monotonic()
        self.at = max(self.at, datetime.now(UTC))
        return page
