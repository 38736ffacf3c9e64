"""Reports that come as one bucket a day, each with its list of results: how both providers of models page them."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from sandbox.world import Entry, World
from sandbox.world.llm import FIRST_DAY

DAY = timedelta(days=1)
Row = dict[str, object]


class BadPage(ValueError):
    """A page token that was not handed out here."""


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def page_of(
    world: World,
    book: str,
    day_of: Callable[[Entry], date],
    show: Callable[[Entry], Row],
    days: Iterator[date],
    limit: int,
    token: str | None,
) -> tuple[list[tuple[date, list[Row]]], str | None]:
    """The days of one page with what each holds, and the token of the next page. Paging is a snapshot.

    Raises BadPage when the token is not one of ours.
    """
    sequence, first = _unpacked(token) if token else (world.sequence, FIRST_DAY - 3650 * DAY)
    by_day: defaultdict[date, list[Entry]] = defaultdict(list)
    for entry in world.shelf(book).entries:
        if entry.at(sequence) is not None:
            by_day[day_of(entry)].append(entry)
    left = [day for day in days if day >= first]
    following = f"page_{_packed(sequence, left[limit])}" if len(left) > limit else None
    return [(day, [show(entry) for entry in by_day[day]]) for day in left[:limit]], following


def whole_days(start: datetime, end: datetime) -> Iterator[date]:
    """The days that begin at or after `start` and before `end`."""
    day = start.astimezone(UTC).date()
    if midnight(day) < start:
        day += DAY
    while midnight(day) < end:
        yield day
        day += DAY


def _packed(sequence: int, day: date) -> str:
    return base64.urlsafe_b64encode(json.dumps([sequence, day.isoformat()]).encode()).decode()


def _unpacked(token: str) -> tuple[int, date]:
    try:
        sequence, day = json.loads(base64.urlsafe_b64decode(token.removeprefix("page_")))
        return int(sequence), date.fromisoformat(day)
    except (ValueError, TypeError) as error:
        raise BadPage(token) from error
