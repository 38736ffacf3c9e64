"""Runs dbt, gates the entities and publishes them at one instant."""

from onefold.conform.provenance import Trace, trace
from onefold.conform.report import Candidate, ConformReport, EntityReport, Gate
from onefold.conform.resolution_quality import Quality, pairwise
from onefold.conform.run import conform
from onefold.conform.visible_publish import switch_to

__all__ = [
    "Candidate",
    "ConformReport",
    "EntityReport",
    "Gate",
    "Quality",
    "Trace",
    "conform",
    "pairwise",
    "switch_to",
    "trace",
]
