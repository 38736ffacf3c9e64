"""What was done to the world, on disk, so that a killed sandbox comes back with the same world."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Advance:
    """One advance: how many companies change, are deleted, are new; stamped `at` (UTC)."""

    at: datetime
    changes: int
    deletions: int
    new: int


class Journal:
    """A file of JSON lines, one per advance. A line cut off by a crash was never answered: it is dropped."""

    def __init__(self, path: Path, seed: int, companies: int) -> None:
        self._path = path
        self._base = {"seed": seed, "companies": companies}
        path.parent.mkdir(parents=True, exist_ok=True)

    def read(self) -> list[Advance]:
        """The advances so far, oldest first. Raises ValueError when they were made to another base world."""
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole, encoding="utf-8")
        return [self._parse(line) for line in whole.splitlines()]

    def append(self, advance: Advance) -> None:
        """Writes the advance and waits until it is on disk."""
        line = json.dumps({**self._base, **asdict(advance), "at": advance.at.isoformat()})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    def _parse(self, line: str) -> Advance:
        entry = json.loads(line)
        base = {"seed": entry.pop("seed"), "companies": entry.pop("companies")}
        if base != self._base:
            raise ValueError(
                f"{self._path} records what happened to a world of {base['companies']} companies with seed "
                f"{base['seed']}, but this start asks for {self._base['companies']} with seed "
                f"{self._base['seed']}. Start with those numbers, or delete that file to begin anew."
            )
        return Advance(**{**entry, "at": datetime.fromisoformat(entry["at"])})
