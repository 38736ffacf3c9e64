"""Sources that answer for so long a span only: a longer window is read slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time

from onefold.catalog.request import Slices
from onefold.connectors.page import Page, PageReader
from onefold.connectors.window import BEGINNING, Window


def sliced(read: PageReader, slices: Slices) -> PageReader:
    """Reads a window as slices of whole days (UTC), none longer than allowed. One from the beginning begins with
    `slices.since`; one that names an earlier start than that asks from there on.

    A page's token is the start of its slice and the token within it, so that a crash goes on in the same slice.
    """

    def read_all(window: Window, token: str | None) -> Iterator[Page]:
        begun, _, within = (token or "").partition("|")
        start = (
            datetime.fromisoformat(begun)
            if begun
            else _midnight(_first(slices) if window.start <= BEGINNING else window.start)
        )
        inner = within or None
        while start < window.end:
            end = min(start + slices.longest, window.end)
            following = f"{end.isoformat()}|" if end < window.end else None
            for page in read(Window(start, end), inner):
                yield replace(page, token=f"{start.isoformat()}|{page.token}" if page.token else following)
            start, inner = end, None

    return read_all


def _first(slices: Slices) -> datetime:
    return datetime.combine(slices.since, time(), UTC)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
