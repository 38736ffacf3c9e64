"""The gate of one load: contract, candidates, suite, and what to do with what was found."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.catalog.entity import Entity
from onefold.catalog.stream import Stream
from onefold.connectors.registry import connector_class
from onefold.errors import Rejected
from onefold.load.change_detection import make_candidates
from onefold.load.changes import make_changes
from onefold.load.delete_detection import land_deletions, land_missing
from onefold.load.erased import erase_landed, erase_received, put_erased_back, set_erased_aside
from onefold.load.job import Job
from onefold.load.key_conflicts import count_new_conflicts
from onefold.load.ledger import Load
from onefold.load.new_fields import record_new_fields
from onefold.load.nothing_passed import refuse_if_nothing_passed
from onefold.load.partial_changes import merge_partial_changes
from onefold.load.refused import record_refused, refused_alone
from onefold.load.withheld import record_withheld
from onefold.mapping.registry import mapping_versions
from onefold.quality.contract import FEW, Drift, find_drift, find_new_fields, may_have_drifted
from onefold.quality.gate import Finding, evaluate_suite, store_findings
from onefold.quality.no_rows import evaluate_without_rows
from onefold.quality.partial import WAITS, is_partial
from onefold.quality.suite import Suite, read_suite
from onefold.quality.typed import Typed, make_typed
from onefold.quality.withholding import Withholding, withholding_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gated:
    """How many rows the suite was evaluated on, deletions not counted, what each expectation found, and how many
    values are withheld of each attribute."""

    rows: int
    findings: list[Finding]
    withheld: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows are refused, and how many values are withheld of each attribute."""

    refused: int
    withheld: Mapping[str, int]


def run_gate(connection: psycopg.Connection, job: Job, load: Load) -> Gated:
    """Evaluate a landed load and put the keys of refused rows into its `refused` table.

    Raises Rejected when the contract changed, a critical expectation on the whole table failed, or too large a share
    of the rows was refused. A replay gates rows and not the source, so it is never rejected: when the whole table
    fails, all its rows are refused.
    """
    suite = read_suite(job.table.name, job.suites)
    if job.sweep:
        suite = suite.model_copy(update={"expectations": []})  # what is deleted is not judged
        land_missing(connection, job, load)
    elif not job.replays:
        land_deletions(connection, job, load)
    if job.stream.versions == "every_change" and not (job.replays or job.sweep):
        erase_landed(connection, load, job.stream, job.entities)
        make_changes(connection, load)
    merge_partial_changes(connection, load, job.stream, replay=job.replays)
    ordered = connector_class(job.system).capabilities.ordered or job.stream.partial_changes is not None
    erase_landed(connection, load, job.stream, job.entities)
    if not job.replays:
        erase_received(connection, load, job.system, job.entities)
    candidates = make_candidates(connection, load, job.stream, again=job.replays, ordered=ordered)
    aside = set_erased_aside(connection, load)
    candidates -= aside
    withholding = withholding_of(job.stream, job.name, job.entities)
    typed = make_typed(connection, load.tables, job.stream, withholding, suite)
    if not job.replays:
        _check_contract(connection, job, load, withholding, typed)
    if typed.rows:
        if not job.replays:
            _tell_new_fields(connection, job, load)
        findings = evaluate_suite(job.warehouse_url, "landing", load.tables.typed_name, suite)
    else:
        findings = evaluate_without_rows(connection, job.warehouse_url, "landing", load.tables.typed_name, suite)
    verdict = record_verdict(
        connection, load, job.stream, suite, typed, findings, withholding, job.entities, whole=job.replays
    )
    waiting = _hold_partial_changes(connection, job, load)
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("delete from ops.gate_result where load_id = %s", (load.load_id,))
        store_findings(cursor, suite.name, findings, load_id=load.load_id)
    _log_findings(job, typed.rows, verdict, findings)
    if not job.replays:
        _refuse_failed_table(job, load, suite.name, findings)
        if load.rows_read:
            conflicting = count_new_conflicts(connection, load, job.stream)
            too_many = verdict.refused - refused_alone(connection, load, typed.rows) - waiting + conflicting
            _refuse_too_many(job, load, suite.name, findings, candidates + conflicting, too_many)
            refuse_if_nothing_passed(connection, load, job.name, verdict.refused - waiting)
    put_erased_back(connection, load, aside)
    return Gated(typed.rows, findings, verdict.withheld)


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


