"""Precision and recall of the identity resolution, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.warehouse.rows import one_row

_PAIRS = """
with found as (
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
    with connection.transaction():
        connection.execute(
            "create temp table truth (system text, stream text, key text, company_id text) on commit drop"
        )
        given = 0
        with connection.cursor() as cursor, cursor.copy("copy truth from stdin") as copy:
            for given, row in enumerate(truth, 1):  # noqa: B007 - the last number is the count
                copy.write_row(row)
        connection.execute("analyze truth")
        crosswalk = sql.Identifier(f"{entity}_crosswalk")
        precision, recall, records, companies = one_row(
            connection.execute(sql.SQL(_PAIRS).format(id=sql.Identifier(f"{entity}_id"), crosswalk=crosswalk))
        )
    return ResolutionQuality(precision, recall, records, given - records, companies)
