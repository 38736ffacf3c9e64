"""Types that decode the values at some paths of a JSON document and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar, cast

import msgspec

from onefold.connectors.cursor import Scalar

Path = tuple[str, ...]
Kind = Any  # a type as msgspec decodes it, a union too: Python 3.11 has no name for the type of such


class Shape(msgspec.Struct):
    """What `shape` makes has these: the attribute that holds the value of each name in the JSON."""

    names: ClassVar[dict[str, str]]


def shape(wanted: Iterable[tuple[Path, Kind, bool]]) -> type[Shape]:
    """A struct type that decodes the values at these paths (with their type; True: must be there), nothing else."""
    here: dict[str, list[tuple[Path, Kind, bool]]] = {}
    for path, kind, required in wanted:
        here.setdefault(path[0], []).append((path[1:], kind, required))
    fields: list[str | tuple[str, Kind] | tuple[str, Kind, Any]] = []
    names: dict[str, str] = {}
    for number, (name, below) in enumerate(here.items()):
        attribute = f"f{number}"
        names[attribute] = name
        if below[0][0]:
            required = any(must for _, _, must in below)
            nested = shape(below)
            fields.append((attribute, nested) if required else (attribute, nested | None, None))
        else:
            kind, required = below[0][1], below[0][2]
            fields.append((attribute, kind) if required else (attribute, kind, None))
    namespace = {"names": {v: k for k, v in names.items()}}
    made = msgspec.defstruct("Shape", fields, bases=(Shape,), rename=names, namespace=namespace)
    return cast("type[Shape]", made)  # defstruct's type does not say what bases it has


def at(decoded: Any, path: Path) -> Any:  # the shapes are made at run time: no checker knows their attributes
    """The value at the path of a decoded shape; None where something on the way is null or missing."""
    for name in path:
        if decoded is None:
            return None
        decoded = getattr(decoded, type(decoded).names[name])
    return decoded


def getter(of: type[Shape], path: Path) -> Callable[[object], Scalar]:
    """What takes the value at the path out of a decoded shape; a direct one where the path has one part."""
    return attrgetter(of.names[path[0]]) if len(path) == 1 else partial(at, path=path)


def found(content: object, path: Path) -> Scalar:
    """The value at the path of decoded JSON; None where there is none, or where it is an object or a list."""
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return content if isinstance(content, str | int | float | bool) else None
