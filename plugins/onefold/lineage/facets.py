"""The OpenLineage facets that Onefold uses, built with the standard client's own classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    dataset_version_dataset,
    error_message_run,
    input_statistics_input_dataset,
    nominal_time_run,
    output_statistics_output_dataset,
    processing_engine_run,
    schema_dataset,
)
from openlineage.client.facet_v2 import (
    parent_run as parent_run_facet,
)

from onefold import __version__
from onefold.audit.personal import redact
from onefold.errors import OnefoldError, storable_message
from onefold.lineage.names import DatasetRef, Job

PRODUCER = f"urn:onefold:engine:{__version__}"
"""Onefold as the producer of events, as a URI."""


@dataclass(frozen=True)
class Field:
    """One column: its name, SQL type and meaning."""

    name: str
    type: str
    description: str | None = None


@dataclass(frozen=True)
class Source:
    """One input of an output column: the field it is made from and how ("nip_digits", "as it is")."""

    dataset: DatasetRef
    field: str
    transformation: str
    identity: bool = False
    masking: bool = False


@dataclass(frozen=True)
class Check:
    """One expectation that was evaluated. severity: "error" stops the load, "warn" does not."""

    assertion: str
    success: bool
    column: str | None = None
    severity: str = "error"


def schema(fields: Iterable[Field]) -> schema_dataset.SchemaDatasetFacet:
    """The columns of a dataset, in their order."""
    return schema_dataset.SchemaDatasetFacet(
        fields=[
            schema_dataset.SchemaDatasetFacetFields(
                name=f.name, type=f.type, description=f.description, ordinal_position=position, fields=None
            )
            for position, f in enumerate(fields, start=1)
        ],
        producer=PRODUCER,
    )


def column_lineage(
    mapping: Mapping[str, Iterable[Source]],
) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Which input fields each output column is made from, and by which transform."""
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            column: column_lineage_dataset.Fields(inputFields=[_input_field(s) for s in sources])
            for column, sources in mapping.items()
        },
        producer=PRODUCER,
    )


def assertions(checks: Iterable[Check]) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    """The verdict of every expectation on an input. Values found are left out: they may be personal."""
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(
                assertion=c.assertion, success=c.success, column=c.column, severity=c.severity, params=None
            )
            for c in checks
        ],
        producer=PRODUCER,
    )


def quality_metrics(
    rows: int, null_counts: Mapping[str, int] | None = None
) -> data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet:
    """How many rows of an input were evaluated, and how many nulls each column had."""
    return data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
        rowCount=rows,
        columnMetrics={
            column: data_quality_metrics_input_dataset.ColumnMetrics(nullCount=nulls, quantiles=None)
            for column, nulls in (null_counts or {}).items()
        },
        producer=PRODUCER,
    )


def input_statistics(
    rows: int | None = None, size: int | None = None
) -> input_statistics_input_dataset.InputStatisticsInputDatasetFacet:
    """Rows and bytes read."""
    return input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows, size=size, producer=PRODUCER)


def output_statistics(
    rows: int | None = None, size: int | None = None
) -> output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet:
    """Rows and bytes written."""
    return output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=rows, size=size, producer=PRODUCER
    )


def dataset_version(load_id: int | str) -> dataset_version_dataset.DatasetVersionDatasetFacet:
    """The version of a dataset that a load made: its load id."""
    return dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(load_id), producer=PRODUCER)


def nominal_time(start: datetime, end: datetime | None = None) -> nominal_time_run.NominalTimeRunFacet:
    """The run's window [start, end)."""
    return nominal_time_run.NominalTimeRunFacet(
        nominalStartTime=start.isoformat(), nominalEndTime=end.isoformat() if end else None, producer=PRODUCER
    )


def parent_run(run_id: UUID, job: Job) -> parent_run_facet.ParentRunFacet:
    """The run that started this one: the DAG run of a task."""
    return parent_run_facet.ParentRunFacet(
        run=parent_run_facet.Run(runId=str(run_id)),
        job=parent_run_facet.Job(namespace=job.namespace, name=job.name),
        producer=PRODUCER,
    )


def processing_engine(name: str, version: str) -> processing_engine_run.ProcessingEngineRunFacet:
    """What ran it: "airflow", "dbt", "onefold" and its version."""
    return processing_engine_run.ProcessingEngineRunFacet(
        name=name, version=version, openlineageAdapterVersion=__version__, producer=PRODUCER
    )


def error_message(error: BaseException) -> error_message_run.ErrorMessageRunFacet:
    """Why a run failed, without personal data.

    Our own errors are quoted, with everything that looks personal removed. Others' texts may quote a record
    (PostgreSQL's DETAIL does), so of those only the class and, from the database, the SQLSTATE are given.
    """
    kind = type(error).__qualname__
    if isinstance(error, OnefoldError):
        message = f"{kind}: {redact(storable_message(error))}"
    elif isinstance(error, psycopg.Error) and error.sqlstate:
        message = f"{kind} (SQLSTATE {error.sqlstate}); its text is in the task's log"
    else:
        message = f"{kind}; its text is in the task's log"
    return error_message_run.ErrorMessageRunFacet(message=message, programmingLanguage="PYTHON", producer=PRODUCER)


def _input_field(source: Source) -> column_lineage_dataset.InputField:
    return column_lineage_dataset.InputField(
        namespace=source.dataset.namespace,
        name=source.dataset.name,
        field=source.field,
        transformations=[
            column_lineage_dataset.Transformation(
                type="DIRECT",
                subtype="IDENTITY" if source.identity else "TRANSFORMATION",
                description=source.transformation,
                masking=source.masking,
            )
        ],
    )
