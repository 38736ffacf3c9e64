"""Compares tables of a target with PostgreSQL: counts and checksums first, rows and cells where these differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onefold.deliver.compare import Cell, differing_cells, living
from onefold.deliver.source import Checksum, Source
from onefold.deliver.table import Table
from onefold.deliver.target import Session, integer
from onefold.deliver.work import Work
from onefold.errors import Fatal

NAMED = 20
"""Cells that a message names."""


def compare_tables(
    source: Source, session: Session, tables: Iterable[Table], shown: int
) -> tuple[dict[str, Checksum], list[Cell]]:
    """The checksums of these tables in PostgreSQL, by stored table, and every cell of the target that differs.

    Of marts the rows are compared that delivery `shown` shows, of entities all."""
    checksums: dict[str, Checksum] = {}
    cells: list[Cell] = []
    for table in tables:
        checksums[table.stored] = source.checksum(table)
        if checksum_there(session, table, shown) != checksums[table.stored]:
            cells += differing_cells(source, session, table, shown)
    return checksums, cells


def require_same(source: Source, session: Session, works: Iterable[Work], shown: int) -> dict[str, Checksum]:
    """The checksums of tables that were written. Raises Fatal, naming cells, where the target has anything else.

    Of an entity to which versions were appended, those that came or ended are compared, and how many rows there are in
    all: what this costs follows what changed. Every other table is compared whole."""
    checksums: dict[str, Checksum] = {}
    cells: list[Cell] = []
    for work in works:
        table = work.table
        if work.held is None or work.before is None:
            expected = work.checksum or source.checksum(table)
            same = checksum_there(session, table, shown) == expected
        else:
            changes = source.changes(table, work.held)
            expected = work.before + changes.now - changes.before
            there = checksum_there(session, table, shown, session.dialect.changed_after(work.held))
            rows = integer(session, f"select count(*) from {session.dialect.table(table.stored)}")
            same = there == changes.now and rows == expected.rows
        if not same:
            cells += differing_cells(source, session, table, shown)
        checksums[table.stored] = expected if same else source.checksum(table)
    if cells:
        raise Fatal(difference_text("The target", cells))
    return checksums


def checksum_there(session: Session, table: Table, shown: int, condition: str = "true") -> Checksum:
    """The checksum of a table, or of its rows that meet a condition, as the target has it."""
    rows = f"{session.dialect.table(table.stored)} as v where {living(session, table, shown)} and {condition}"
    (found,) = session.rows(session.dialect.checksum(table, rows))
    return Checksum.of(found)


def difference_text(who: str, cells: Sequence[Cell]) -> str:
    """What differs, where, and what to do."""
    named = "; ".join(map(str, cells[:NAMED]))
    more = f"; and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
    return (
        f"{who} differs from PostgreSQL in {len(cells)} cells or rows: {named}{more}. Readers see what they saw "
        "before. Find out who writes to the tables there (schema onefold is Onefold's alone), then deliver with "
        "--full, which writes every row that differs again."
    )
