"""A plan in words, as whoever approves reads it. Values that are personal are not shown: onefold_pii reads them in
ops.write_back_plan_row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from onefold.catalog.entity import Entity
from onefold.catalog.target import Target
from onefold.write_back.plan_ledger import Plan, Row

SHOWN = 200
"""So many rows are shown word for word; all are counted, and stand in ops.write_back_plan_row."""
_HIDDEN = "(personal)"


def plan_text(plan: Plan, target: Target, rows: list[Row], shown_attributes: dict[str, frozenset[str]]) -> str:
    """The plan row by row; `rows` are the first SHOWN of those that do something. `shown_attributes` has, by entity,
    the attributes whose values may be shown."""
    counts = ", ".join(f"{plan.counts.get(name, 0)} to {name}" for name in ("create", "update", "delete"))
    left = f"{plan.counts.get('nothing', 0)} unchanged, {plan.counts.get('refuse', 0)} refused"
    head = [f"Write-back plan {plan.plan_id} to {target.title} ({target.target}): {counts}, {left}."]
    if plan.counts.get("asks"):
        head.append(f"{plan.counts['asks']} of them replace values about which a person is to decide (rule ask).")
    lines = [line for row in rows for line in _lines(row, target, shown_attributes)]
    if (more := plan.writes + plan.counts.get("refuse", 0) - len(rows)) > 0:
        lines.append(f"… and {more:,} more rows in ops.write_back_plan_row")
    return "\n".join([*head, "", *lines]).rstrip()


def shown_attributes(entities: Mapping[str, Entity]) -> dict[str, frozenset[str]]:
    """By entity, the attributes whose values anybody who may see plans may see."""
    return {
        name: frozenset(
            attribute
            for attribute, spec in entity.attributes.items()
            if spec.personal == "none" and attribute not in entity.party_of
        )
        for name, entity in entities.items()
    }


def _lines(row: Row, target: Target, shown: dict[str, frozenset[str]]) -> Iterator[str]:
    key = f" {row.target_key}" if row.target_key else ""
    why = f": {row.reason}" if row.reason else ""
    yield f"{row.change} {row.object}{key} (golden record {row.golden_id}){why}"
    each = target.objects.get(row.object)
    for field, after in row.after.items():
        spec = each.fields.get(field) if each else None
        hidden = spec is not None and each is not None and spec.attribute not in shown.get(each.entity, frozenset())
        before = row.before.get(field)
        ask = "  ← decide" if field in row.asks else ""
        signs = f"  replaced: {' '.join(row.replaced[field])}" if field in row.replaced else ""
        yield f"    {field}: {_shown(before, hidden=hidden)} → {_shown(after, hidden=hidden)}{signs}{ask}"


def _shown(value: object, *, hidden: bool) -> str:
    if value is None or value == "":
        return "(none)"
    return _HIDDEN if hidden else str(value)
