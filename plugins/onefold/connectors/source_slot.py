"""What a source keeps its log for, from the moment that it is made there until it is dropped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceSlot:
    """A replication slot, by its name, and the connection over which it was made."""

    name: str
    connection: str
