"""What a step of a load needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from onefold.catalog.entity import Entity
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.load.cpu_time import CpuTime
from onefold.load.extraction import Acknowledge, Confirm, Source
from onefold.load.ledger import Run
from onefold.load.window import WindowRequest
from onefold.quality.suite import FOLDER
from onefold.warehouse.tables import StagingTable


@dataclass(frozen=True)
class Job:
    """One stream to load in one run.

    `acknowledge` tells the system what was published, and `confirm` up to where, where it takes that. `run_is_over`
    tells whether another run has ended (the scheduler knows); `last_attempt`, whether a failure is final for the run;
    `is_retry`, whether an earlier attempt of the same task may have published already; `yields_to_fresh`, whether runs
    that wait for the stream with fresh data go first. `dry_run_load` is the load that has read the window already in a
    dry run; the source is asked only when what it read is gone.

    `accept_deletes` is how many records may be missing from a whole listing although they are more than the guard lets
    through; None: nobody has accepted any. `sweep`: the source lists the keys of all records (keys_from_system), and
    what it lacks is deleted; nothing else is loaded. `anew`: the stream is read from scratch, whatever it could go on
    from.

    `cpu` is what the process has spent on it and not charged yet.

    A replay has `replay_id` and no source: it takes the rows which that replay chose out of ops.quarantine.
    """

    system: System
    stream_name: str
    run: Run
    source: Source | None
    source_url: str | None
    warehouse_url: str
    entities: Mapping[str, Entity]
    run_is_over: Callable[[str, str], bool]
    requested: WindowRequest = field(default_factory=WindowRequest)
    last_attempt: bool = True
    is_retry: bool = False
    yields_to_fresh: bool = False
    suites: Path = FOLDER
    acknowledge: Acknowledge | None = None
    confirm: Confirm | None = None
    dry_run_load: int | None = None
    replay_id: int | None = None
    accept_deletes: int | None = None
    sweep: bool = False
    anew: bool = False
    cpu: CpuTime = field(default_factory=CpuTime, repr=False, compare=False)

    @property
    def replays(self) -> bool:
        return self.replay_id is not None

    @property
    def stream(self) -> Stream:
        return self.system.streams[self.stream_name]

    @property
    def name(self) -> str:
        return f"{self.system.system}.{self.stream_name}"

    def accept_command(self, records: int) -> str:
        """The command that accepts, once, that so many records are deleted."""
        if self.sweep:
            return f"bin/onefold sweep {self.name} --accept-deletes {records}"
        return f"bin/onefold sync {self.system.system} --accept-deletes {self.stream_name}={records}"

    @property
    def source_dataset(self) -> str:
        """Where its rows come from, as audit events call it."""
        return "ops.quarantine" if self.replays else self.name

    @property
    def table(self) -> StagingTable:
        return StagingTable(self.system.system, self.stream_name)
