"""Child streams: what is listed below each record of another stream, as `/projects/{id}/tickets`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from onefold.draft.guesses import guessed_keys, singular
from onefold.draft.model import DraftStream, Mark, Value
from onefold.draft.names import plain_name

_PARAMETER = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Listed:
    """A stream that may be a parent: what its own path fills in, by the names in the path."""

    stream: DraftStream
    filled: dict[str, str]


def parent_path(path: str) -> tuple[str, str] | None:
    """The path of the list that the last parameter of this path is taken from, and the parameter's name; None where the
    path has none, or ends with it (that is one object, not a list)."""
    *_, last = [None, *_PARAMETER.finditer(path)]
    if last is None or last.end() == len(path.rstrip("/")):
        return None
    return path[: last.start()].rstrip("/"), last[1]


def child_of(parent: Listed, child: DraftStream, parameter: str) -> Listed | None:
    """The stream as a child of its parent, with what it fills in; None where the parent's key is not one field."""
    of = parent.stream
    own_key = [key for key in of.keys if key not in parent.filled.values()]
    if len(own_key) != 1:
        return None
    name = _fill_name(parameter, of)
    fill: dict[str, Value] = {each: each for each in parent.filled.values()}
    fill[name] = source = parameter if parameter in of.fields else own_key[0]
    filled = {**parent.filled, parameter: name}
    typed = {each: dict(of.fields[str(source)]) for each, source in fill.items()}
    given = {each: {key: value for key, value in entry.items() if key == "type"} for each, entry in typed.items()}
    request = dict(child.request)
    request["path"] = _PARAMETER.sub(lambda found: f"{{{filled.get(found[1], found[1])}}}", str(request["path"]))
    rest = {key: value for key, value in child.fields.items() if key not in fill}
    marks = [mark for mark in child.marks if mark.key != "primary_key"]
    marks.append(Mark("parent", f"that {{{name}}} is the {source} of {of.name}; one request for each of them"))
    marks.append(Mark("primary_key", "it is a guess"))
    made = replace(
        child,
        request=request,
        fields={**given, **rest},
        keys=[name, *(each for each in fill if each != name), *guessed_keys(rest, child.name)],
        more={**child.more, "parent": {"stream": of.name, "fill": fill}},
        marks=tuple(marks),
    )
    return Listed(made, filled)


def _fill_name(parameter: str, parent: DraftStream) -> str:
    """What the value is called in the child's records: project_id, whatever the path calls it."""
    plain = plain_name(parameter)
    if plain in ("id", "key", "number", "uuid", "code", "name", "slug", "ref", "field"):
        return f"{singular(parent.name)}_{plain}"
    return plain
