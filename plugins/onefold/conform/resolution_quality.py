"""Precision and recall of the identity resolution, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.warehouse.rows import one_row

_PAIRS = """
with truth as (
    select * from unnest(%s::text[], %s::text[], %s::text[], %s::text[]) as t (system, stream, key, company_id)
), found as (
    select c.{id} as golden_id, t.company_id
    from truth as t join conformed.{crosswalk} as c
        on c.system = t.system and c.stream = t.stream and c.key = t.key
), right_pair as (
    select sum(n * (n - 1) / 2) as pairs from (select count(*) as n from found group by golden_id, company_id) as size
), joined_pair as (
    select sum(n * (n - 1) / 2) as pairs from (select count(*) as n from found group by golden_id) as size
), true_pair as (
    select sum(n * (n - 1) / 2) as pairs from (select count(*) as n from found group by company_id) as size
)
select coalesce(right_pair.pairs / nullif(joined_pair.pairs, 0), 1)::float8,
    coalesce(right_pair.pairs / nullif(true_pair.pairs, 0), 1)::float8,
    (select count(*) from found), (select count(distinct company_id) from found)
from right_pair, joined_pair, true_pair
"""


@dataclass(frozen=True, slots=True)
class ResolutionQuality:
    """Over pairs of records, as fractions: `precision` of the joined pairs belong together; `recall` of the pairs that
    belong together are joined.

    `records` of the truth are in the crosswalk and were compared; `missing` are not (deleted or in quarantine).
    `companies` is how many golden records a perfect resolution of the compared records would give.
    """

    precision: float
    recall: float
    records: int
    missing: int
    companies: int


def pairwise_quality(
    connection: psycopg.Connection, truth: Iterable[tuple[str, str, str, str]], entity: str = "customer"
) -> ResolutionQuality:
    """Compare the published crosswalk with the truth: (system, stream, key, company id) per record."""
    known = list(truth)
    systems, streams, keys, companies_of = ([row[at] for row in known] for at in range(4))
    crosswalk = sql.Identifier(f"{entity}_crosswalk")
    precision, recall, records, companies = one_row(
        connection.execute(
            sql.SQL(_PAIRS).format(id=sql.Identifier(f"{entity}_id"), crosswalk=crosswalk),
            (systems, streams, keys, companies_of),
        )
    )
    return ResolutionQuality(precision, recall, records, len(known) - records, companies)
