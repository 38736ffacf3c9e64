"""The table that `make bench` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One ratio beside its target. `smaller`: the target is a most, else a least."""

    what: str
    ratio: float
    target: float
    detail: str
    smaller: bool = False

    @property
    def met(self) -> bool:
        return self.ratio <= self.target if self.smaller else self.ratio >= self.target


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| what | ratio | target | met | detail |", "|---|---|---|---|---|"]
    for row in rows:
        target = f"{'≤' if row.smaller else '≥'} {row.target:.2f}"
        lines.append(f"| {row.what} | {row.ratio:.2f} | {target} | {'yes' if row.met else 'no'} | {row.detail} |")
    return "\n".join(lines)
