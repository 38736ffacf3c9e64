"""Which loads of one stream are to come or go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.warehouse.tables import StagingTable


@dataclass(frozen=True, slots=True)
class Change:
    """Loads of one stream that are taken out (state rolled_back), or taken in again (state published)."""

    system: str
    stream_name: str
    stream: Stream
    loads: tuple[int, ...]
    to: Literal["rolled_back", "published"]

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream_name}"

    @property
    def table(self) -> StagingTable:
        return StagingTable(self.system, self.stream_name)

    @property
    def first(self) -> int:
        """What was written before this load stays as it is."""
        return min(self.loads)

    @property
    def names(self) -> Mapping[str, sql.Composable]:
        """What the statements about this change all speak of."""
        return {
            "staging": self.table.versions,
            "system": sql.Literal(self.system),
            "stream": sql.Literal(self.stream_name),
            "loads": sql.Literal(list(self.loads)),
            "first": sql.Literal(self.first),
            "taken_in": sql.Literal(self.to == "published"),
        }
