"""The survey as JSON: the same counts, shares and masks as the page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from onefold.survey.run import Survey
from onefold.survey.shared_records import EntityMet

FORMAT = 1
"""Raised when a field of the document changes its meaning or goes."""


def document(found: Survey, at: datetime) -> dict[str, object]:
    """What json.dumps takes."""
    return {
        "format": FORMAT,
        "surveyed_at": at.isoformat(),
        "streams": [asdict(each) | {"volume": each.volume} for each in found.streams],
        "entities": [_entity(each) for each in found.entities],
        "risks": [asdict(each) for each in found.risks],
        "phases": [asdict(each) for each in found.phases],
    }


def _entity(each: EntityMet) -> dict[str, object]:
    return {
        "entity": each.entity,
        "things": each.things,
        "sources": [
            {"stream": source.source, "proposed": source.proposed, "attributes": sorted(source.rules)}
            for source in each.sources
        ],
        "records": dict(each.records),
        "identified": dict(each.identified),
        "conflicts": dict(each.conflicts),
        "pairs": [asdict(pair) | {"share": round(pair.share, 4)} for pair in each.pairs],
        "quality": [asdict(quality) | {"worth": round(quality.worth, 4)} for quality in each.quality],
        "newest": {system: round(share, 4) for system, share in each.newest.items()},
        "source_of_truth": each.source_of_truth,
    }
