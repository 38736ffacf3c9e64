"""An entity with what belongs to it: a field's name may lead to a navigation property (`to_Address/CityName`), and
there to the one entity that has a value (`to_Tax[BPTaxType=PL1]/BPTaxNumber`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onefold.errors import Fatal

_STEP = re.compile(r"(\w+)(?:\[(\w+)=([^\]\[/]*)\])?")


@dataclass(frozen=True, slots=True)
class Step:
    """A navigation property, and which of its entities is meant: the one whose property has this value, or the only
    one."""

    name: str
    by: str | None = None
    value: str | None = None

    def is_meant(self, entity: Mapping[str, Any]) -> bool:
        """Whether it is this entity."""
        return self.by is None or entity.get(self.by) == self.value


@dataclass(frozen=True, slots=True)
class Field:
    """Where a field is: the steps to its entity, and its property there."""

    steps: tuple[Step, ...]
    name: str

    @property
    def navigation(self) -> str:
        """The path to $expand; "" for a property of the entity itself."""
        return "/".join(step.name for step in self.steps)


def field_of(path: str) -> Field:
    """The field that a path names. Raises Fatal when it is none."""
    *steps, name = path.split("/")
    found = [_STEP.fullmatch(step) for step in steps]
    if not all(found) or not re.fullmatch(r"\w+", name):
        raise Fatal(
            f"{path!r} names no property: write Property, to_Navigation/Property, or to_Navigation[Type=A]/Property."
        )
    return Field(tuple(Step(each[1], each[2], each[3]) for each in found if each), name)


def deep(values: Mapping[str, object]) -> dict[str, Any]:
    """The body of an entity with all that belongs to it, by the paths of its fields (a deep insert)."""
    body: dict[str, Any] = {}
    for path, value in values.items():
        field, at = field_of(path), body
        for step in field.steps:
            entities = at.setdefault(step.name, [])
            meant = next((each for each in entities if step.is_meant(each)), None)
            if meant is None:
                meant = {} if step.by is None else {step.by: step.value}
                entities.append(meant)
            at = meant
        at[field.name] = value
    return body


def value_at(entity: Mapping[str, Any], path: str) -> object:
    """The value of a field of an entity that was read; None where there is no such entity."""
    field, at = field_of(path), entity
    for step in field.steps:
        inside = at.get(step.name)
        entities = inside.get("results", []) if isinstance(inside, dict) else inside
        meant = [each for each in entities or [] if isinstance(each, dict) and step.is_meant(each)]
        if not meant:
            return None
        at = meant[0]
    return at.get(field.name)


def expanded(paths: Iterable[str]) -> list[str]:
    """The navigation paths of the fields, each once."""
    return list(dict.fromkeys(filter(None, (field_of(path).navigation for path in paths))))
