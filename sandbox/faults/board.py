"""The active faults, and how many requests each system answered with which status."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.faults.fault import Fault


@dataclass(slots=True)
class ActiveFault:
    """A fault with its count of matching requests (seen) and of those that suffered (hits)."""

    id: int
    fault: Fault
    seen: int = 0
    hits: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.times != -1 and self.hits >= self.fault.times

    def shown(self) -> dict[str, object]:
        described = self.fault.model_dump(exclude_unset=True)
        return {"id": self.id, **described, "hits": self.hits, "spent": self.spent}


class FaultBoard:
    """The faults posted so far, and how many requests each system answered with which status."""

    def __init__(self, systems: Sequence[str]) -> None:
        self.systems = systems
        self._faults: list[ActiveFault] = []
        self._posted = 0
        self._statuses: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, fault: Fault) -> ActiveFault:
        """Raises ValueError when there is no such system."""
        if fault.system not in self.systems:
            raise ValueError(f"system must be one of {', '.join(self.systems)}, not {fault.system!r}")
        self._posted += 1
        active = ActiveFault(self._posted, fault)
        self._faults.append(active)
        return active

    def clear(self) -> int:
        """Removes all faults; returns how many there were."""
        count, self._faults = len(self._faults), []
        return count

    def listed(self) -> list[dict[str, object]]:
        return [active.shown() for active in self._faults]

    def matching(self, system: str, text: str) -> list[ActiveFault]:
        """The faults that this request meets, in the order in which they were posted."""
        met = []
        for active in self._faults:
            fault = active.fault
            if fault.system != system or fault.path not in text or active.spent:
                continue
            active.seen += 1
            if active.seen > fault.after:
                met.append(active)
        return met

    def count(self, system: str, status: str) -> None:
        self._statuses[system][status] += 1

    def stats(self) -> dict[str, object]:
        """Per system: how many requests, and how many answers of each status ("cut" for a body cut off)."""
        return {
            system: {
                "requests": sum(self._statuses[system].values()),
                "statuses": dict(sorted(self._statuses[system].items())),
            }
            for system in self.systems
        }
