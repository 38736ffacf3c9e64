"""What the log of a table gives, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from onefold.connectors.emptied import Emptied
from onefold.connectors.record import Record


@dataclass(frozen=True, slots=True)
class Reached:
    """The last of a load: the checkpoint up to there, and when the log ended there where it goes on."""

    checkpoint: str
    read_until: datetime | None = None


Change = Record | Emptied
