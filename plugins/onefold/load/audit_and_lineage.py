"""The audit and lineage events of a load, each in the transaction of the change that it records.

A load is one OpenLineage run: START when it begins, RUNNING when it has landed and when it was gated, then COMPLETE
with the publish or FAIL with the rejection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from onefold import lineage
from onefold.audit import AuditEvent, append, commitment
from onefold.audit.chain import Scalar
from onefold.errors import OnefoldError, Rejected
from onefold.load.gate_step import Gated
from onefold.load.job import Job
from onefold.load.ledger import Load
from onefold.load.publish import Published
from onefold.quality.suite import Expectation
from onefold.settings import secret

if TYPE_CHECKING:  # the client takes half a second to import
    from openlineage.client.facet_v2 import DatasetFacet, InputDatasetFacet, OutputDatasetFacet, RunFacet

    from onefold.lineage.events import Kind

_NO_FACTS: Mapping[str, Scalar] = MappingProxyType({})


def record_skipped(connection: psycopg.Connection, job: Job, reason: str) -> None:
    """The stream cannot be asked about the window that the run names, and is not loaded."""
    ends = {"window_start": job.requested.start, "window_end": job.requested.end}
    window = {name: end.isoformat() for name, end in ends.items() if end}
    payload = {"system": job.system.system, "stream": job.stream_name, "reason": reason, **window}
    append(
        connection, AuditEvent(job.run.actor, "load.leave_out", f"stream:{job.name}", payload=payload, result="refused")
    )


def record_start(connection: psycopg.Connection, job: Job, load: Load) -> None:
    """The load has started."""
    _lineage(connection, job, load, "START")
    window = {"window_start": load.window_start.isoformat(), "window_end": load.window_end.isoformat()}
    _audit(connection, job, load, "load.begin", to=f"landing.load_{load.load_id}", facts=window)


def record_landed(connection: psycopg.Connection, job: Job, load: Load) -> None:
    """All pages have been read."""
    _lineage(connection, job, load, "RUNNING")
    facts = {"pages": load.pages, "rows_read": load.rows_read}
    _audit(connection, job, load, "load.land", from_=job.source_dataset, to=f"landing.load_{load.load_id}", facts=facts)


def record_gated(connection: psycopg.Connection, job: Job, load: Load, gated: Gated) -> None:
    """The gate has passed the load; some of its rows may go to quarantine."""
    checks = [
        lineage.Check(
            f.expectation.type,
            f.success,
            _column(f.expectation),
            "error" if f.expectation.severity == "critical" else "warn",
        )
        for f in gated.findings
    ]
    _lineage(connection, job, load, "RUNNING", source_facets=[lineage.assertions(checks)])
    failed = sum(not finding.success for finding in gated.findings)
    facts: dict[str, Scalar] = {
        "suite": job.table.name,
        "rows": gated.rows,
        "expectations": len(gated.findings),
        "failed": failed,
    }
    _audit(connection, job, load, "load.gate", from_=f"landing.load_{load.load_id}", facts=facts)


def _column(expectation: Expectation) -> str | None:
    """The one column that the expectation is about; None when it is about several, or about the table."""
    column = expectation.kwargs.get("column")
    return column if isinstance(column, str) else None


def record_dry_run(connection: psycopg.Connection, job: Job, load: Load) -> None:
    """The load was a dry run. In lineage its run is over, and has moved no data."""
    _lineage(connection, job, load, "ABORT")
    _audit(connection, job, load, "load.dry_run", from_=job.name, to=f"landing.load_{load.load_id}")


def record_published(connection: psycopg.Connection, job: Job, load: Load, counts: Published) -> None:
    """The rows are visible; the audit event is the transaction's last statement, for it makes others wait."""
    superseded: dict[str, Scalar] = {"rows_superseded": counts.rows_superseded} if job.replays else {}
    facts: dict[str, Scalar] = {
        "rows_read": load.rows_read,
        "rows_new": counts.rows_new,
        "rows_changed": counts.rows_changed,
        "rows_deleted": counts.rows_deleted,
        "rows_quarantined": counts.rows_quarantined,
        "values_withheld": counts.values_withheld,
        "rows_conflicting": counts.rows_conflicting,
        "verdict": "passed",
        **superseded,
        **_commitment(counts.content),
    }
    written = counts.rows_new + counts.rows_changed + counts.rows_deleted
    _lineage(connection, job, load, "COMPLETE", target_facets=[lineage.output_statistics(rows=written)])
    _audit(connection, job, load, "load.publish", from_=job.source_dataset, to=f"staging.{job.table.name}", facts=facts)


