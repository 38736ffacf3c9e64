"""Changes the fields of a stream in the text of a system's YAML, and nothing else: comments and layout stay.

A YAML that is read and written again loses its comments or its line breaks, and nobody could review what is left. So
the text is changed at the places that the parser names, as a person would do it.
"""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from onefold.catalog.field_line import field_line, plain
from onefold.errors import Fatal

Settings = Mapping[str, str | bool]
"""Of one field, the settings to set; the others stay."""
WIDTH = 120


def with_fields(text: str, stream: str, fields: Mapping[str, Settings]) -> str:
    """The text with these settings of the stream's fields; a field that is not there is added at the end.

    Raises Fatal where the file is written in a way that only a person should change: aliases, or no such stream.
    """
    for name, settings in fields.items():
        text = _with_field(text, stream, name, dict(settings))
    return text


def _with_field(text: str, stream: str, name: str, settings: dict[str, str | bool]) -> str:
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    described = _at(_at(root, "streams"), stream)
    if not isinstance(described, yaml.MappingNode):
        raise Fatal(f"The file has no stream {stream} that is written out. Change its fields by hand.")
    fields = _at(described, "fields")
    if fields is None:
        return _added(text, described, "fields", f"fields: {{{field_line(name, settings)}}}")
    if not isinstance(fields, yaml.MappingNode) or fields.start_mark.index < described.start_mark.index:
        raise Fatal(f"The fields of {stream} are an alias of others. Change them by hand.")
    value = _at(fields, name)
    if value is None:
        return _added(text, fields, name, field_line(name, settings))
    if isinstance(value, yaml.ScalarNode):
        kind: dict[str, str | bool] = {} if value.value in ("", "text") else {"type": value.value}
        line = field_line(name, kind | settings)
        return _replaced(text, value, line.removeprefix(f"{name}: "))
    if not isinstance(value, yaml.MappingNode) or value.start_mark.index < fields.start_mark.index:
        raise Fatal(f"The field {name} of {stream} is an alias of another. Change it by hand.")
    for key, setting in settings.items():
        value = _at(_at(_at(_at(yaml.compose(text, Loader=yaml.CSafeLoader), "streams"), stream), "fields"), name)
        if not isinstance(value, yaml.MappingNode):
            raise Fatal(f"The field {name} of {stream} is not written as settings. Change it by hand.")
        there = _at(value, key)
        text = (
            _added(text, value, key, f"{key}: {plain(setting)}")
            if there is None
            else _replaced(text, there, plain(setting))
        )
    return text


def _at(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value under a mapping's key; None where there is none."""
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


def _replaced(text: str, node: yaml.Node, by: str) -> str:
    return text[: node.start_mark.index] + by + text[node.end_mark.index :]


def _added(text: str, mapping: yaml.MappingNode, key: str, entry: str) -> str:
    """The text with one more entry at the mapping's end."""
    if not mapping.value:
        return _replaced(text, mapping, f"{{{entry}}}")
    first, last = mapping.value[0][0], _end(mapping.value[-1][1])
    indent = " " * first.start_mark.column
    if not mapping.flow_style:
        line_end = text.find("\n", last)
        at = len(text) if line_end < 0 else line_end
        return f"{text[:at]}\n{indent}{entry}{text[at:]}"
    close = mapping.end_mark.index - 1
    line = text.rfind("\n", 0, close) + 1
    between = text[last:close]
    if "\n" in between:  # the brace that closes stands on a line of its own
        comma = "" if between.lstrip().startswith(",") else ","
        return f"{text[:last]}{comma}{text[last:line]}{indent}{entry},\n{text[line:]}"
    comma = " " if between.strip() == "," else ", "
    if close - line + len(comma + entry) < WIDTH:
        return f"{text[:last]}{between.rstrip()}{comma}{entry}{text[close:]}"
    return f"{text[:last]}{between.rstrip()}{comma.rstrip()}\n{indent}{entry}{text[close:]}"


def _end(node: yaml.Node) -> int:
    """Where the node's own text ends: a mapping in lines ends with the last of them."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index
