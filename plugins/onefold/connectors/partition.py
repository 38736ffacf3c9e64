"""The partitions of a stream: what is listed, and can be complete, by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of a stream that has been read to its end: one user's calendar, say. A stream without partitions is
    one partition, named ""; else a partition's name is the first of its records' primary key fields.

    `checkpoint` is text that the reader wants back with the next load's window once this load is published (a delta
    link); None forgets the one before. `snapshot_since` is set when all that the source has of the partition was read
    from that moment on: what staging holds of it and no page since then had is gone. `refused` is why nothing of the
    partition was taken: the publish puts its name into quarantine with that reason, until the partition comes again.
    """

    name: str
    checkpoint: str | None = None
    snapshot_since: datetime | None = None
    refused: str | None = None
