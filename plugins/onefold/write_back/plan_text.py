"""A plan in words, as whoever approves reads it. Values that are personal are not shown: onefold_pii reads them in
ops.write_back_plan_row."""

from __future__ import annotations

from collections.abc import Iterator

from onefold.catalog.target import Target
from onefold.write_back.plan_ledger import Plan, Row

SHOWN = 200
"""So many rows are shown word for word; all are counted, and stand in ops.write_back_plan_row."""


def plan_text(plan: Plan, target: Target, rows: list[Row]) -> str:
    """The plan row by row; `rows` are the first SHOWN of those that do something."""
    counts = ", ".join(f"{plan.counts.get(name, 0)} to {name}" for name in ("create", "update", "delete"))
    left = f"{plan.counts.get('nothing', 0)} unchanged, {plan.counts.get('refuse', 0)} refused"
    if plan.counts.get("leave"):
        left += f", {plan.counts['leave']} left there as they are"
    head = [f"Write-back plan {plan.plan_id} to {target.title} ({target.target}): {counts}, {left}."]
    if plan.counts.get("asks"):
        head.append(f"For a person to decide: {plan.counts['asks']}, by the rule ask, after a rollback or an erasure.")
    lines = [line for row in rows for line in _lines(row)]
    if (more := plan.writes + plan.counts.get("refuse", 0) + plan.counts.get("leave", 0) - len(rows)) > 0:
        lines.append(f"… and {more:,} more rows in ops.write_back_plan_row")
    return "\n".join([*head, "", *lines]).rstrip()


def _lines(row: Row) -> Iterator[str]:
    key = f" {row.target_key}" if row.target_key else ""
    why = f": {row.reason}" if row.reason else ""
    yield f"{row.change} {row.object}{key} (golden record {row.golden_id}){why}"
    for field, (before, after) in row.shown.items():
        ask = "  ← decide" if field in row.asks else ""
        signs = f"  replaced: {', '.join(row.replaced[field])}" if field in row.replaced else ""
        yield f"    {field}: {_shown(before)} → {_shown(after)}{signs}{ask}"


def _shown(value: object) -> str:
    return "(none)" if value is None or value == "" else str(value)
