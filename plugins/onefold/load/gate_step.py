"""The gate of one load: contract, candidates, suite, and what to do with what was found."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.errors import Rejected
from onefold.load.change_detection import make_candidates
from onefold.load.delete_detection import land_deletions
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.partial_changes import merge_partial_changes
from onefold.mapping.registry import mapping_versions
from onefold.quality.contract import FEW, Drift, find_drift, may_have_drifted
from onefold.quality.gate import Finding, evaluate_suite, store_findings
from onefold.quality.no_rows import evaluate_without_rows
from onefold.quality.partial import WAITS, is_partial
from onefold.quality.suite import read_suite
from onefold.quality.typed import make_typed
from onefold.warehouse.rows import one_row

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gated:
    """How many rows the suite was evaluated on, deletions not counted, and what each expectation found."""

    rows: int
    findings: list[Finding]


def run_gate(connection: psycopg.Connection, job: Job, load: Load) -> Gated:
    """Evaluate a landed load and put the keys of refused rows into its `refused` table.

    Raises Rejected when the contract changed, a critical expectation on the whole table failed, or too large a share
    of the rows was refused. A replay gates rows and not the source, so it is never rejected: when the whole table
    fails, all its rows are refused.
    """
    suite = read_suite(job.table.name, job.suites)
    if not job.replays:
        land_deletions(connection, load, job.stream)
    merge_partial_changes(connection, load, job.stream, replay=job.replays)
    candidates = make_candidates(connection, load, job.stream, again=job.replays)
    rows = make_typed(connection, load.tables, job.table, job.stream, job.entities, suite)
    if not job.replays:
        _check_contract(connection, job, load)
    if rows:
        findings = evaluate_suite(job.warehouse_url, "landing", load.tables.typed_name, suite)
    else:
        findings = evaluate_without_rows(connection, job.warehouse_url, "landing", load.tables.typed_name, suite)
    refused = record_refused(connection, load, suite.name, findings, job.entities, whole=job.replays)
    waiting = _hold_partial_changes(connection, job, load)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("delete from ops.gate_result where load_id = %s", (load.load_id,))
        store_findings(cursor, suite.name, findings, load_id=load.load_id)
    _log_findings(job, rows, refused, findings)
    if not job.replays:
        _check_verdict(
            job, load, suite.name, findings, candidates, refused - _refused_alone(connection, load) - waiting
        )
    return Gated(rows, findings)


def _hold_partial_changes(connection: psycopg.Connection, job: Job, load: Load) -> int:
    """Refuse what could not be merged into any record, for that reason alone; returns how many rows that are.

    They wait, and are no sign that anything is wrong with the load.
    """
    if job.stream.partial_changes is None:
        return 0
    names = {
        "refused": load.tables.refused,
        "candidate": load.tables.candidate,
        "partial": is_partial(job.stream, "c._payload"),
        "waits": sql.Literal(WAITS),
    }
    connection.execute(
        sql.SQL("delete from {refused} r using {candidate} c where c._key = r._key and {partial}").format(**names)
    )
    return connection.execute(
        sql.SQL(
            "insert into {refused} (_key, suite, expectation, reason, alone)"
            " select _key, 'landing', 'whole record', {waits}, false from {candidate} c"
            " where not _deleted and {partial}"
        ).format(**names)
    ).rowcount


def _check_contract(connection: psycopg.Connection, job: Job, load: Load) -> None:
    suspicious = may_have_drifted(connection, load.tables, job.stream)
    if suspicious and (drifts := find_drift(connection, load.tables, job.table, job.stream)):
        _record_contract_changes(connection, load, drifts)
        raise Rejected(
            f"{job.name}: the source changed its contract: {'; '.join(map(str, drifts))}. Nothing was published. "
            f"Fix the fields in catalog/systems/{load.system}.yaml (or have the source fixed), then run again."
        )


def _refused_alone(connection: psycopg.Connection, load: Load) -> int:
    """How many refused rows stand for themselves alone (counts_for_share: false): 0 when there is no other row."""
    alone, rows = one_row(
        connection.execute(
            sql.SQL(
                "select count(*) filter (where alone), (select count(*) from {typed})"
                " from (select bool_and(alone) as alone from {refused} group by _key) refused"
            ).format(typed=load.tables.typed, refused=load.tables.refused)
        )
    )
    return int(alone) if alone < rows else 0


def _check_verdict(job: Job, load: Load, suite: str, findings: list[Finding], candidates: int, refused: int) -> None:
    whole_table = [finding for finding in findings if finding.critical and finding.rows_query is None]
    if whole_table:
        raise Rejected(
            f"{job.name}: the gate refused load {load.load_id}: {'; '.join(map(str, whole_table))}. Nothing was "
            f"published. The figures are in ops.gate_result; the suite is expectations/{suite}.yaml."
        )
    limit = job.stream.gate.max_quarantined_share
    if refused > FEW and refused > limit * candidates:
        worst = "; ".join(str(finding) for finding in findings if finding.critical)
        raise Rejected(
            f"{job.name}: the gate refused load {load.load_id}: {refused} of {candidates} rows failed, more than the "
            f"{limit:.0%} that may go to quarantine ({worst}). Nothing was published. If the rows are right, fix "
            f"expectations/{suite}.yaml; if they are wrong, have the source fixed; then run again."
        )


def record_refused(
    connection: psycopg.Connection,
    load: Load,
    suite: str,
    findings: list[Finding],
    entities: Mapping[str, Entity],
    *,
    whole: bool = False,
) -> int:
    """Write down every failing row of every critical finding; returns how many rows that are.

    With `whole`, all rows are refused where the table as a whole fails.
    """
    table = load.tables.refused
    connection.execute(sql.SQL("drop table if exists {}").format(table))
    connection.execute(
        sql.SQL(
            "create unlogged table {} (_key text, suite text, expectation text, reason text, mapping_versions jsonb,"
            " alone boolean)"
        ).format(table)
    )
    versions = mapping_versions(entities, f"{load.system}.{load.stream}")
    for finding in findings:
        failing = finding.rows_query
        if failing is None and whole:
            failing = sql.SQL("select _key from {}").format(load.tables.typed)
        if finding.critical and failing:
            column = str(finding.expectation.kwargs.get("column", ""))
            # _unparsed and _unmapped say themselves what is wrong; any other column is named.
            said = sql.Identifier(column) if column in ("_unparsed", "_unmapped") else sql.Literal(_reason(finding))
            connection.execute(
                sql.SQL(
                    "insert into {refused} select typed._key, {suite}, {expectation}, {said},"
                    " {versions}::jsonb, {alone}"
                    " from ({failing}) failing join {typed} typed using (_key)"
                ).format(
                    refused=table,
                    suite=sql.Literal(suite),
                    expectation=sql.Literal(
                        f"{finding.expectation.type}({column})" if column else finding.expectation.type
                    ),
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


def _reason(finding: Finding) -> str:
    expectation = finding.expectation
    if expectation.description:
        return expectation.description
    rule = expectation.type.removeprefix("expect_column_values_").removeprefix("expect_").replace("_", " ")
    return f"{expectation.kwargs.get('column', 'the row')}: {rule}"


def _record_contract_changes(connection: psycopg.Connection, load: Load, drifts: list[Drift]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.contract_change (load_id, system, stream, field, was, is_now, rows)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict (load_id, field) do nothing",
            [(load.load_id, load.system, load.stream, d.field, d.was, d.is_now, d.rows) for d in drifts],
        )


def _log_findings(job: Job, rows: int, refused: int, findings: list[Finding]) -> None:
    """The gate explains itself in the task's log: what was evaluated, what failed, where the rows went."""
    failed = [finding for finding in findings if not finding.success]
    log.info(
        "gate %s: %s rows, %s expectations evaluated, %s failed, %s rows to quarantine",
        *(job.table.name, rows, len(findings), len(failed), refused),
    )
    for finding in failed:
        log.warning("  %s %s", "refused:" if finding.critical else f"{finding.expectation.severity}:", finding)
