"""Refused rows: the keys of the candidates that wait in quarantine whole, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from onefold.load.ledger import Load
from onefold.quality.gate import Finding
from onefold.warehouse.rows import one_row


def record_refused(
    connection: psycopg.Connection,
    load: Load,
    suite: str,
    findings: Sequence[Finding],
    versions: Mapping[str, int],
    *,
    whole: bool = False,
) -> int:
    """Write every failing row of the critical findings into the load's `refused` table; returns how many rows that are.

    `versions` are those of the mappings that the gate used, by entity. With `whole`, all rows are refused where the
    table as a whole fails.
    """
    table = load.tables.refused
    connection.execute(sql.SQL("drop table if exists {}").format(table))
    connection.execute(
        sql.SQL(
            "create unlogged table {} (_key text, suite text, expectation text, reason text, mapping_versions jsonb,"
            " alone boolean)"
        ).format(table)
    )
    for finding in findings:
        failing = finding.rows_query
        if failing is None and whole:
            failing = sql.SQL("select _key from {}").format(load.tables.typed)
        if failing:
            column = str(finding.expectation.kwargs.get("column", ""))
            # _unparsed and _unmapped say themselves what is wrong; any other column is named.
            said = (
                sql.Identifier(column)
                if column in ("_unparsed", "_unmapped")
                else sql.Literal(finding.expectation.reason)
            )
            connection.execute(
                sql.SQL(
                    "insert into {refused} select typed._key, {suite}, {expectation}, {said},"
                    " {versions}::jsonb, {alone}"
                    " from ({failing}) failing join {typed} typed using (_key)"
                ).format(
                    refused=table,
                    suite=sql.Literal(suite),
                    expectation=sql.Literal(finding.expectation.label),
                    said=said,
                    versions=sql.Literal(json.dumps(versions) if versions else None),
                    alone=sql.Literal(not finding.expectation.counts_for_share),
                    failing=failing,
                    typed=load.tables.typed,
                )
            )
    connection.execute(sql.SQL("analyze {}").format(table))
    refused: int = one_row(connection.execute(sql.SQL("select count(distinct _key) from {}").format(table)))[0]
    return refused


def refused_alone(connection: psycopg.Connection, load: Load, rows: int) -> int:
    """How many refused rows stand for themselves alone (counts_for_share: false): 0 when the load's `rows` are all
    such."""
    alone: int = one_row(
        connection.execute(
            sql.SQL(
                "select count(*) filter (where alone)"
                " from (select bool_and(alone) as alone from {refused} group by _key) refused"
            ).format(refused=load.tables.refused)
        )
    )[0]
    return alone if alone < rows else 0
