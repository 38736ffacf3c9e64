"""All kinds of awkward records, and how many of a world's records are of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.awkward import companies, office, sales
from sandbox.world import World

KINDS = (*companies.KINDS, *sales.KINDS, *office.KINDS)


@dataclass(frozen=True, slots=True)
class Awkward:
    """How many records a world has, how many of them are awkward (each counted once), and how many of each kind."""

    records: int
    awkward: int
    by_kind: Mapping[str, int]

    @property
    def share(self) -> float:
        """The awkward ones' share of all, from 0 to 1."""
        return self.awkward / max(self.records, 1)


def count(world: World) -> Awkward:
    """Counts the awkward records of a world, in the streams that it holds."""
    found = {kind.name: set(kind.found(world)) for kind in KINDS}
    return Awkward(
        records=world.rows,
        awkward=len(set().union(*found.values())),
        by_kind={name: len(keys) for name, keys in found.items()},
    )


def table() -> str:
    """The kinds as a table in Markdown, as README.md has it."""
    return "\n".join(["| Kind | What it is |", "|---|---|", *(f"| {kind.name} | {kind.what} |" for kind in KINDS)])
