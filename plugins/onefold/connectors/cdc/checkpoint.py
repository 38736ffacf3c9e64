"""How far a stream is published in a log of changes, and in whose: what is kept of any source's log."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeVar

import msgspec

from onefold.connectors.stored_position import stored


class LogPosition(Protocol):
    """A position in a log. `str` writes it as the source does, and parse() reads that."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError when the text is no position."""
        ...


Position = TypeVar("Position", bound=LogPosition)
Column = TypeVar("Column", int, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCheckpoint(Generic[Position, Column]):
    """`source` tells the server. `epoch` is when the reading of its table began, by the source's clock in seconds since
    1970. `position` is what is published up to (not included). `columns` are the columns that the stream reads, with
    their types as the source described them last. `as_of` is when the log ended at the position, by the source's clock.
    """

    source: str
    epoch: int
    position: Position
    columns: dict[str, Column]
    as_of: datetime | None = None

    def text(self) -> str:
        """The checkpoint as it is stored."""
        return msgspec.json.encode(asdict(self) | {"position": str(self.position)}).decode()

    @classmethod
    def read(cls, text: str, named: str, kind: type[Position]) -> Self:
        """The stored checkpoint. Raises Fatal when it is none of this kind."""
        with stored(named, "position in a log of changes"):
            found = msgspec.json.decode(text, type=dict[str, Any])
            return msgspec.convert(found | {"position": kind.parse(str(found.get("position")))}, cls)
