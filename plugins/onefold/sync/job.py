"""What a step of a load needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from onefold.catalog.entity import Entity
from onefold.catalog.system import Stream, System
from onefold.connectors.page import Endpoint
from onefold.warehouse.ledger import Run
from onefold.warehouse.tables import StagingTable
from onefold.warehouse.window import Wanted


def _over(dag_id: str, run_id: str) -> bool:
    return True


@dataclass(frozen=True)
class Job:
    """One stream to load in one run. `run_is_over` tells whether another run has ended (asked of the scheduler)."""

    system: System
    stream_name: str
    run: Run
    endpoint: Endpoint
    warehouse_url: str
    systems: Mapping[str, System]
    entities: Mapping[str, Entity]
    wanted: Wanted = field(default_factory=Wanted)
    run_is_over: Callable[[str, str], bool] = _over
    last_attempt: bool = True

    @property
    def stream(self) -> Stream:
        return self.system.streams[self.stream_name]

    @property
    def name(self) -> str:
        return f"{self.system.system}.{self.stream_name}"

    @property
    def table(self) -> StagingTable:
        return StagingTable(self.system.system, self.stream_name)
