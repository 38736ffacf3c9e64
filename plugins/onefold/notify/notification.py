"""What people are told: that something is wrong, or that it has healed. Names and figures only, nothing personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that is wrong (or was, when `healed`): its kind, what it is about, and in words what is wrong."""

    kind: str
    subject: str
    what: str
    first_seen: datetime
    healed: datetime | None = None

    @property
    def title(self) -> str:
        """One line that says which thing it is, and whether it is over."""
        return f"Onefold: {self.kind} of {self.subject}{' has healed' if self.healed else ''}"

    @property
    def text(self) -> str:
        """What is wrong and since when; of what has healed, how long it lasted."""
        if self.healed:
            return f"It was wrong from {_at(self.first_seen)} to {_at(self.healed)}. It was: {self.what}"
        return f"{self.what} First seen {_at(self.first_seen)}."


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%F %H:%M UTC")
