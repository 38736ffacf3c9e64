"""Repair: the windows in which records differ, and only they, are loaded again, through the load protocol."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from onefold.load import steps
from onefold.load.extraction import CountSource
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.window import WindowRequest
from onefold.reconcile.compare import Compared, compare
from onefold.reconcile.drift import windows_to_repair
from onefold.warehouse.connection import connect

log = logging.getLogger(__name__)


def repair(job: Job, counts: CountSource, found: Compared) -> tuple[Compared, list[Load]]:
    """Load again the windows that differ, then compare once more; returns that comparison and the loads.

    Raises what a load raises. The windows loaded before then are published and stay so.
    """
    loads = []
    with connect(job.warehouse_url) as connection:
        windows = windows_to_repair(connection, job.system.system, job.stream_name, datetime.now(UTC))
    for window in windows:
        log.info("%s: loading [%s, %s) again", job.name, window.start, window.end)
        again = replace(job, requested=WindowRequest(window.start, window.end, exactly=True))
        for step in (steps.land, steps.gate, steps.publish):
            load = step(again)
        loads.append(load)
    if not loads or found.window is None:
        return found, loads
    once_more = compare(job, counts, min(found.window.start, windows[0].start), thorough=found.thorough)
    with connect(job.warehouse_url) as connection:
        connection.execute(
            "update ops.reconciliation set repaired_windows = %s where reconciliation_id = %s",
            (len(loads), once_more.reconciliation_id),
        )
    return once_more, loads
