"""What a target knows of its deliveries: the pointer, and what it points to, in its schema `onefold`.

`published` has one row, the delivery that is shown. `visible` says for each delivery which version of each table it
shows, and up to which version the table had all rows; `delivery` and `publish` have the times. All of it is written
before the pointer moves, so whatever an attempt that died has left is beyond what the pointer reaches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from onefold.deliver.ledger import DeliveryReport
from onefold.deliver.source import Checksum
from onefold.deliver.table import Column
from onefold.deliver.target import Session, Text, integer
from onefold.deliver.view_sql import SHOWN

KEPT = 30
"""Deliveries before the newest to which the pointer can be set back; of marts, no older rows are kept."""
_TABLES: Mapping[str, tuple[Column, ...]] = {
    "published": (Column("delivery_id", "bigint"),),
    "delivery": (Column("delivery_id", "bigint"), Column("publish_id", "bigint"), Column("read_at", "timestamptz")),
    "visible": (
        Column("delivery_id", "bigint"),
        Column("table_name", "text"),
        Column("version", "bigint"),
        Column("held", "bigint"),
        Column("row_count", "bigint"),
        Column("checksum", "text"),
        Column("columns", "text"),
        Column("layout", "text"),
    ),
    "publish": (Column("publish_id", "bigint"), Column("published_at", "timestamptz")),
    "row_end": (Column("_key", "text"), Column("_from", "bigint"), Column("_until", "bigint")),
}
ENDS = "row_end"
"""The table into which ends are loaded, to be taken over from there."""


@dataclass(frozen=True, slots=True)
class Visible:
    """One table of a delivery. `version`: which rows it shows; `held`: up to which version the table has all rows;
    `columns`: what the table was made of."""

    version: int
    held: int
    checksum: Checksum
    columns: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The delivery that the pointer names; 0 before the first. `read_at`: the instant of PostgreSQL that it shows."""

    delivery_id: int = 0
    publish_id: int = 0
    read_at: datetime | None = None
    layout: str = ""
    tables: Mapping[str, Visible] | None = None

    def table(self, stored: str) -> Visible | None:
        return (self.tables or {}).get(stored)


def read_delivered(session: Session) -> Delivered:
    """What the pointer names. Of a target to which nothing was delivered yet, the delivery 0."""
    dialect, quote = session.dialect, session.dialect.quote
    if not list(session.rows(dialect.columns_of("published"))):
        return Delivered()
    read_at = dialect.text_of(f"d.{quote('read_at')}", "timestamp")
    head = list(
        session.rows(
            f"select d.{quote('delivery_id')}, d.{quote('publish_id')}, {read_at}"
            f" from {dialect.table('published')} as p join {dialect.table('delivery')} as d"
            f" on d.{quote('delivery_id')} = p.{quote('delivery_id')}"
        )
    )
    if not head:
        return Delivered()
    delivery_id, publish_id, at = int(str(head[0][0])), int(str(head[0][1])), datetime.fromisoformat(f"{head[0][2]}+00")
    names = [each.name for each in _TABLES["visible"][1:]]
    rows = session.rows(
        f"select {', '.join(map(quote, names))} from {dialect.table('visible')}"
        f" where {quote('delivery_id')} = {delivery_id}"
    )
    tables, layout = {}, ""
    for name, version, held, count, checksum, columns, layout_then in rows:
        value = Checksum(int(str(count)), int(str(checksum), 16))
        tables[str(name)] = Visible(int(str(version)), int(str(held)), value, str(columns))
        layout = str(layout_then)
    return Delivered(delivery_id, publish_id, at, layout, tables)


def prepare(session: Session) -> None:
    """Make the tables and the view where they are missing, and the pointer, which names nothing at first."""
    dialect = session.dialect
    session.execute(f"create schema if not exists {dialect.quote('onefold')}")
    for name, columns in _TABLES.items():
        kinds = ", ".join(f"{dialect.quote(each.name)} {dialect.types[each.type]}" for each in columns)
        session.execute(f"create table if not exists {dialect.table(name)} ({kinds})")
    quote = dialect.quote
    session.execute(
        f"create or replace view {dialect.table(SHOWN)} as select v.{quote('table_name')}, v.{quote('version')}"
        f" from {dialect.table('visible')} as v join {dialect.table('published')} as p"
        f" on p.{quote('delivery_id')} = v.{quote('delivery_id')}"
    )
    session.execute(
        f"insert into {dialect.table('published')} ({quote('delivery_id')})"
        f" select 0 from (select count(*) as pointers from {dialect.table('published')}) as p where p.pointers = 0"
    )


def forget_unfinished(session: Session, delivered: Delivered) -> None:
    """Delete what attempts that died have said of deliveries beyond the pointer."""
    dialect = session.dialect
    for name in ("visible", "delivery"):
        session.execute(
            f"delete from {dialect.table(name)} where {dialect.quote('delivery_id')} > {delivered.delivery_id}"
        )


def announce(
    session: Session,
    report: DeliveryReport,
    layout: str,
    tables: Mapping[str, Visible],
    publishes: Sequence[tuple[int, datetime]],
) -> None:
    """Write down what a delivery shows, before the pointer names it."""
    dialect = session.dialect

    def load(name: str, rows: list[tuple[Text, ...]]) -> None:
        session.load(name, _TABLES[name], iter(rows))

    newest = f"select coalesce(max({dialect.quote('publish_id')}), 0) from {dialect.table('publish')}"
    known = integer(session, newest)
    new = [(str(each), timestamp_text(at)) for each, at in publishes if each > known]
    load("publish", [*new])
    delivery_id = str(report.delivery_id)
    load("delivery", [(delivery_id, str(report.publish_id), timestamp_text(report.read_at))])
    load(
        "visible",
        [
            (
                *(delivery_id, stored, str(each.version), str(each.held), str(each.checksum.rows)),
                *(f"{each.checksum.value:x}", each.columns, layout),
            )
            for stored, each in tables.items()
        ],
    )


def point(session: Session, before: int, delivery_id: int) -> bool:
    """Let the pointer name this delivery, if it still names the one before; returns whether it did."""
    quote = session.dialect.quote
    changed = session.execute(
        f"update {session.dialect.table('published')} set {quote('delivery_id')} = {delivery_id}"
        f" where {quote('delivery_id')} = {before}"
    )
    return changed == 1


def forget_before(session: Session, delivery_id: int) -> None:
    """Delete what says what deliveries before this one have shown: the pointer can no longer be set back to them."""
    dialect = session.dialect
    for name in ("visible", "delivery"):
        session.execute(f"delete from {dialect.table(name)} where {dialect.quote('delivery_id')} < {delivery_id}")


def oldest_kept(session: Session) -> int:
    """The oldest delivery to which the pointer can still be set back."""
    quote = session.dialect.quote
    ids = sorted(
        int(str(row[0]))
        for row in session.rows(f"select {quote('delivery_id')} from {session.dialect.table('delivery')}")
    )
    return ids[-KEPT - 1] if len(ids) > KEPT else ids[0]


def stored_tables(session: Session, prefix: str) -> list[str]:
    """The stored tables whose names begin so, of all that some delivery has shown."""
    quote = session.dialect.quote
    rows = session.rows(f"select distinct {quote('table_name')} from {session.dialect.table('visible')}")
    return sorted(str(name) for (name,) in rows if str(name).startswith(prefix))


def timestamp_text(at: datetime) -> str:
    """A time of PostgreSQL's, which are in UTC here, as a text of a target."""
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")
