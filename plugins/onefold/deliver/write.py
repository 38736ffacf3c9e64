"""Writes one table of a delivery: rows and ends beyond what the pointer reaches, so that no reader sees them yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from onefold.deliver import bookkeeping
from onefold.deliver.bookkeeping import ENDS
from onefold.deliver.compare import Difference, differences, living, target_hashes
from onefold.deliver.layout import Layout
from onefold.deliver.source import RowId, Source
from onefold.deliver.table import Column, Table
from onefold.deliver.target import Session, Text
from onefold.deliver.view_sql import view_query
from onefold.deliver.work import Work
from onefold.errors import Fatal

Step = Callable[[str], None]
"""Called with the name of each step that has ended. What raises here ends the delivery there."""
VIEWS_OF = {
    "entity": (("conformed", "{}"), ("conformed", "{}_history")),
    "personal": (("conformed_personal", "{}"), ("conformed_personal", "{}_history")),
    "crosswalk": (("conformed", "{}_crosswalk"),),
    "mart": (("marts", "{}"),),
}
"""By the kind of a stored table the views that show it: schema, and the name around the entity's or mart's."""
SPAN = (Column("_key", "text"), Column("_from", "bigint"), Column("_until", "bigint"))


def ensure_table(session: Session, table: Table) -> None:
    """Make the table, or add the columns that it lacks; one of another type is made anew, empty."""
    dialect, quote = session.dialect, session.dialect.quote
    name = dialect.table(table.stored)
    columns = [*SPAN, *table.columns]
    kinds = ", ".join(f"{quote(each.name)} {dialect.types[each.type]}" for each in columns)
    session.execute(f"create table if not exists {name} ({kinds})")
    for index in dialect.indexes(table):
        session.execute(index)
    there = {str(column): str(kind) for column, kind in session.rows(dialect.columns_of(table.stored))}
    for each in columns:
        kind = there.get(dialect.catalogued(each.name))
        if kind is not None and kind.lower() not in dialect.reported[each.type]:
            session.execute(f"alter table {name} drop column {quote(each.name)}")
            kind = None
        if kind is None:
            session.execute(f"alter table {name} add column {quote(each.name)} {dialect.types[each.type]}")


def ensure_views(session: Session, layout: Layout) -> None:
    """Make every view as the layout says."""
    dialect = session.dialect
    for schema in sorted({view.schema for view in layout.views}):
        session.execute(f"create schema if not exists {dialect.quote(schema)}")
    for view in layout.views:
        for statement in dialect.replace_view(view, view_query(dialect, view)):
            session.execute(statement)
        for statement in dialect.comments(view):
            session.execute(statement)


def require_exact(source: Source, session: Session, table: Table, condition: str = "true") -> None:
    """Raises Fatal where a row has a value that the target would have to round, change or cut."""
    longest = session.dialect.row_bytes
    if found := source.inexact(table, condition, longest):
        named = "; ".join(f"{each.table}, row {each.key}, column {each.column}" for each in found)
        more = " and maybe more" if len(found) >= 20 else ""
        texts = f" The texts of a row have at most {longest} bytes together." if longest else ""
        raise Fatal(
            f"Values that the target cannot hold exactly: {named}{more}. Numbers have at most 29 digits before and 9 "
            f"after the decimal point there, and dates are of the years 1 to 9999.{texts} Nothing was rounded, and "
            "readers see the publish before. Correct the value at its source, round it in the mapping or the mart, or "
            "leave the table out in catalog/warehouses."
        )


def remove_tables(session: Session, stored: Iterable[str]) -> None:
    """Drop tables that are delivered no longer, with the views that show them."""
    for name in stored:
        for schema, view in VIEWS_OF[name.partition("__")[0]]:
            for statement in session.dialect.drop_view(schema, view.format(name.partition("__")[2])):
                session.execute(statement)
        session.execute(f"drop table if exists {session.dialect.table(name)}")


def write_table(source: Source, session: Session, work: Work, shown: int, delivery_id: int) -> int:
    """Do what a table needs, beyond what delivery `shown` shows; returns how many rows were written."""
    table = work.table
    if work.make:
        ensure_table(session, table)
    if table.kind == "mart":
        written = change_mart(source, session, work, shown, delivery_id)
    elif work.held is None:
        written = repair(source, session, table)
    else:
        written = append_versions(source, session, table, work.held)
    if work.make:
        gather_statistics(session, table)
    return written


def gather_statistics(session: Session, table: Table) -> None:
    """Let the target look at the table's values anew; what it has gathered of former values is gone."""
    for statement in session.dialect.statistics(table):
        session.execute(statement)


def append_versions(source: Source, session: Session, table: Table, held: int) -> int:
    """Append the versions of an entity since the publish `held`, and the ends of earlier ones; returns how many rows
    were written. What an attempt that died has left beyond `held` is done away with first."""
    require_exact(source, session, table, f"v._from > {held}")
    with session.transaction():
        undo_beyond(session, table, held)
        written = session.load(table.stored, [*SPAN, *table.columns], source.rows(table, f"v._from > {held}"))
        return written + end_rows(session, table, source.ends(table, held)) if held else written


