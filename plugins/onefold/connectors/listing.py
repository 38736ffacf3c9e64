"""Streams that every load lists whole: their last page says so, and what the listing lacks is deleted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from onefold.catalog.request import Request, texts_of
from onefold.catalog.stream import Stream
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.page import Page, PageReader
from onefold.connectors.partition import Partition
from onefold.connectors.window import Window

_MARK = "since:"
_TIME = re.compile(r"\{(start|end|first_day|last_day)(_unix|_unix_ms)?\}")


def is_listed_whole(can: Capabilities, stream: Stream) -> bool:
    """Whether every load lists all that the source has of the stream: nothing that is asked names a time."""
    return why_not_listed_whole(can, stream) is None


def why_not_listed_whole(can: Capabilities, stream: Stream) -> str | None:
    """Why a load does not list all of the stream, in a few words; None where it does."""
    if can.listing == "never":
        return "its connector reads it in its own way"
    if stream.lookup:
        return "the source cannot list its records"
    if stream.webhook:
        return "its records are read when an event names them"
    if stream.parent:
        return "it is listed parent by parent, and what each of them lacks is deleted"
    if stream.retention_limited:
        return "the source keeps its records for a limited time"
    if stream.partial_changes:
        return "its records come in parts"
    if can.listing == "cursor" and stream.cursor:
        return "a load asks for what changed since the one before, by its cursor"
    return "its request names the window" if names_time(stream.request) else None


def names_time(request: Request) -> bool:
    """Whether a request names a time of the window, its start or its end."""
    return request.slices is not None or any(map(_TIME.search, texts_of(request)))


def whole_listing(read: PageReader) -> PageReader:
    """Reads a stream that is listed whole: its last page says since when all of it was read.

    A page's token is that time and the reader's own token, so that an extraction which goes on after a crash still
    knows it.
    """

    def read_all(window: Window, token: str | None) -> Iterator[Page]:
        since, inner = _since(token)
        for page in read(window, inner):
            if since is None:
                yield page
            elif page.token is None:
                yield replace(page, ended=(*page.ended, Partition("", snapshot_since=since)))
            else:
                yield replace(page, token=f"{_MARK}{since.isoformat()} {page.token}")

    return read_all


def _since(token: str | None) -> tuple[datetime | None, str | None]:
    """When the listing began, and the reader's own token; no time for a token from before this was noted."""
    if token is None:
        return datetime.now(UTC), None
    if not token.startswith(_MARK):
        return None, token
    since, _, inner = token.removeprefix(_MARK).partition(" ")
    return datetime.fromisoformat(since), inner
