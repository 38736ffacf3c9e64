"""What the tasks of the DAGs `sync__<system>` do: a whole load of one stream."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from onefold.connectors.past import history, unaskable
from onefold.load import audit_and_lineage, steps
from onefold.load.job import Job
from onefold.notify.receiver import read_receivers
from onefold.orchestration.assets import staging_asset
from onefold.orchestration.tasks.asset_events import figures
from onefold.orchestration.tasks.connections import endpoint
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.load_steps import Run, load_in_steps
from onefold.orchestration.tasks.log_view import log_lines
from onefold.orchestration.tasks.run import is_backfill, job_of
from onefold.reconcile.lag_alerts import check_lag_after_load
from onefold.settings import notify_setting
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import after_commit


def load_stream(context: Context, system: str, stream: str, run: Run = steps.run) -> None:
    """Load the window that the run asks for. The ledger's figures become the event of the stream's asset.

    A stream that cannot be asked about the window that the run names is skipped.
    """
    with airflow_errors():
        job = job_of(context, system, stream)
        if is_backfill(context) or context["params"].get("start") or context["params"].get("end"):
            job = _can_be_asked(job)
        try:
            load = load_in_steps(job, run)
        finally:
            if job.confirm:
                receivers = read_receivers(notify_setting(), endpoint)
                check_lag_after_load(job.warehouse_url, job.run.actor, job.system, stream, receivers)
    context["outlet_events"][staging_asset(system, stream)].extra.update(figures(load))


def _can_be_asked(job: Job) -> Job:
    """The job of a run that names its window; the first interval of a backfill begins with the stream's history.

    A stream that cannot be asked about the window says so, in the log and in the audit trail, and is skipped.
    """
    now, requested = datetime.now(UTC), job.requested
    first = history(job.system, job.stream_name, now)
    if job.yields_to_fresh and first and requested.start and requested.end and requested.start < first < requested.end:
        return replace(job, requested=replace(requested, start=first))
    why = unaskable(job.system, job.stream_name, requested.start, now)
    if why is None:
        return job
    with connect(job.warehouse_url) as connection:
        audit_and_lineage.record_skipped(connection, job, why.reason)
    after_commit(job.warehouse_url)
    log_lines(logging.WARNING, why.text)
    raise AirflowSkipException(why.text)