def change_mart(source: Source, session: Session, work: Work, shown: int, delivery_id: int) -> int:
    """Let the rows of a mart that are new begin with this delivery, and those that are gone end with it; returns how
    many were written."""
    table = work.table
    require_exact(source, session, table)
    undo_beyond(session, table, shown)
    with session.transaction():
        ids_alone = not work.mend  # the key of a mart's row is the fingerprint of its content
        here = source.hashes(table, ids_alone=ids_alone)
        found = list(differences(here, target_hashes(session, table, shown, ids_alone=ids_alone)))
        new = [row for row, difference in found if difference == "missing"]
        gone = [row for row, difference in found if difference == "extra"]
        mended = _mend_rows(source, session, table, shown, found) if work.mend else 0
        since = str(delivery_id)
        rows = ((row[0], since, None, *row[3:]) for row in source.rows_of(table, new))
        written = session.load(table.stored, [*SPAN, *table.columns], rows)
        ends = ((key, "0", since) for key, _ in gone)
        until = f"{session.dialect.quote(table.stored)}.{session.dialect.quote('_until')}"
        return mended + written + end_rows(session, table, ends, f"({until} is null or {until} > {delivery_id})")


def _mend_rows(
    source: Source, session: Session, table: Table, shown: int, found: Iterable[tuple[RowId, Difference]]
) -> int:
    """Write the rows of a mart again whose cells were changed at the target, in their place: shown as they were."""
    changed = [row for row, difference in found if difference == "different"]
    remove_rows(session, table, changed, living(session, table, shown, session.dialect.quote(table.stored)))
    return session.load(table.stored, [*SPAN, *table.columns], source.rows_of(table, changed))


def repair(source: Source, session: Session, table: Table) -> int:
    """Make every row of an entity's table what PostgreSQL has, whatever it is now; returns how many were written."""
    require_exact(source, session, table)
    undo_beyond(session, table, source.newest)
    with session.transaction():
        found = list(differences(source.hashes(table), target_hashes(session, table, 0)))
        remove_rows(session, table, [row for row, difference in found if difference != "missing"])
        rows = source.rows_of(table, [row for row, _ in found])
        return max(session.load(table.stored, [*SPAN, *table.columns], rows), len(found))


def undo_beyond(session: Session, table: Table, version: int) -> None:
    """Delete the rows that begin after this version, and the ends that come after it: nobody sees them."""
    quote, name = session.dialect.quote, session.dialect.table(table.stored)
    session.execute(f"delete from {name} where {quote('_from')} > {version}")
    session.execute(f"update {name} set {quote('_until')} = null where {quote('_until')} > {version}")


def end_rows(session: Session, table: Table, ends: Iterator[Sequence[Text]], condition: str = "") -> int:
    """Set the ends of rows, given as key, beginning and end; returns how many. With a `condition` on the row a row is
    found by its key and that alone."""
    staged = session.dialect.table(ENDS)
    session.execute(session.dialect.empty(staged))
    if not (ended := session.load(ENDS, SPAN, ends)):
        return 0
    until = session.dialect.quote("_until")
    session.execute(
        f"update {session.dialect.table(table.stored)} set {until} = e.{until} from {staged} as e"
        f" where {_same_row(session, table, condition)}"
    )
    return ended


def remove_rows(session: Session, table: Table, rows: Iterable[RowId], condition: str = "") -> None:
    """Delete the rows with these ids; the `condition` is as in end_rows()."""
    staged = session.dialect.table(ENDS)
    session.execute(session.dialect.empty(staged))
    if session.load(ENDS, SPAN, ((key, str(since), None) for key, since in rows)):
        session.execute(
            f"delete from {session.dialect.table(table.stored)} where exists (select 1 from {staged} as e"
            f" where {_same_row(session, table, condition)})"
        )


def _same_row(session: Session, table: Table, condition: str) -> str:
    """That a row of the table is the staged row e. Not every warehouse lets the table have another name here."""
    quote = session.dialect.quote
    row = quote(table.stored)
    found = condition or f"{row}.{quote('_from')} = e.{quote('_from')}"
    return f"{row}.{quote('_key')} = e.{quote('_key')} and {found}"


def forget_past_rows(session: Session, layout: Layout | None, delivery_id: int) -> None:
    """Delete the rows of marts that no delivery from this one on shows, and what says that earlier ones showed them.

    Without a layout, of every mart that the target has."""
    dialect, quote = session.dialect, session.dialect.quote
    bookkeeping.forget_before(session, delivery_id)
    marts = (
        [table.stored for table in layout.tables if table.kind == "mart"]
        if layout
        else bookkeeping.stored_tables(session, "mart__")
    )
    for stored in marts:
        session.execute(f"delete from {dialect.table(stored)} where {quote('_until')} <= {delivery_id}")
