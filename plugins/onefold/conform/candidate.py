"""What the gate of a conform run judges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg import sql


@dataclass(frozen=True, slots=True)
class Candidate:
    """The golden records that a run is about to publish: the new state of every one that it changes."""

    publish_id: int
    entity: str
    schema: str
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that some candidates fail. `rows` is a query that gives the key of each of them.

    A critical one holds them back; any other is recorded as a warning on them. `expectation` and `reason` hold no
    values.
    """

    expectation: str
    reason: str
    critical: bool
    rows: sql.Composed


Gate = Callable[[Candidate], Sequence[Failure]]
"""Judges a candidate table. Raises Rejected to refuse the whole entity."""
