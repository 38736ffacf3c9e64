"""`defaults` of a system: what its streams share is written once, and every stream is read as if it had written it.

Mappings are merged key by key, whatever is no mapping (a list too) is replaced by the stream's own, and null takes away
what defaults give. The stream's own keys come first, so its own fields come before the shared ones.

`vars` of a stream are texts for the places in the shared ones where it differs: `{object}` becomes the stream's
vars.object, and `{stream}` its name. What the engine fills in later ({start}, {fields}, …) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from onefold.catalog.request import MODULE_PLACEHOLDERS, PLACEHOLDERS
from onefold.catalog.yaml_file import CatalogError, Mistake, Place, Value, YamlFile

_VARIABLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")

Mapping = dict[str, Value]


def with_defaults(file: YamlFile) -> YamlFile:
    """The file of a system with every stream written out: without `defaults`, and its streams without `vars`.

    A place that a stream has from defaults stands on the line where defaults say it. What is no mapping where one is
    needed stays, for the model to refuse. Raises CatalogError for `defaults` or `vars` that cannot be used.
    """
    system = file.value
    if not isinstance(system, dict) or not isinstance(streams := system.get("streams"), dict):
        return file
    defaults = system.get("defaults", {})
    if not isinstance(defaults, dict):
        raise CatalogError([file.mistake(("defaults",), 'defaults: needs "key: value" lines below it')])
    lines, inherited = dict(file.lines), set[Place]()
    written: Mapping = {}
    for name, stream in streams.items():
        written[name] = _merged(stream, defaults) if isinstance(stream, dict) else stream
        for place, line in file.lines.items():
            here = ("streams", name, *place[1:])
            if place[0] == "defaults" and here not in file.lines and _has(written[name], place[1:]):
                lines[here] = line
                inherited.add(here)
    rest = {key: value for key, value in system.items() if key != "defaults"}
    whole = YamlFile(file.path, rest | {"streams": written}, lines, frozenset(inherited))
    if wrong := list(_wrong_variables(whole, written)):
        raise CatalogError(wrong)
    for name, stream in written.items():
        if isinstance(stream, dict):
            variables = _variables(stream) | {"stream": name}
            written[name] = {key: _filled(value, variables) for key, value in stream.items() if key != "vars"}
    return whole


def _merged(own: Mapping, defaults: Mapping) -> Mapping:
    """A stream's own mapping with what defaults add to it."""
    merged: Mapping = {}
    for key, value in own.items():
        shared = defaults.get(key)
        if value is None and key in defaults:
            continue
        merged[key] = _fields(value, shared) if key == "fields" else _merged_value(value, shared)
    return merged | {key: value for key, value in defaults.items() if key not in own}


def _merged_value(own: Value, shared: Value) -> Value:
    return _merged(own, shared) if isinstance(own, dict) and isinstance(shared, dict) else own


def _fields(own: Value, shared: Value) -> Value:
    """Fields merged by name; one that is written as its type alone is merged as {type: …}."""
    if not isinstance(own, dict) or not isinstance(shared, dict):
        return own
    both = own.keys() & shared.keys()
    return _merged(
        {name: _long(field) if name in both else field for name, field in own.items()},
        {name: _long(field) if name in both else field for name, field in shared.items()},
    )


def _long(field: Value) -> Value:
    return {"type": field} if isinstance(field, str) else field


def _has(value: Value, place: Place) -> bool:
    for step in place:
        match value, step:
            case dict(), str() if step in value:
                value = value[step]
            case list(), int() if step < len(value):
                value = value[step]
            case _:
                return False
    return True


def _variables(stream: Mapping) -> dict[str, str]:
    given = stream.get("vars")
    return {name: text for name, text in given.items() if isinstance(text, str)} if isinstance(given, dict) else {}


def _wrong_variables(file: YamlFile, streams: Mapping) -> Iterator[Mistake]:
    """Variables that are no text, that the engine fills in itself, that nothing uses, or that a stream lacks."""
    everywhere = {name for stream in streams.values() if isinstance(stream, dict) for name in _variables(stream)}
    for stream_name, stream in streams.items():
        if not isinstance(stream, dict):
            continue
        at = ("streams", stream_name, "vars")
        given = stream.get("vars", {})
        if not isinstance(given, dict):
            yield file.mistake(at, 'vars: needs "name: text" lines below it')
            continue
        used = {name: place for place, name in _named(stream, ("streams", stream_name)) if place[2] != "vars"}
        for name, text in given.items():
            if not isinstance(text, str):
                yield file.mistake((*at, name), f'vars.{name}: text is needed here; write "{text}" in quotes')
            elif name in PLACEHOLDERS | MODULE_PLACEHOLDERS or name == "stream":
                yield file.mistake((*at, name), f"{{{name}}} is filled in by Onefold; give the variable another name")
            elif name not in used:
                yield file.mistake((*at, name), f"nothing in {stream_name} uses {{{name}}}; remove the variable")
        for name in sorted((used.keys() & everywhere) - given.keys()):
            text = f'{{{name}}} is used, but {stream_name} does not say what it is; add "vars: {{{name}: …}}" to it'
            yield file.mistake(("streams", stream_name), text)


def _named(value: Value, place: Place) -> Iterator[tuple[Place, str]]:
    """Every {name} in the texts below a place."""
    if isinstance(value, str):
        yield from ((place, name) for name in _VARIABLE.findall(value))
    elif isinstance(value, dict):
        for key, inside in value.items():
            yield from _named(inside, (*place, key))
    elif isinstance(value, list):
        for number, inside in enumerate(value):
            yield from _named(inside, (*place, number))


def _filled(value: Value, variables: dict[str, str]) -> Value:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {key: _filled(inside, variables) for key, inside in value.items()}
    if isinstance(value, list):
        return [_filled(inside, variables) for inside in value]
    return value
