"""What the event of an asset says, in the UI and to whoever listens: what was loaded, taken back or built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import JsonValue

from onefold.load.ledger import Load

if TYPE_CHECKING:  # every load imports this module, and needs neither
    from onefold.conform.report import ConformReport
    from onefold.rollback.plan import RollbackPlan, StreamPlan


def figures(load: Load) -> dict[str, JsonValue]:
    """What the ledger says of a load."""
    return figures_of([load])


def figures_of(loads: Sequence[Load]) -> dict[str, JsonValue]:
    """What the ledger says of a stream's loads, at least one: numbers added up, from the earliest start to the latest
    end. Of several loads there is `load_ids` in place of `load_id`."""
    numbers: dict[str, JsonValue] = {"load_id": loads[0].load_id}
    if len(loads) > 1:
        numbers = {"load_ids": [load.load_id for load in loads]}
    start, end = min(load.window_start for load in loads), max(load.window_end for load in loads)
    return {
        **numbers,
        "state": _all(load.state for load in loads),
        "verdict": _all(load.verdict or "none" for load in loads),
        "window": f"[{start.isoformat()}, {end.isoformat()})",
        "read": sum(load.rows_read for load in loads),
        "new": sum(load.rows_new for load in loads),
        "changed": sum(load.rows_changed for load in loads),
        "deleted": sum(load.rows_deleted for load in loads),
        "quarantined": sum(load.rows_quarantined for load in loads),
        "conflicting": sum(load.rows_conflicting for load in loads),
        "withheld": sum(load.values_withheld for load in loads),
    }


def figures_of_rollback(done: RollbackPlan, stream: StreamPlan) -> dict[str, JsonValue]:
    """What a rollback, or the undo of one, has done to a stream."""
    rows = {what: count for what, count in asdict(stream.rows).items() if isinstance(count, int)}
    return {"rollback_id": done.rollback_id, "load_ids": list(stream.loads), "state": done.target, **rows}


def figures_of_entities(report: ConformReport) -> Mapping[str, dict[str, JsonValue]]:
    """What a publish has made of each entity, by its name; none where there was nothing to take in."""
    return {
        each.entity: {
            "publish_id": report.publish_id,
            "loads": len(report.loads),
            "golden": each.golden,
            "new": each.new,
            "changed": each.changed,
            "ended": each.ended,
            "conflicts": each.conflicts,
            "held_back": each.held_back,
            "warnings": each.warnings,
        }
        for each in report.entities
        if report.publish_id is not None
    }


def _all(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words)))
