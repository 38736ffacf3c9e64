"""The gate before a publish: the golden records that a run is about to publish must meet their suite."""

from __future__ import annotations

import logging

from onefold.conform.candidate import Candidate, Gate
from onefold.errors import Rejected
from onefold.quality.gate import evaluate_suite, store_findings
from onefold.quality.suite import read_suite
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)


def entity_gate(url: str) -> Gate:
    """A gate that judges candidates by expectations/<entity>.yaml.

    Raises Rejected when a critical expectation fails: bad rows were quarantined before, at the streams' gates, so a bad
    golden record means that a mapping or the resolution is wrong, and nothing of the publish can be trusted.
    """

    def gate(candidate: Candidate) -> None:
        suite = read_suite(candidate.entity)
        findings = evaluate_suite(url, candidate.schema, candidate.table, suite, candidate.key)
        with connect(url) as connection, connection.cursor() as cursor:
            store_findings(cursor, suite.name, findings, publish_id=candidate.publish_id)
        failed = [finding for finding in findings if not finding.success]
        log.info("gate %s: %s expectations evaluated, %s failed", candidate.entity, len(findings), len(failed))
        for finding in failed:
            log.warning("  %s: %s", finding.expectation.severity, finding)
        if critical := [finding for finding in failed if finding.critical]:
            raise Rejected(
                f"{candidate.entity}: the gate refused publish {candidate.publish_id}: "
                f"{'; '.join(map(str, critical))}. Analysts still see the last publish. Fix "
                f"catalog/entities/{candidate.entity}.yaml (or the suite in expectations/{candidate.entity}.yaml) "
                "and run conform again."
            )

    return gate
