"""What a replay would select, and what became of the rows that one selected, as text."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.replay.ledger import FIGURES, Replay
from onefold.replay.selection import MatchingRows
from onefold.text_table import table


def plan_lines(matching: Sequence[MatchingRows]) -> list[str]:
    """The rows that a replay would select, by stream and reason; then those that cannot be replayed, and why not."""
    heads = ("system", "stream", "failed expectation", "reason", "rows")
    rows = [(w.system, w.stream, w.expectation, w.reason, f"{w.rows:,}") for w in matching if not w.why_not]
    selected = sum(each.rows for each in matching if not each.why_not)
    return [
        *([table(heads, rows, left=4)] if rows else []),
        f"{selected:,} rows would be replayed.",
        *not_replayable_lines(matching),
    ]


def replay_lines(replay: Replay) -> list[str]:
    """A line for each stream, and their sum: selected = published + superseded + refused."""
    rows = [
        (stream.system, stream.stream, *(f"{stream.figures[figure]:,}" for figure in FIGURES))
        for stream in replay.streams
    ]
    totals = replay.totals
    return [
        table(("system", "stream", *FIGURES), rows, left=2),
        (
            f"Replay {replay.replay_id}: {totals['selected']:,} selected = {totals['published']:,} published"
            f" + {totals['superseded']:,} superseded + {totals['refused']:,} refused (again in quarantine)."
        ),
        *not_replayable_lines(replay.not_replayable),
    ]


def not_replayable_lines(matching: Sequence[MatchingRows]) -> list[str]:
    """A line for each group of rows that cannot be replayed."""
    return [
        f"Not replayed: {each.rows:,} of {each.system}.{each.stream} ({each.reason}): {each.why_not}."
        for each in matching
        if each.why_not
    ]
