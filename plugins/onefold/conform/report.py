"""What a conform run did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class EntityReport:
    """Golden records of one entity: how many there are, what this run did, how many systems each joins.

    `held_back` and `warnings` are how many golden records are held back, and have a warning, after this run.
    """

    entity: str
    golden: int
    new: int = 0
    changed: int = 0
    ended: int = 0
    conflicts: int = 0
    held_back: int = 0
    warnings: int = 0
    by_sources: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConformReport:
    """`publish_id` is None when there was nothing to take in. `seconds` are by phase.

    `refused` says why, by entity, those entities stay as they were that the gate refused, and those that refer to them.
    """

    publish_id: int | None
    loads: tuple[int, ...]
    entities: tuple[EntityReport, ...]
    seconds: Mapping[str, float]
    refused: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The report as plain JSON containers."""
        return asdict(self) | {
            "entities": [asdict(entity) for entity in self.entities],
            "loads": list(self.loads),
        }
