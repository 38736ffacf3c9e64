"""What the tasks of the DAGs `sync__<system>` do: one step of a stream's load."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from airflow.sdk import Context
from airflow.sdk.exceptions import AirflowSkipException

from onefold.catalog.past import history, unaskable
from onefold.load import audit_and_lineage
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.orchestration.tasks.errors import airflow_errors, log_lines
from onefold.orchestration.tasks.run import figures, is_backfill, job_of
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import after_commit


def step(context: Context, system: str, stream: str, do: Callable[[Job], Load]) -> Mapping[str, object]:
    """Do one step (land, gate, publish) of a stream's load; returns the ledger's figures for the UI.

    A stream that cannot be asked about the window that the run names is skipped.
    """
    with airflow_errors():
        job = job_of(context, system, stream)
        if is_backfill(context) or context["params"].get("start") or context["params"].get("end"):
            job = _can_be_asked(job)
        load = do(job)
    return figures(load)


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
