"""Runs dbt, gates the entities and publishes them at one instant."""

from onefold.conform.quality import Quality, pairwise
from onefold.conform.report import Candidate, ConformReport, EntityReport, Gate
from onefold.conform.run import conform
from onefold.conform.switch import switch_to
from onefold.conform.trace import Trace, trace

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
