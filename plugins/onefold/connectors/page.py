"""What every connector gives: pages of records, read for one window of one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

import msgspec

from onefold.errors import Fatal

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Scope = Literal["open", "known", "feed"]
"""What a look-up is asked: the questions that are `open`, their answers not being fresh, and what its feed
names that we hold; what the feed names in the window and others name or we hold, fresh or not (`known`); all that the
`feed` names."""


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open span [start, end) of a stream's cursor that a load brings; both ends in UTC.

    `states` is what a reader handed over with the loads published so far (Part.state), by part. It is empty when a run
    names its window: such a stream is then read anew, whole. `scope` matters to look-ups only.
    """

    start: datetime
    end: datetime
    states: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    scope: Scope = "open"

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise Fatal("a window needs a time zone on both ends, for example 2026-01-31T00:00:00Z")
        if self.start >= self.end:
            raise Fatal(f"the window starts at {self.start:%FT%TZ}, not before its end {self.end:%FT%TZ}: swap them")


class Record(msgspec.Struct, frozen=True, gc=False):
    """One record as the source gave it. `cursor` is canonical text whose byte order is the cursor's order.

    A msgspec.Struct: there are millions of them, and a dataclass takes five times as long to make.
    """

    key: str | None
    cursor: str | None
    deleted: bool
    payload: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What a source that is asked one value at a time said about it; `proof` is its own number of our request."""

    question: str
    outcome: Literal["found", "not_found", "deleted", "failed"]
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stream that has been read to its end: one user's calendar, say. A stream that has no parts is one
    part, named ""; else a part's name is the first of its records' primary key fields.

    `state` is text that the reader wants back with the next load's window once this load is published (a delta link);
    None forgets the one before. `whole_since` is set when all that the source has of the part was read from that moment
    on: what staging holds of it and no page since then had is gone. `refused` is why nothing of the part was taken: the
    publish puts its name into quarantine with that reason, until the part comes again.
    """

    name: str
    state: str | None = None
    whole_since: datetime | None = None
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `token` is what the connector needs to go on after this page; None after the last one. `ended` are the
    parts of the stream whose last records are on it."""

    records: list[Record]
    extracted_at: datetime
    token: str | None
    answers: tuple[Answer, ...] = ()
    ended: tuple[Part, ...] = ()


class Questions(Protocol):
    """The values to ask a lookup source about, always in one order, those that come after `after`; `changed` ones are
    asked even if cached, and in a scope other than `open` no others are."""

    def __call__(self, after: str | None, changed: Iterable[str], scope: Scope = "open") -> Iterator[str]: ...


Reached = Callable[[Window], int | None]
"""The integer cursor up to which the stream is published, where that reaches to the window's start; else None."""

PageReader = Callable[[Window, str | None], Iterator[Page]]
"""Reads the pages of a window; the second argument is the token to go on from, None from the start.

To be asked for the next page means that the one before was sent to the warehouse, not that its load is published: a
source that wants to hear that a record has arrived is told after the publish, by the function `confirm` of its module
(`python.confirms` in the YAML).
"""
