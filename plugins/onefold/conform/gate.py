"""The gate before a publish: the golden records that a run is about to publish must meet their suite."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from onefold.conform.candidate import Candidate, Failure, Gate
from onefold.errors import Rejected
from onefold.quality.gate import Finding, evaluate_suite, store_findings
from onefold.quality.suite import FOLDER, read_suite
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)


def entity_gate(url: str, suites: Path = FOLDER) -> Gate:
    """A gate that judges candidates by <suites>/<entity>.yaml and returns which expectations some of them fail.

    Raises Rejected when a critical expectation on the whole table fails: there are then no rows to hold back.
    """

    def gate(candidate: Candidate) -> Sequence[Failure]:
        suite = read_suite(candidate.entity, suites)
        findings = evaluate_suite(url, candidate.schema, candidate.table, suite, candidate.key)
        with connect(url) as connection, connection.cursor() as cursor:
            store_findings(cursor, suite.name, findings, publish_id=candidate.publish_id)
        failed = [finding for finding in findings if not finding.success]
        log.info("gate %s: %s expectations evaluated, %s failed", candidate.entity, len(findings), len(failed))
        for finding in failed:
            log.warning("  %s: %s", finding.expectation.severity, finding)
        if whole_table := [finding for finding in failed if finding.critical and finding.rows_query is None]:
            raise Rejected(
                f"{candidate.entity}: the gate refused publish {candidate.publish_id}: "
                f"{'; '.join(map(str, whole_table))}. Analysts still see the last publish of it. Fix "
                f"catalog/entities/{candidate.entity}.yaml (or the suite in expectations/{candidate.entity}.yaml) "
                "and run conform again."
            )
        return [failure for finding in failed if (failure := _failure(finding)) is not None]

    return gate


def _failure(finding: Finding) -> Failure | None:
    """What the finding says about rows; None where it says nothing about any, or is for information only."""
    expectation = finding.expectation
    if finding.rows_query is None or expectation.severity == "info":
        return None
    return Failure(expectation.label, expectation.reason, finding.critical, finding.rows_query)
