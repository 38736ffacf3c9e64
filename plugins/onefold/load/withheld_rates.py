"""Withheld values: of which attributes, how many, and how large a share of the stream's records."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable


@dataclass(frozen=True, slots=True)
class WithheldRate:
    """One attribute (entity.attribute, or a field that no mapping reads) of the records of one stream.

    `values` are withheld, of `records` that are published and not deleted.
    """

    system: str
    stream: str
    attribute: str
    values: int
    records: int

    @property
    def rate(self) -> float:
        """The share of the records that lack the attribute, from 0 to 1."""
        return self.values / max(self.records, self.values, 1)


def withheld_rates(
    connection: psycopg.Connection, *, system: str | None = None, stream: str | None = None
) -> list[WithheldRate]:
    """Every attribute of which a value is withheld now, by system and stream, the most frequent first.

    The records of a stream are counted only where one of them lacks a value.
    """
    counted = connection.execute(
        "select system, stream, attribute, count(*) from ops.quarantine"
        " where state = 'open' and attribute is not null"
        " and (%(system)s::text is null or system = %(system)s) and (%(stream)s::text is null or stream = %(stream)s)"
        " group by 1, 2, 3 order by 1, 2, 4 desc, 3",
        {"system": system, "stream": stream},
    ).fetchall()
    records = {table: _records(connection, table) for table in {StagingTable(s, t) for s, t, _, _ in counted}}
    return [WithheldRate(s, t, attribute, values, records[StagingTable(s, t)]) for s, t, attribute, values in counted]


def _records(connection: psycopg.Connection, table: StagingTable) -> int:
    return int(one_row(connection.execute("select ops.current_records(%s)", (table.name,)))[0])
