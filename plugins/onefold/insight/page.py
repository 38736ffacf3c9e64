"""Results that can grow without end, page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from onefold.errors import Fatal

MAX_ROWS = 1000
"""The most rows that one page holds."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, the newest first. `before` asks for the page after this one; None: this is the last."""

    rows: tuple[Row, ...]
    before: int | None


def bounded(limit: int) -> int:
    """The limit. Raises Fatal when it is not from 1 to MAX_ROWS."""
    if not 1 <= limit <= MAX_ROWS:
        raise Fatal(f"a page holds from 1 to {MAX_ROWS:,} rows, not {limit:,}")
    return limit


def page_of(rows: Sequence[Row], limit: int, number: Callable[[Row], int]) -> Page[Row]:
    """A page of rows that were asked for with one more than the limit; `number` gives a row's place in the order."""
    some = tuple(rows[:limit])
    return Page(some, number(some[-1]) if len(rows) > limit else None)
