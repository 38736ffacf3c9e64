"""What a delivery has to do: of each table whether anything changed since the last one, and how it gets there."""

from __future__ import annotations

from dataclasses import dataclass

from onefold.deliver.bookkeeping import Delivered
from onefold.deliver.due import changed_in_place
from onefold.deliver.layout import Layout
from onefold.deliver.source import Checksum, Source
from onefold.deliver.table import Table


@dataclass(frozen=True, slots=True)
class Work:
    """What one table needs. `held`: append what came after this publish, of an entity; None: compare every row.
    `before`: the checksum then, from which that of now follows. `checksum`: that of now, where it is known. `make`: the
    table, or a column of it, may not be there. `mend`: what was changed at the target is written again."""

    table: Table
    held: int | None
    make: bool
    before: Checksum | None = None
    checksum: Checksum | None = None
    mend: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a delivery has to do. `erased`: somebody was erased, or retention deleted something, since the last one."""

    layout: Layout
    delivered: Delivered
    work: tuple[Work, ...]
    switched: bool
    erased: bool

    @property
    def changes(self) -> bool:
        """Whether readers would see, or find in the past, anything else than now."""
        return bool(self.work or self.removed) or self.switched or self.layout.fingerprint != self.delivered.layout

    @property
    def removed(self) -> tuple[str, ...]:
        """Stored tables that the target has, and is to have no longer."""
        known = {table.stored for table in self.layout.tables}
        return tuple(sorted(stored for stored in self.delivered.tables or () if stored not in known))

    def version(self, source: Source, table: Table, delivery_id: int) -> int:
        """Which version of the table the delivery shows."""
        return delivery_id if table.kind == "mart" else source.visible.get(entity_of(table), 0)

    def checksum(self, table: Table) -> Checksum:
        """Of a table that is as the last delivery left it."""
        before = self.delivered.table(table.stored)
        return before.checksum if before else Checksum(0, 0)


def plan_work(source: Source, layout: Layout, delivered: Delivered, *, full: bool) -> Plan:
    """What there is to do; `full`: every table is compared row by row."""
    erased = changed_in_place(source.connection, delivered.read_at) if delivered.read_at else frozenset()
    work = [each for table in layout.tables if (each := _work(source, table, delivered, erased, full=full))]
    switched = any(
        before.version != source.visible.get(entity_of(table), 0)
        for table in layout.tables
        if table.kind == "entity" and (before := delivered.table(table.stored))
    )
    return Plan(layout, delivered, tuple(work), switched, bool(erased))


def entity_of(table: Table) -> str:
    """The entity that a stored table is of."""
    return table.stored.partition("__")[2]


def _work(source: Source, table: Table, delivered: Delivered, erased: frozenset[str], *, full: bool) -> Work | None:
    before = delivered.table(table.stored)
    if before is None:
        return Work(table, 0, make=True)
    make = before.columns != source.made_of(table)
    if table.kind == "mart":
        now = source.checksum(table)
        changed = make or full or erased or before.checksum != now
        return Work(table, None, make, checksum=now, mend=full) if changed else None
    if make or full or entity_of(table) in erased:
        return Work(table, None, make)
    return Work(table, before.held, make, before.checksum) if source.has_changes(table, before.held) else None
