"""OpenLineage run events, built with the standard client's classes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, TypeVar
from uuid import UUID

from openlineage.client import event_v2, facet_v2

from onefold.errors import Fatal
from onefold.lineage.facets import PRODUCER
from onefold.lineage.names import DatasetRef, Job

Kind = Literal["START", "RUNNING", "COMPLETE", "FAIL", "ABORT"]
Facet = facet_v2.BaseFacet
Placed = TypeVar("Placed", bound=Facet)

# Under which key the specification puts each facet (the one property of the facet's schema file).
_KEYS: dict[type[Facet], str] = {
    facet_v2.schema_dataset.SchemaDatasetFacet: "schema",
    facet_v2.column_lineage_dataset.ColumnLineageDatasetFacet: "columnLineage",
    facet_v2.dataset_version_dataset.DatasetVersionDatasetFacet: "version",
    facet_v2.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet: "dataQualityAssertions",
    facet_v2.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet: "dataQualityMetrics",
    facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet: "inputStatistics",
    facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet: "outputStatistics",
    facet_v2.nominal_time_run.NominalTimeRunFacet: "nominalTime",
    facet_v2.parent_run.ParentRunFacet: "parent",
    facet_v2.error_message_run.ErrorMessageRunFacet: "errorMessage",
    facet_v2.processing_engine_run.ProcessingEngineRunFacet: "processing_engine",
}


def run_event(
    kind: Kind,
    job: Job,
    run_id: UUID,
    inputs: Iterable[DatasetRef] = (),
    outputs: Iterable[DatasetRef] = (),
    facets: Iterable[facet_v2.RunFacet] = (),
    at: datetime | None = None,
) -> event_v2.RunEvent:
    """One event of a run, at `at` (now by default). Raises Fatal when a facet does not belong where it
    was put.
    """
    return event_v2.RunEvent(
        eventType=event_v2.RunState(kind),
        eventTime=(at or datetime.now(UTC)).isoformat(),
        producer=PRODUCER,
        run=event_v2.Run(runId=str(run_id), facets=_keyed(facets, facet_v2.RunFacet)),
        job=event_v2.Job(namespace=job.namespace, name=job.name),
        inputs=[_input(ref) for ref in inputs],
        outputs=[_output(ref) for ref in outputs],
    )


def _input(ref: DatasetRef) -> event_v2.InputDataset:
    of_run = [facet for facet in ref.facets if not isinstance(facet, facet_v2.DatasetFacet)]
    return event_v2.InputDataset(
        ref.namespace, ref.name, facets=_dataset_facets(ref), inputFacets=_keyed(of_run, facet_v2.InputDatasetFacet)
    )


def _output(ref: DatasetRef) -> event_v2.OutputDataset:
    of_run = [facet for facet in ref.facets if not isinstance(facet, facet_v2.DatasetFacet)]
    return event_v2.OutputDataset(
        ref.namespace, ref.name, facets=_dataset_facets(ref), outputFacets=_keyed(of_run, facet_v2.OutputDatasetFacet)
    )


def _dataset_facets(ref: DatasetRef) -> dict[str, facet_v2.DatasetFacet]:
    """The facets about the dataset itself; the others are about its part in this run."""
    return _keyed([f for f in ref.facets if isinstance(f, facet_v2.DatasetFacet)], facet_v2.DatasetFacet)


def _keyed(facets: Iterable[Facet], place: type[Placed]) -> dict[str, Placed]:
    keyed: dict[str, Placed] = {}
    for facet in facets:
        if not isinstance(facet, place) or type(facet) not in _KEYS:
            raise Fatal(
                f"Lineage: {type(facet).__name__} cannot stand where a {place.__name__} belongs. "
                "Use the functions of onefold.lineage, on the input, output or run that they describe."
            )
        keyed[_KEYS[type(facet)]] = facet
    return keyed
