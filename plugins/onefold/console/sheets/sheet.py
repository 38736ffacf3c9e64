"""A sheet: all that the dictionary says of one thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from onefold.insight.dictionary import Kind

MOST_ROWS = 1000
"""The most rows that a table of a sheet shows."""


@dataclass(frozen=True, slots=True)
class Link:
    """A thing of the dictionary, by the name that it has here. `page`: which of its pages is meant."""

    kind: Kind
    name: str
    text: str
    page: Literal["catalogue", "lineage"] = "catalogue"


Cell = str | Link | Sequence["str | Link"]


@dataclass(frozen=True, slots=True)
class Row:
    """`key`: what the row is about, also its place in the page."""

    key: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """`count`: how many rows there are; it shows MOST_ROWS of them. `empty`: what is said where there is none."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Row]
    count: int
    empty: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """`facts`: what is said of it, by what is asked; `above`: the thing that it is part of."""

    kind: Kind
    name: str
    meaning: str
    facts: Mapping[str, Cell]
    tables: Sequence[Table]
    above: Sequence[Link] = field(default=())
    lineage: bool = False
    """Whether there is a picture of its lineage."""


def table(title: str, heads: Sequence[str], rows: Iterable[Row], empty: str = "None.") -> Table:
    """A table of these rows."""
    found = list(rows)
    return Table(title, heads, found[:MOST_ROWS], len(found), empty)


def facts(**said: Cell | None) -> dict[str, Cell]:
    """What is said, in words; what is not (None, "" and empty lists) is left out."""
    return {f"{name[0].upper()}{name[1:]}".replace("_", " "): each for name, each in said.items() if each}


def system_link(name: str) -> Link:
    """The system of this name."""
    return Link("system", name, name)


def stream_link(name: str) -> Link:
    """The stream of this name, system.stream."""
    return Link("stream", name, name)


def field_link(stream: str, name: str) -> Link:
    """The field of the stream (system.stream), by its own name."""
    return Link("field", f"{stream}.{name}", name)


def entity_link(name: str) -> Link:
    """The entity of this name."""
    return Link("entity", name, name)


def attribute_link(entity: str, name: str, *, whole: bool = True) -> Link:
    """The attribute, as entity.attribute or by its own name only."""
    return Link("attribute", f"{entity}.{name}", f"{entity}.{name}" if whole else name)


def class_link(name: str) -> Cell:
    """The class of personal data; of none, nothing."""
    return "" if name == "none" else Link("class", name, name)


def yes(said: bool) -> str:
    """The word where it is so, else nothing."""
    return "yes" if said else ""


def length(time: timedelta) -> str:
    """A length of time in words: whole days, hours or minutes."""
    seconds = int(time.total_seconds())
    for unit, of in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds % of == 0 and seconds >= of:
            return f"{seconds // of:,} {unit}{'' if seconds == of else 's'}"
    return "0"


def since(history: date | timedelta | None) -> str:
    """How far back a source can be asked."""
    if history is None:
        return ""
    return f"the last {length(history)}" if isinstance(history, timedelta) else f"since {history:%Y-%m-%d}"
