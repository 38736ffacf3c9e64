"""How right the resolution is, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psycopg
from psycopg import sql

_PAIRS = """
with judged as (
    select c.{id} as golden_id, t.company_id
    from truth as t join conformed.{crosswalk} as c
        on c.system = t.system and c.stream = t.stream and c.key = t.key
), right_pair as (
    select sum(n * (n - 1) / 2) as pairs from (select count(*) as n from judged group by golden_id, company_id) as size
), joined_pair as (
    select sum(n * (n - 1) / 2) as pairs from (select count(*) as n from judged group by golden_id) as size
), true_pair as (
    select sum(n * (n - 1) / 2) as pairs from (select count(*) as n from judged group by company_id) as size
)
select coalesce(right_pair.pairs / nullif(joined_pair.pairs, 0), 1)::float8,
    coalesce(right_pair.pairs / nullif(true_pair.pairs, 0), 1)::float8,
    (select count(*) from judged), (select count(distinct company_id) from judged)
from right_pair, joined_pair, true_pair
"""


@dataclass(frozen=True, slots=True)
class Quality:
    """Over pairs of records: `precision` of the joined pairs belong together, `recall` of those that do are joined.

    `records` of the truth are in the crosswalk and were judged; `missing` are not (deleted or in quarantine).
    `companies` is how many golden records a perfect resolution of the judged records would give.
    """

    precision: float
    recall: float
    records: int
    missing: int
    companies: int


def pairwise(
    connection: psycopg.Connection, truth: Iterable[tuple[str, str, str, str]], entity: str = "customer"
) -> Quality:
    """Judge the published crosswalk by the truth: (system, stream, key, company id) per record."""
    with connection.transaction():
        connection.execute(
            "create temp table truth (system text, stream text, key text, company_id text) on commit drop"
        )
        given = 0
        with connection.cursor() as cursor, cursor.copy("copy truth from stdin") as copy:
            for given, row in enumerate(truth, 1):  # noqa: B007 - the last number is the count
                copy.write_row(row)
        connection.execute("analyze truth")
        found = connection.execute(
            sql.SQL(_PAIRS).format(id=sql.Identifier(f"{entity}_id"), crosswalk=sql.Identifier(f"{entity}_crosswalk"))
        ).fetchone()
    precision, recall, records, companies = found
    return Quality(precision, recall, records, given - records, companies)
