"""What a replay would select, and what became of the rows that one selected, as text."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.replay.ledger import FIGURES, Replay
from onefold.replay.selection import MatchingRows
from onefold.text_table import table

ALL_REFUSED = (
    "Nothing was mended: every row came back into quarantine. What refuses them now: bin/onefold replay --dry-run, or "
    "the page Quarantine. Correct the suite, the mapping or the stream's YAML, check it, then replay again."
)


def plan_lines(matching: Sequence[MatchingRows]) -> list[str]:
    """The rows that a replay would select, by stream and reason; then those that cannot be replayed, and why not."""
    heads = ("system", "stream", "failed expectation", "reason", "withheld", "rows")
    rows = [
        (each.system, each.stream, each.expectation, each.reason, each.attribute or "", f"{each.rows:,}")
        for each in matching
        if not each.why_not
    ]
    selected = sum(each.rows for each in matching if not each.why_not)
    values = sum(each.rows for each in matching if not each.why_not and each.attribute)
    return [
        *([table(heads, rows, left=5)] if rows else []),
        f"{selected:,} rows would be replayed{_of_them(values)}.",
        *not_replayable_lines(matching),
    ]


def replay_lines(replay: Replay) -> list[str]:
    """A line for each stream, and their sum: selected = published + superseded + refused."""
    rows = [
        (stream.system, stream.stream, *(f"{stream.figures[figure]:,}" for figure in FIGURES))
        for stream in replay.streams
    ]
    totals, withheld = replay.totals, replay.withheld
    again = f": {withheld['withheld_again']:,} again" if withheld["withheld"] else ""
    return [
        table(("system", "stream", *FIGURES), rows, left=2),
        (
            f"Replay {replay.replay_id}: {totals['selected']:,} selected = {totals['published']:,} published"
            f" + {totals['superseded']:,} superseded + {totals['refused']:,} refused (again in quarantine)"
            f"{_of_them(withheld['withheld'])}{again}."
        ),
        *([ALL_REFUSED] if replay.nothing_mended else []),
        *not_replayable_lines(replay.not_replayable),
    ]


def _of_them(values: int) -> str:
    """How many rows are withheld values; nothing where none is."""
    return f"; {values:,} of them are withheld values of published records" if values else ""


def not_replayable_lines(matching: Sequence[MatchingRows]) -> list[str]:
    """A line for each group of rows that cannot be replayed."""
    return [
        f"Not replayed: {each.rows:,} of {each.system}.{each.stream} ({each.reason}): {each.why_not}."
        for each in matching
        if each.why_not
    ]
