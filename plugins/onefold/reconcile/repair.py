"""Repair: loads the windows in which records differ, and only these, again."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from onefold.load import steps
from onefold.load.extraction import CountSource, lets_go
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.window import WindowRequest
from onefold.reconcile.compare import Comparison, compare_stream
from onefold.reconcile.drift import windows_to_repair
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)


def repair_stream(job: Job, counts: CountSource, found: Comparison) -> tuple[Comparison, list[Load]]:
    """Load the windows that differ again, then compare once more; returns that comparison and the loads.

    A stream that is read from a log is loaded anew: its log tells nothing twice.

    Raises what a load raises; the windows that were loaded before stay published.
    """
    loads = []
    with connect(job.warehouse_url) as connection:
        windows = windows_to_repair(connection, job.system.system, job.stream_name, datetime.now(UTC))
    for window in windows:
        log.info("%s: loading [%s, %s) again", job.name, window.start, window.end)
        requested = WindowRequest(window.start, window.end, exactly=True)
        again = replace(job, anew=True) if lets_go(job.system) else replace(job, requested=requested)
        for step in (steps.land, steps.gate, steps.publish):
            load = step(again)
        loads.append(load)
    if not loads or found.window is None:
        return found, loads
    second = compare_stream(job, counts, min(found.window.start, windows[0].start), thorough=found.thorough)
    with connect(job.warehouse_url) as connection:
        connection.execute(
            "update ops.reconciliation set repaired_windows = %s where reconciliation_id = %s",
            (len(loads), second.reconciliation_id),
        )
    return second, loads
