"""One of several events that a request brings, of a sender that signs nothing but says who it is."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Notification:
    """`claim` is what the sender shows in the body for itself, compared with the keys of the hook; it is not in
    `body`, where it is a secret. `event_id` is None where the sender gives it none."""

    claim: bytes = field(repr=False)
    event_id: str | None
    body: bytes
