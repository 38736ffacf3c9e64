"""What a source that tells of changes says besides of records: that its table was emptied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Emptied:
    """The table was emptied (TRUNCATE): whatever was read of it before is gone."""


EMPTIED: Final = Emptied()
