"""The marks that drafts have left in the catalogue: what somebody has still to check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from onefold.draft.yaml_text import CHECK


@dataclass(frozen=True, slots=True)
class MarkLeft:
    """One mark: the file, its line from 1, and what is in doubt."""

    file: Path
    line: int
    text: str


def marks_left(folder: Path) -> Iterator[MarkLeft]:
    """Every mark in the YAML files of the folder, in their order."""
    for path in sorted(folder.glob("*.yaml")):
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
            _, found, text = line.partition(CHECK)
            if found:
                yield MarkLeft(path, number, text.strip())
