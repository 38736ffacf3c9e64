"""What the log of a table gives, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from onefold.connectors.record import Record


@dataclass(frozen=True, slots=True)
class Emptied:
    """The table was emptied (TRUNCATE): whatever was read of it before is gone."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The last of a load: the checkpoint up to there, and when the log ended there where it goes on."""

    checkpoint: str
    read_until: datetime | None = None


EMPTIED: Final = Emptied()
Change = Record | Emptied
