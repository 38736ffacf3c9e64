"""Which loads of one stream a rollback takes out, or its undo takes in again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.warehouse.tables import StagingTable

Target = Literal["rolled_back", "published"]


@dataclass(frozen=True, slots=True)
class StreamChange:
    """Loads of one stream that are to be rolled back, or to be published again; `target` is their state afterwards."""

    system: str
    stream_name: str
    stream: Stream
    loads: tuple[int, ...]
    target: Target

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream_name}"

    @property
    def table(self) -> StagingTable:
        return StagingTable(self.system, self.stream_name)

    @property
    def first_load(self) -> int:
        """What was written before this load stays as it is."""
        return min(self.loads)

    @property
    def names(self) -> Mapping[str, sql.Composable]:
        """The placeholders that all statements about this change have."""
        return {
            "staging": self.table.versions,
            "system": sql.Literal(self.system),
            "stream": sql.Literal(self.stream_name),
            "loads": sql.Literal(list(self.loads)),
            "first_load": sql.Literal(self.first_load),
            "restoring": sql.Literal(self.target == "published"),
        }
