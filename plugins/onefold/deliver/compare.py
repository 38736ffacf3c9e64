"""Which rows of two sides differ, and in which cells; both sides come in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from onefold.deliver.source import RowId, Source
from onefold.deliver.table import Table
from onefold.deliver.target import Session, Text

Difference = Literal["missing", "extra", "different"]
"""The target lacks the row, has one that PostgreSQL does not have, or has it otherwise."""
Hashes = Iterator[tuple[RowId, str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a target that is not what PostgreSQL has. `column` is empty where the whole row is one too many or one
    too few."""

    table: str
    key: str
    since: int
    column: str
    difference: Difference

    def __str__(self) -> str:
        row = f"{self.table}, row {self.key}" + (f" since {self.since}" if self.since else "")
        if self.difference == "different":
            return f"{row}, column {self.column}"
        return f"{row}: {'not there' if self.difference == 'missing' else 'not in PostgreSQL'}"


def differences(here: Hashes, there: Hashes) -> Iterator[tuple[RowId, Difference]]:
    """What differs at the target (`there`) from PostgreSQL (`here`)."""
    ours, theirs = next(here, None), next(there, None)
    while ours or theirs:
        if ours and (theirs is None or ours[0] < theirs[0]):
            yield ours[0], "missing"
            ours = next(here, None)
        elif theirs and (ours is None or theirs[0] < ours[0]):
            yield theirs[0], "extra"
            theirs = next(there, None)
        elif ours and theirs:
            if ours[1] != theirs[1]:
                yield ours[0], "different"
            ours, theirs = next(here, None), next(there, None)


def target_hashes(session: Session, table: Table, shown: int, *, ids_alone: bool = False) -> Hashes:
    """The fingerprint of every row that the target has, or with `ids_alone` an empty one; of a mart only of those that
    delivery `shown` shows."""
    dialect, quote = session.dialect, session.dialect.quote
    since = f"v.{quote('_from')}" if table.kind == "entity" else "0"
    key = f"v.{quote('_key')}"
    value = "''" if ids_alone else dialect.span_hash(table)
    rows = session.rows(
        f"select {key}, {since}, {value} from {dialect.table(table.stored)} as v"
        f" where {living(session, table, shown)} order by {dialect.in_byte_order(key)}, v.{quote('_from')}"
    )
    for each, version, found in rows:
        yield (str(each), int(str(version))), str(found)


def living(session: Session, table: Table, shown: int, row: str = "v") -> str:
    """The condition on a stored row to be compared: of an entity every row, of a mart what a delivery shows."""
    if table.kind == "entity":
        return "true"
    since, until = f"{row}.{session.dialect.quote('_from')}", f"{row}.{session.dialect.quote('_until')}"
    return f"{since} <= {shown} and ({until} is null or {until} > {shown})"


def differing_cells(source: Source, session: Session, table: Table, shown: int) -> Iterator[Cell]:
    """Every cell of a table that differs."""
    found = list(differences(source.hashes(table), target_hashes(session, table, shown)))
    different = [row for row, difference in found if difference == "different"]
    here_by_id = {(str(row[0]), int(str(row[1]))): row for row in source.rows_of(table, different)}
    for (key, since), difference in found:
        if difference != "different":
            yield Cell(table.name, key, since, "", difference)
            continue
        ours = here_by_id[key, since]
        theirs = _row_there(session, table, (key, since), shown)
        names = ["_until", *(each.name for each in table.columns)]
        for name, here, there in zip(names, ours[2:], theirs, strict=True):
            if here != there and not (name == "_until" and table.kind == "mart"):
                yield Cell(table.name, key, since, name, difference)


def _row_there(session: Session, table: Table, row: RowId, shown: int) -> Sequence[Text]:
    dialect, quote = session.dialect, session.dialect.quote
    texts = ", ".join(dialect.text_of(f"v.{quote(each.name)}", each.type) for each in table.columns)
    until = dialect.text_of(f"v.{quote('_until')}", "integer")
    which = f"v.{quote('_key')} = {dialect.literal(row[0])} and {living(session, table, shown)}"
    if table.kind == "entity":
        which += f" and v.{quote('_from')} = {row[1]}"
    found, *_ = session.rows(f"select {until}, {texts} from {dialect.table(table.stored)} as v where {which}")
    return [None if value is None else str(value) for value in found]
