"""What the gate of a conform run judges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """The golden records that a run is about to publish: the new state of every one that it changes."""

    publish_id: int
    entity: str
    schema: str
    table: str
    key: str


Gate = Callable[[Candidate], None]
"""Judges a candidate table. Raises Rejected to refuse the publish."""
