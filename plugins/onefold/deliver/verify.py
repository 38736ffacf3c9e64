"""Compares tables of a target with PostgreSQL: counts and checksums first, rows and cells where these differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onefold.deliver.compare import Cell, differing_cells, living
from onefold.deliver.source import Checksum, Source
from onefold.deliver.table import Table
from onefold.deliver.target import Session
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


def require_same(source: Source, session: Session, tables: Sequence[Table], shown: int) -> dict[str, Checksum]:
    """The checksums of tables that were written. Raises Fatal, naming cells, where the target has anything else."""
    checksums, cells = compare_tables(source, session, tables, shown)
    if cells:
        raise Fatal(difference_text("The target", cells))
    return checksums


def checksum_there(session: Session, table: Table, shown: int) -> Checksum:
    """The checksum of a table as the target has it."""
    rows = f"{session.dialect.table(table.stored)} as v where {living(session, table, shown)}"
    ((count, value),) = session.rows(session.dialect.checksum(table, rows))
    return Checksum(int(str(count)), int(str(value)))


def difference_text(who: str, cells: Sequence[Cell]) -> str:
    """What differs, where, and what to do."""
    named = "; ".join(map(str, cells[:NAMED]))
    more = f"; and {len(cells) - NAMED} more" if len(cells) > NAMED else ""
    return (
        f"{who} differs from PostgreSQL in {len(cells)} cells or rows: {named}{more}. Readers see what they saw "
        "before. Find out who writes to the tables there (schema onefold is Onefold's alone), then deliver with "
        "--full, which writes every row that differs again."
    )
