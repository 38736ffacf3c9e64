"""What an example answer says: its lists, and the fields and types of the objects in one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from onefold.draft.names import Given, key_path

STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_FLATTENED = 2
_MOST_NESTED = 25
SAMPLE = 2_000
KINDS = {"integer": "integer", "number": "numeric", "boolean": "boolean", "object": "json", "array": "json"}
"""The catalogue's type of each of JSON's but text, which its form or its format says more of."""


class JsonAnswers:
    """An answer as an example shows it."""

    def members(self, node: object) -> Iterable[tuple[str, object]]:
        """The parts of an object by name."""
        return [(str(name), value) for name, value in node.items()] if isinstance(node, dict) else []

    def listed(self, node: object) -> tuple[str, ...] | None:
        """The names of the fields of a list's objects; none of a list of scalars; None where it is no list."""
        if not isinstance(node, list):
            return None
        rows = [each for each in node[:SAMPLE] if isinstance(each, dict)]
        return tuple(dict.fromkeys(str(name) for row in rows for name in row))

    def at(self, node: object, keys: tuple[str, ...]) -> list[Mapping[str, object]]:
        """The objects that are listed below these keys."""
        for key in keys:
            node = node.get(key) if isinstance(node, dict) else None
        return [each for each in node[:SAMPLE] if isinstance(each, dict)] if isinstance(node, list) else []


def by_their_ids(node: object) -> list[Mapping[str, object]]:
    """The objects that an object has by their ids: two or more that are alike; none where it is no such object."""
    values = list(node.values())[:SAMPLE] if isinstance(node, dict) else []
    rows: list[Mapping[str, object]] = [each for each in values if isinstance(each, dict)]
    if len(rows) < 2 or len(rows) < len(values):
        return []
    shared = set.intersection(*(set(each) for each in rows))
    return rows if shared and 2 * len(shared) >= max(len(each) for each in rows) else []


def sampled_fields(rows: Sequence[Mapping[str, object]]) -> Iterator[Given]:
    """The fields of these objects; one that some of them lack is not required."""
    yield from _fields(rows, (), True, 0)


def _fields(
    rows: Sequence[Mapping[str, object]], above: tuple[str, ...], required: bool, depth: int
) -> Iterator[Given]:
    for name in dict.fromkeys(name for row in rows for name in row):
        keys = (*above, str(name))
        values = [row[name] for row in rows if name in row]
        always = required and len(values) == len(rows)
        objects = [value for value in values if isinstance(value, dict)]
        is_object = bool(objects) and all(value is None or isinstance(value, dict) for value in values)
        if is_object and depth < _FLATTENED and len({key for each in objects for key in each}) <= _MOST_NESTED:
            yield from _fields(objects, keys, always and len(objects) == len(rows), depth + 1)
        else:
            yield Given("_".join(keys), sampled_kind(values), always, key_path(*keys) if above else None)


def sampled_kind(values: Iterable[object]) -> str:
    """The catalogue's type that takes all of these values; text where there is none but null."""
    kinds = {_kind(value) for value in values if value is not None and value != ""}
    if kinds == {"integer", "numeric"}:
        return "numeric"
    if kinds <= {"timestamp", "date", "text"} and len(kinds) > 1:
        return "text"
    return kinds.pop() if len(kinds) == 1 else "json" if kinds else "text"


def json_type(value: object) -> str:
    """What JSON Schema calls the type of a value; a text for what JSON cannot hold, such as a day of YAML's."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case dict():
            return "object"
        case list():
            return "array"
        case _:
            return "string"


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "timestamp" if STAMP.fullmatch(value) else "date" if _DAY.fullmatch(value) else "text"
    return KINDS.get(json_type(value), "json")
