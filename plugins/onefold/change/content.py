"""What a plan says, as it is kept in ops.plan.content."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

Rows = Literal["published", "waiting", "golden"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EntityChange(_Part):
    """What would become of an entity's golden records: DryRunReport's counts, and GoldenDiff's of the attributes."""

    entity: str
    counts: dict[str, int]
    refused: str | None
    attributes: dict[str, dict[str, int]]
    same_values: int


class JudgedRows(_Part):
    """What the gate would say of the published or waiting rows of a stream, or of an entity's golden records.

    `refused`: by expectation, how many of the `rows` fail it, and `refused_rows` how many fail any; `passing`: by the
    expectation that had refused them, how many would pass now; `withheld`: by attribute, of how many the value is
    withheld now and would be.
    """

    stream: str
    rows_are: Rows
    rows: int
    refused_rows: int
    refused: dict[str, int]
    passing: dict[str, int]
    withheld: dict[str, tuple[int, int]]

    @property
    def says_something(self) -> bool:
        """Whether anything would be judged otherwise."""
        return bool(self.refused_rows or self.passing or any(now != then for now, then in self.withheld.values()))

    def lines(self) -> Iterator[tuple[str, int, int]]:
        """What would be judged otherwise: in words, of how many rows it is so now, and of how many it would be."""
        if self.rows_are != "waiting":
            for expectation, rows in self.refused.items():
                what = "fails" if self.rows_are == "golden" else "refused"
                yield f"{what}: {expectation}", 0, rows
        for expectation, rows in self.passing.items():
            yield f"waiting for {expectation}, would pass", 0, rows
        for attribute, (now, then) in self.withheld.items():
            if now != then:
                yield f"withheld: {attribute}", now, then


class SchemaChange(_Part):
    """What changes in the schema: the changes in words; what is lost, by entity or entity.attribute, with how many
    published values it has now; the migration's text ("" when there is none); marts that read what is no longer there,
    each with what that is."""

    changes: tuple[str, ...]
    losses: dict[str, str]
    migration: str
    broken_marts: dict[str, str]


class Content(_Part):
    """All that a plan says but the samples.

    `golden` is how many golden records would change; `parts` what is mapped or resolved again (mapping/registry.py);
    `loads` those that are taken in along; `tables` what changes in the schema; `marts` those that read what changes;
    `mapped` how many records, by entity:system.stream; `load_again` what has no effect before it is loaded again, and
    why; `seconds` how long the dry run took.
    """

    golden: int
    parts: tuple[str, ...]
    loads: tuple[int, ...]
    entities: tuple[EntityChange, ...]
    judged: tuple[JudgedRows, ...]
    tables: SchemaChange
    marts: tuple[str, ...]
    mapped: dict[str, int]
    load_again: tuple[str, ...]
    seconds: float

    @classmethod
    def from_json(cls, stored: Mapping[str, object]) -> Content:
        """What as_json() gave."""
        return cls.model_validate(stored)

    def as_json(self) -> dict[str, object]:
        """As plain JSON containers."""
        return self.model_dump(mode="json")
