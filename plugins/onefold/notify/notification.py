"""What people receive: that an alert is open, or that it is resolved. Names and figures only, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Message(Protocol):
    """What a receiver can be sent: one line, a text, and whether it tells of something that is wrong now."""

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def is_problem(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Notification:
    """One alert that is open, or resolved at `resolved_at`: its kind, its subject, and what is wrong in words."""

    kind: str
    subject: str
    message: str
    first_seen: datetime
    resolved_at: datetime | None = None

    @property
    def is_problem(self) -> bool:
        """Whether the alert is open."""
        return self.resolved_at is None

    @property
    def title(self) -> str:
        """One line that says which alert it is, and whether it is resolved."""
        return f"Onefold: {self.kind} of {self.subject}{' is resolved' if self.resolved_at else ''}"

    @property
    def text(self) -> str:
        """What is wrong and since when; of a resolved alert, how long it lasted."""
        if self.resolved_at:
            return f"It was open from {_utc(self.first_seen)} to {_utc(self.resolved_at)}. It was: {self.message}"
        return f"{self.message} First seen {_utc(self.first_seen)}."


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%F %H:%M UTC")
