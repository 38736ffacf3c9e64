"""An OpenAPI description as plain values, with its references followed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import yaml

from onefold.errors import Fatal

Node = Mapping[str, object]
OpenFile = Callable[[str], str]
"""The text of another file, named relative to the description. Raises Fatal when it cannot be had."""

_DEEPEST = 12
"""How many references one after the other are followed: schemas may refer to themselves."""
_MOST_FILES = 200
_MOST_NESTED = 500
"""Objects and lists within each other: far more than a description has, and far fewer than libyaml's stack holds."""


class Document:
    """One description. `open_file` reads what it refers to outside of itself."""

    def __init__(self, text: str, open_file: OpenFile) -> None:
        self._open = open_file
        self._files: dict[str, object] = {}
        self.root = _parsed(text, "the description")
        self.swagger2 = str(child(self.root, "swagger")).startswith("2")
        if not self.swagger2 and not str(child(self.root, "openapi")).startswith("3"):
            raise Fatal(
                'this is no OpenAPI 3 description (`openapi: 3.…`), nor one of Swagger 2 (`swagger: "2.0"`). Give the '
                "file itself, not its web page."
            )

    def resolved(self, given: object) -> object:
        """What a reference points to, in the description or in a file beside it; anything else as it is. None where
        nothing is there."""
        for _ in range(_DEEPEST):
            reference = child(given, "$ref")
            if not isinstance(reference, str):
                return given
            file, _, place = reference.partition("#")
            given = self._file(file) if file else self.root
            for step in filter(None, place.split("/")):
                given = child(given, step.replace("~1", "/").replace("~0", "~"))
        return None

    def _file(self, name: str) -> object:
        """A file's value, whose own references are made relative to the description."""
        if name not in self._files:
            if len(self._files) == _MOST_FILES:
                raise Fatal(f"the description refers to more than {_MOST_FILES} other files; bundle it into one first")
            self._files[name] = _from_here(_parsed(self._open(name), name), name, 0)
        return self._files[name]

    def node(self, given: object) -> Node:
        """The resolved object; an empty one where there is none."""
        found = self.resolved(given)
        return found if isinstance(found, dict) else {}

    def child(self, given: object, *keys: str) -> Node:
        """The object below these keys, references followed on the way."""
        for key in keys:
            given = self.node(given).get(key)
        return self.node(given)


def child(node: object, key: str) -> object:
    """The value of a key; None where the node is no object or has none."""
    return node.get(key) if isinstance(node, dict) else None


def items(node: object, key: str) -> list[object]:
    """The list below a key; empty where there is none."""
    found = child(node, key)
    return found if isinstance(found, list) else []


def texts(given: object) -> Iterator[str]:
    """The texts of a list, or the text itself."""
    yield from (each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str))


def _parsed(text: str, named: str) -> object:
    try:
        if text.lstrip().startswith("{"):
            return json.loads(text)
        _require_shallow(text, named)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Fatal(f"{named} is neither JSON nor YAML; give the file itself, not its web page") from error


def _require_shallow(text: str, named: str) -> None:
    """Raises Fatal where YAML is nested so deep that libyaml, which calls itself for each level, ends the process."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_NESTED:
            raise Fatal(f"{named} is nested more than {_MOST_NESTED} deep, which no description is")


def _from_here(node: object, file: str, depth: int) -> object:
    """The file's value, in which `#/x` means that file and `other.yaml` one beside it."""
    if depth > 60:
        return None
    folder = file.rpartition("/")[0]
    if isinstance(node, list):
        return [_from_here(each, file, depth + 1) for each in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference.startswith("#"):
            return {"$ref": f"{file}{reference}"}
        return {"$ref": f"{folder}/{reference}" if folder and "://" not in reference else reference}
    return {str(key): _from_here(each, file, depth + 1) for key, each in node.items()}
