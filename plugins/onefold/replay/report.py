"""What a replay would choose, and what became of the rows that one chose, as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence

from onefold.replay.ledger import OUTCOMES, Account
from onefold.replay.selection import Waiting
from onefold.text_table import table

_FIGURES = ("chosen", *OUTCOMES)


def plan_lines(matching: Sequence[Waiting]) -> list[str]:
    """What a replay would choose, by stream and reason; then what it could not, and why not."""
    heads = ("system", "stream", "refused by", "reason", "rows")
    rows = [(w.system, w.stream, w.expectation, w.reason, f"{w.rows:,}") for w in matching if not w.why_not]
    chosen = sum(each.rows for each in matching if not each.why_not)
    return [*([table(heads, rows, left=4)] if rows else []), f"{chosen:,} rows would be replayed.", *left_out(matching)]


def account_lines(account: Account) -> list[str]:
    """One line a stream and their sum: chosen = published + superseded + again."""
    rows = [
        (stream.system, stream.stream, *(f"{getattr(stream, figure):,}" for figure in _FIGURES))
        for stream in account.streams
    ]
    sums = {figure: account.total(figure) for figure in _FIGURES}
    return [
        table(("system", "stream", *_FIGURES), rows, left=2),
        f"Replay {account.replay_id}: {sums['chosen']:,} chosen = {sums['published']:,} published"
        f" + {sums['superseded']:,} superseded + {sums['again']:,} again in quarantine.",
        *left_out(account.left_out),
    ]


def left_out(matching: Sequence[Waiting]) -> list[str]:
    """One line for each group of rows that cannot be replayed."""
    return [
        f"Not replayed: {each.rows:,} of {each.system}.{each.stream} ({each.reason}): {each.why_not}."
        for each in matching
        if each.why_not
    ]
