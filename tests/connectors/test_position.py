"""Positions have an order within one kind and one source; a window lies between two of them, half-open."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from onefold.connectors.position import IntegerPosition, Position, TimePosition, time_of
from onefold.connectors.window import Window
from onefold.errors import Fatal

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOON_IN_WARSAW = NOON.astimezone(timezone(timedelta(hours=1)))
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LogPosition(Position):
    """The kind that Position's docstring describes, as a source with a log will have it."""

    source: str
    commit: int
    place: int

    def __str__(self) -> str:
        return f"{self.commit}/{self.place} of {self.source}"

    @property
    def kind(self) -> str:
        return "log position"

    @property
    def text(self) -> str:
        return f"{self.commit:020d}{self.place:010d}"

    def comparable(self, other: Position) -> bool:
        return isinstance(other, LogPosition) and self.source == other.source


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (TimePosition(NOON), TimePosition(NOON + TICK)),
        (TimePosition(NOON_IN_WARSAW), TimePosition(NOON + TICK)),
        (TimePosition(NOON - TICK), TimePosition(NOON_IN_WARSAW)),
        (IntegerPosition(0), IntegerPosition(1)),
        (IntegerPosition(9), IntegerPosition(10)),
        (IntegerPosition(99_999_999_999_999_999_998), IntegerPosition(99_999_999_999_999_999_999)),
        (LogPosition("slot", 9, 13), LogPosition("slot", 10, 0)),
        (LogPosition("slot", 10, 9), LogPosition("slot", 10, 13)),
    ],
)
def test_positions_are_ordered_as_their_source_orders_them(earlier: Position, later: Position) -> None:
    assert earlier < later
    assert later > earlier
    assert not later < earlier
    assert len(earlier.text) == len(later.text)
    assert not Window(earlier, later).to_position < later


def test_one_instant_in_two_time_zones_is_one_position() -> None:
    warsaw, utc = TimePosition(NOON_IN_WARSAW), TimePosition(NOON)
    assert warsaw == utc
    assert hash(warsaw) == hash(utc)
    assert not warsaw < utc
    assert not utc < warsaw


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TimePosition(NOON), IntegerPosition(7)),
        (IntegerPosition(7), TimePosition(NOON)),
        (LogPosition("slot", 1, 0), IntegerPosition(7)),
        (LogPosition("slot", 1, 0), LogPosition("recreated slot", 2, 0)),
    ],
)
def test_positions_of_two_kinds_or_of_two_sources_are_not_compared(one: Position, other: Position) -> None:
    for refused in (lambda: one < other, lambda: one > other, lambda: Window(one, other)):
        with pytest.raises(Fatal, match=r"have no order.*load the stream anew"):
            refused()


def test_a_window_ends_before_its_second_position_so_that_two_that_meet_share_nothing() -> None:
    first, second = Window(NOON, NOON + TICK), Window(NOON + TICK, NOON + 2 * TICK)
    assert first.to_position == second.from_position
    assert (first.start, first.end) == (NOON, NOON + TICK)
    with pytest.raises(Fatal, match="not before its end"):
        Window(NOON, NOON)  # [x, x) has nothing in it


def test_a_window_with_wrong_ends_says_what_is_wrong() -> None:
    swapped = "the window starts at 2026-01-31T12:00:00Z, not before its end 2026-01-31T11:00:00Z: swap them"
    with pytest.raises(Fatal) as refused:
        Window(NOON, NOON - timedelta(hours=1))
    assert str(refused.value) == swapped
    no_zone = "a window needs a time zone on both ends, for example 2026-01-31T00:00:00Z"
    for ends in ((NOON.replace(tzinfo=None), NOON), (NOON, NOON.replace(tzinfo=None))):
        with pytest.raises(Fatal) as refused:
            Window(*ends)
        assert str(refused.value) == no_zone
    with pytest.raises(Fatal, match="zero or more, not -1"):
        IntegerPosition(-1)


def test_a_window_of_other_positions_has_no_times() -> None:
    window = Window(IntegerPosition(7), IntegerPosition(9))
    for times in (lambda: window.start, lambda: window.end, lambda: time_of(IntegerPosition(7))):
        with pytest.raises(Fatal, match=r"integer cursor [79] is not a time"):
            times()


def test_a_window_given_as_positions_or_as_times_is_the_same_and_can_be_replaced_in_part() -> None:
    window = Window(NOON, NOON + TICK)
    assert window == Window(TimePosition(NOON), TimePosition(NOON + TICK))
    asked = replace(window, scope="known", checkpoints={"a": "link"})
    assert (asked.scope, asked.checkpoints, asked.start, asked.end) == ("known", {"a": "link"}, NOON, NOON + TICK)
    assert replace(window, checkpoints={"a": "link"}) == window
