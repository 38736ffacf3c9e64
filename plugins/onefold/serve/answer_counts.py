"""How the API has answered since its process began, for its metrics: also what could not be recorded is counted."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: in each of these times so many answers had left."""


@dataclass
class AnswerCounts:
    """Of one process. Changed by its event loop alone."""

    by_class: Counter[str] = field(default_factory=lambda: Counter({"2xx": 0, "3xx": 0, "4xx": 0, "5xx": 0}))
    """Answers by the first digit of their status."""
    took: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    """Answers by the first of BOUNDS that they kept, and at last those that kept none."""
    seconds: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        self.by_class[f"{status // 100}xx"] += 1
        self.took[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
