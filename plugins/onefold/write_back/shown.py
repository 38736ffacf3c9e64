"""What of a plan's row everybody who may see plans is shown: its fields, and the values that are not personal."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.catalog.entity import Entity
from onefold.catalog.target import TargetObject
from onefold.write_back.decide import Decision, is_empty
from onefold.write_back.values import Json, to_json

Shown = Mapping[str, list[Json]]
"""By field its value before and after; PERSONAL where it is, which onefold_pii reads in the row itself."""
PERSONAL = "(personal)"


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


def shown_values(each: TargetObject, decision: Decision, attributes: frozenset[str]) -> Shown:
    """Of the fields that the catalogue names; `attributes` are those of the entity that may be shown."""
    before, after = to_json(decision.before), to_json(decision.after)
    return {
        name: [_shown(value, may=_may_show(each, name, attributes)) for value in (before.get(name), after.get(name))]
        for name in {**each.fields, **each.constants}
        if name in before or name in after
    }


def _shown(value: Json, *, may: bool) -> Json:
    return value if may or is_empty(value) else PERSONAL


def _may_show(each: TargetObject, name: str, attributes: frozenset[str]) -> bool:
    return name in each.constants or each.fields[name].attribute in attributes
