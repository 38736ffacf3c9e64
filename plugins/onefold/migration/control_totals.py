"""Control totals: how many records, and how much money by currency, were read and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import NotRequired, TypedDict

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.system import System
from onefold.load.ledger import Load
from onefold.load.newer_wins import NEWEST_FIRST
from onefold.mapping.sql import literal, rule_sql
from onefold.warehouse.tables import StagingTable


class ChunkTotals(TypedDict):
    """What the dry run of a chunk found: records read, the totals by outcome, refused records by reason, and the values
    that accepted records would lack, by attribute (a dry run by an earlier release has not counted them)."""

    read: int
    became: Totals
    reasons: dict[str, int]
    withheld: NotRequired[dict[str, int]]


Totals = dict[str, dict[str, str]]
"""By what became of the records (accepted, unchanged, quarantined): 'records', and sums such as
'invoice.net_amount PLN', exact, as text."""

_READ = sql.SQL(
    """
    select case when r._key is not null then 'quarantined' when c._key is not null then 'accepted' else 'unchanged' end,
           read._deleted, read._payload::jsonb as _payload
    from (
        select distinct on (_key) _key, _deleted, _payload from {pages}
        order by _key, {newest_first}
    ) read
    left join {candidate} c on c._key = read._key
    left join {refused} r on r._key = read._key
    """
)
_PUBLISHED = sql.SQL("select 'accepted', _deleted, _payload from {versions} where _load_id = {load_id}")


def dry_run_totals(
    connection: psycopg.Connection, load: Load, system: System, entities: Mapping[str, Entity]
) -> Totals:
    """Of what a judged load has landed; `unchanged` are what staging holds already, or holds newer."""
    records = _READ.format(
        newest_first=NEWEST_FIRST,
        pages=load.tables.pages,
        candidate=load.tables.candidate,
        refused=sql.SQL("(select distinct _key from {})").format(load.tables.refused),
    )
    return _totals(connection, records, load, system, entities)


def published_totals(
    connection: psycopg.Connection, load: Load, system: System, entities: Mapping[str, Entity]
) -> Totals:
    """Of the versions that a load has brought into staging."""
    versions = StagingTable(load.system, load.stream).versions
    records = _PUBLISHED.format(versions=versions, load_id=sql.Literal(load.load_id))
    return _totals(connection, records, load, system, entities)


def added(totals: Mapping[str, Mapping[str, str]], more: Mapping[str, Mapping[str, str]]) -> Totals:
    """Two totals as one."""
    fates = sorted({*totals, *more})
    return {
        fate: {
            name: str(Decimal(totals.get(fate, {}).get(name, "0")) + Decimal(more.get(fate, {}).get(name, "0")))
            for name in sorted({*totals.get(fate, {}), *more.get(fate, {})})
        }
        for fate in fates
    }


def overall(totals: Mapping[str, Mapping[str, str]]) -> dict[str, Decimal]:
    """The totals of all records, whatever became of them; none that is 0."""
    sums: dict[str, Decimal] = {}
    for of_fate in totals.values():
        for name, amount in of_fate.items():
            sums[name] = sums.get(name, Decimal(0)) + Decimal(amount)
    return {name: amount for name, amount in sums.items() if amount}


def _totals(
    connection: psycopg.Connection,
    records: sql.Composed,
    load: Load,
    system: System,
    entities: Mapping[str, Entity],
) -> Totals:
    sums = [sql.SQL("('records', null::text, 1::numeric)")]
    for name, currency, amount in _money(system, load.stream, entities):
        # expressions of the catalogue's own mapping, whose names its reader checks
        sums.append(
            sql.SQL(
                f"({literal(name)}, case when not _deleted then {currency} end, "
                f"case when not _deleted then {amount} end)"
            )
        )
    rows = connection.execute(
        sql.SQL(
            """
            select fate, concat_ws(' ', name, currency), sum(amount)::text
            from ({records}) as record (fate, _deleted, _payload)
            cross join lateral (values {sums}) as total (name, currency, amount)
            where amount is not null group by 1, 2 order by 1, 2
            """
        ).format(records=records, sums=sql.SQL(", ").join(sums))
    ).fetchall()
    totals: Totals = {}
    for fate, name, amount in rows:
        totals.setdefault(fate, {})[name] = amount
    return totals


def _money(system: System, stream: str, entities: Mapping[str, Entity]) -> Iterator[tuple[str, str, str]]:
    """Each amount that the stream gives an entity, with its currency: name, and SQL over a record of both.

    An amount is a number beside whose attribute one named <attribute>_currency, or currency, is given by the same
    stream. What is personal (pay) is left out: a total can be one person's.
    """
    source, fields = f"{system.system}.{stream}", system.streams[stream]
    for entity in entities.values():
        for name, attribute in entity.attributes.items():
            if attribute.type != "numeric" or attribute.personal != "none" or source not in attribute.sources:
                continue
            for beside in (f"{name}_currency", "currency"):
                if beside in entity.attributes and source in entity.attributes[beside].sources:
                    currency = rule_sql(entity.attributes[beside].sources[source], fields)
                    yield f"{entity.entity}.{name}", currency, rule_sql(attribute.sources[source], fields)
                    break
