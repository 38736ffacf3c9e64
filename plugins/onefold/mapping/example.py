"""A made-up record for an example of the catalogue: the inverse of reading a field."""

from __future__ import annotations

import re

from onefold.catalog.entity import Example, Rule, Scalar
from onefold.catalog.stream import Stream
from onefold.errors import Fatal

Json = dict[str, "Json"] | list["Json"] | Scalar
_STEP = re.compile(r"""\.(?P<name>\w+)|\."(?P<quoted>[^"]+)"|\[(?P<index>\d+|\*)\]|\s*\?\s*\((?P<filter>[^()]*)\)""")
_EQUALS = re.compile(r"""^\s*@\.(?P<name>\w+)\s*==\s*(?P<value>"[^"]*"|\d+|true|false)\s*$""")


def example_record(rule: Rule, stream: Stream, example: Example) -> dict[str, Json]:
    """The smallest record that holds what the example gives, each value where the field's path says.

    Raises Fatal when a path has a form that cannot be inverted.
    """
    record: dict[str, Json] = {}
    given = example.given
    values = given if isinstance(given, dict) else dict.fromkeys(rule.fields, given)
    unknown = set(values) - set(rule.inputs)
    if unknown:
        raise Fatal(f"an example gives {', '.join(sorted(unknown))}, which the rule does not read: {rule.inputs}")
    for name, value in values.items():
        path = stream.fields[name].path or ""
        if path.startswith("$"):
            _put(record, _steps(path), value)
        else:
            _put(record, [*(path.split(".") if path else [name])], value)
    return record


Step = str | int | dict[str, Scalar]


def _steps(path: str) -> list[Step]:
    """The steps of an SQL/JSON path: a key, a place in a list, or what an element of the list must hold."""
    steps: list[Step] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise Fatal(f"no example record can be made for the path {path!r}, from {path[at:]!r} on")
        at = found.end()
        if found["filter"] is not None:
            if steps and isinstance(steps[-1], int):
                steps.pop()
            steps.append(_conditions(found["filter"], path))
        elif found["index"] is not None:
            steps.append(0 if found["index"] == "*" else int(found["index"]))
        else:
            steps.append(found["name"] or found["quoted"])
    return steps


def _conditions(condition: str, path: str) -> dict[str, Scalar]:
    required: dict[str, Scalar] = {}
    for part in condition.split("&&"):
        found = _EQUALS.match(part)
        if found is None:
            raise Fatal(f'no example record can be made for the path {path!r}: write its filter as @.field == "value"')
        value = found["value"]
        required[found["name"]] = (
            value[1:-1] if value.startswith('"') else value == "true" if value in ("true", "false") else int(value)
        )
    return required


def _put(record: dict[str, Json], steps: list[Step], value: Scalar) -> None:
    node: dict[str, Json] = record
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if not isinstance(step, str):
            continue
        if following is None:
            node[step] = value
        elif isinstance(following, str):
            node = _child(node, step)
        else:
            node = _element(node, step, following)


def _child(node: dict[str, Json], key: str) -> dict[str, Json]:
    child = node.setdefault(key, {})
    if not isinstance(child, dict):
        raise Fatal(f"two fields of an example write different values under {key!r}")
    return child


def _element(node: dict[str, Json], key: str, required: int | dict[str, Scalar]) -> dict[str, Json]:
    elements = node.setdefault(key, [])
    if not isinstance(elements, list):
        raise Fatal(f"two fields of an example write different values under {key!r}")
    if isinstance(required, int):
        while len(elements) <= required:
            elements.append({})
        element = elements[required]
        if isinstance(element, dict):
            return element
    else:
        conditions: dict[str, Json] = dict(required)
        for element in elements:
            if isinstance(element, dict) and conditions.items() <= element.items():
                return element
        elements.append(conditions)
        return conditions
    raise Fatal(f"two fields of an example write different values under {key!r}")