def _check_contract(
    connection: psycopg.Connection, job: Job, load: Load, withholding: Withholding, typed: Typed
) -> None:
    if not (typed.has_unreadable or may_have_drifted(connection, load.tables, job.stream, typed.rows)):
        return
    drifts = find_drift(connection, load.tables, job.table, job.stream, withholding)
    _record_contract_changes(connection, load, drifts)
    if any(drift.refuses for drift in drifts):  # a field may be there under another name, which is worth knowing
        record_new_fields(connection, load, find_new_fields(connection, load.tables, job.table, job.stream))
    for drift in drifts:
        if not drift.refuses:
            log.warning("%s: %s; no mapping reads it, so the load goes on", job.name, drift)
    if refusing := [drift for drift in drifts if drift.refuses]:
        raise Rejected(
            f"{job.name}: the source changed its contract: {'; '.join(map(str, refusing))}. Nothing was published. "
            f"Fix the fields in catalog/systems/{load.system}.yaml (bin/onefold accept {job.name} shows how), or have "
            "the source fixed, then run again."
        )


def _tell_new_fields(connection: psycopg.Connection, job: Job, load: Load) -> None:
    """A field that the source has added refuses nothing, but makes each record that has it a new version: that is said
    in the log, in ops.contract_change and, once, as a notice (load/new_fields.py)."""
    if new := find_new_fields(connection, load.tables, job.table, job.stream):
        _record_contract_changes(connection, load, new)
        record_new_fields(connection, load, new)
        log.warning(
            "%s: the source has fields now that it had not before, and that catalog/systems/%s.yaml does not name: %s. "
            "Add them to fields (bin/onefold accept %s shows how), or to ignore.",
            *(job.name, load.system, ", ".join(drift.field for drift in new[:20]), job.name),
        )


def _refuse_failed_table(job: Job, load: Load, suite: str, findings: list[Finding]) -> None:
    whole_table = [finding for finding in findings if finding.critical and finding.rows_query is None]
    if whole_table:
        raise Rejected(
            f"{job.name}: the gate refused load {load.load_id}: {'; '.join(map(str, whole_table))}. Nothing was "
            f"published. The figures are in ops.gate_result; the suite is expectations/{suite}.yaml."
        )


def _refuse_too_many(job: Job, load: Load, suite: str, findings: list[Finding], candidates: int, refused: int) -> None:
    limit = job.stream.gate.max_quarantined_share
    if refused > FEW and refused > limit * candidates:
        worst = "; ".join(str(finding) for finding in findings if finding.critical) or "different rows under one key"
        raise Rejected(
            f"{job.name}: the gate refused load {load.load_id}: {refused} of {candidates} rows failed, more than the "
            f"{limit:.0%} that may go to quarantine ({worst}). Nothing was published. If the rows are right, fix "
            f"expectations/{suite}.yaml; if they are wrong, have the source fixed; then run again."
        )


def record_verdict(
    connection: psycopg.Connection,
    load: Load,
    stream: Stream,
    suite: Suite,
    typed: Typed,
    findings: list[Finding],
    withholding: Withholding,
    entities: Mapping[str, Entity],
    *,
    whole: bool = False,
) -> Verdict:
    """Write down which rows are refused (table `refused`) and which values are withheld (`_withheld` of a candidate).

    With `whole`, all rows are refused where the table as a whole fails.
    """
    versions = mapping_versions(entities, f"{load.system}.{load.stream}")
    to_refuse = [f for f in findings if f.critical and not withholding.broken_rule(f.expectation)]
    refused = record_refused(connection, load, suite.name, to_refuse, versions, whole=whole)
    withheld = record_withheld(connection, load, stream, suite.name, typed, findings, withholding, versions)
    return Verdict(refused, withheld)


def _record_contract_changes(connection: psycopg.Connection, load: Load, drifts: list[Drift]) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.contract_change (load_id, system, stream, field, was, is_now, rows)"
            " values (%s, %s, %s, %s, %s, %s, %s) on conflict (load_id, field) do nothing",
            [(load.load_id, load.system, load.stream, d.field, d.was, d.is_now, d.rows) for d in drifts],
        )


def _log_findings(job: Job, rows: int, verdict: Verdict, findings: list[Finding]) -> None:
    """The gate explains itself in the task's log: what was evaluated, what failed, where the rows went."""
    failed = [finding for finding in findings if not finding.success]
    log.info(
        "gate %s: %s rows, %s expectations evaluated, %s failed, %s rows to quarantine, %s values withheld",
        *(job.table.name, rows, len(findings), len(failed), verdict.refused, sum(verdict.withheld.values())),
    )
    for finding in failed:
        log.warning("  %s: %s", finding.expectation.severity, finding)
    for attribute, values in verdict.withheld.items():
        log.warning("  withheld: %s of %s rows", attribute, values)