def record_acknowledged(connection: psycopg.Connection, job: Job, load: Load, records: int, result: str) -> None:
    """The source has received which records are published."""
    _audit(connection, job, load, "load.acknowledge", to=job.name, result=result, facts={"records": records})


def _commitment(content: str) -> dict[str, Scalar]:
    """A salted commitment to what was published: who holds the salt can prove it later, nobody can guess it."""
    salt = secret("ONEFOLD_AUDIT_SALT")
    return {"content_commitment": commitment(content, salt.encode())} if salt else {}


def record_failed(connection: psycopg.Connection, job: Job, load: Load, error: OnefoldError, final: bool) -> None:
    """A step failed; `final` when the load is rejected and will not be tried again by this run."""
    if final:
        _lineage(connection, job, load, "FAIL", run_facets=[lineage.error_message(error)])
    result = "rejected" if isinstance(error, Rejected) else "failed"
    facts: dict[str, Scalar] = {"error": type(error).__name__.lower(), "state": load.state, "final": final}
    _audit(
        connection,
        job,
        load,
        "load.reject" if final else "load.attempt",
        from_=job.source_dataset,
        result=result,
        facts=facts,
    )


def _audit(
    connection: psycopg.Connection,
    job: Job,
    load: Load,
    action: str,
    from_: str | None = None,
    to: str | None = None,
    result: str = "ok",
    facts: Mapping[str, Scalar] = _NO_FACTS,
) -> None:
    event = AuditEvent(
        actor=job.run.actor,
        action=action,
        subject=f"load:{load.load_id}",
        from_=from_,
        to=to,
        payload={"system": load.system, "stream": load.stream, **_of_replay(job), **facts},
        result=result,
    )
    append(connection, event)


def _of_replay(job: Job) -> dict[str, Scalar]:
    return {"replay": job.replay_id} if job.replays else {}


def _lineage(
    connection: psycopg.Connection,
    job: Job,
    load: Load,
    kind: Kind,
    source_facets: Iterable[DatasetFacet | InputDatasetFacet] = (),
    target_facets: Iterable[DatasetFacet | OutputDatasetFacet] = (),
    run_facets: Iterable[RunFacet] = (),
) -> None:
    if job.replays or job.source_url is None:
        name, source = f"{load.dag_id}__{job.name}", lineage.warehouse_dataset(connection, job.source_dataset)
    else:
        columns = [lineage.Field(name, field.type) for name, field in job.stream.fields.items()]
        name = f"{load.dag_id}.{load.stream}"
        source = lineage.source_dataset(load.system, load.stream, job.source_url).having(lineage.schema(columns))
    source = source.having(lineage.input_statistics(rows=load.rows_read), *source_facets)
    target = lineage.warehouse_dataset(connection, f"staging.{job.table.name}").having(
        lineage.dataset_version(load.load_id), *target_facets
    )
    event = lineage.run_event(
        kind,
        lineage.Job(name),
        run_id(load),
        inputs=[source],
        outputs=[target],
        facets=[lineage.nominal_time(load.window_start, load.window_end), *run_facets],
    )
    lineage.emit(connection, event, load_id=load.load_id)


def run_id(load: Load) -> UUID:
    """The OpenLineage run of a load."""
    return lineage.task_run_id(load.dag_id, load.run_id, f"{load.stream}.load_{load.load_id}")
