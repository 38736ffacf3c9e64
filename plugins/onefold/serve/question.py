"""What a register can be asked, and its answer as the API holds it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

FRESH_FOR = timedelta(hours=24)
"""So long an answer is given again without asking the register."""
Outcome = Literal["found", "not_found"]


@dataclass(frozen=True, slots=True)
class Question:
    """About one key of a stream; `stream` may be a question that no load asks (a day's entry, the whole extract)."""

    system: str
    stream: str
    key: str

    def __str__(self) -> str:
        return f"{self.system} {self.stream} {self.key}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the register said: the records, of each what everybody may see and what is personal. `final` ones, about a
    day that is over, need not be asked again."""

    question: Question
    outcome: Outcome
    answered_at: datetime
    proof: str | None = None
    content: list[dict[str, Any]] = field(default_factory=list, repr=False)
    people: list[dict[str, Any]] = field(default_factory=list, repr=False)
    final: bool = False

    def is_fresh(self, now: datetime | None = None) -> bool:
        return self.final or (now or datetime.now(UTC)) - self.answered_at < FRESH_FOR


class NoAnswer(Exception):
    """The register could not be asked, or did not answer in time; the text says why, without what was asked."""
