"""Changes the fields of a stream in the text of a system's YAML, and nothing else (edit_yaml.py)."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from onefold.catalog.edit_yaml import added, composed, replaced, under
from onefold.catalog.field_line import field_line, plain
from onefold.errors import Fatal

Settings = Mapping[str, str | bool]
"""Of one field, the settings to set; the others stay."""


def with_fields(text: str, stream: str, fields: Mapping[str, Settings]) -> str:
    """The text with these settings of the stream's fields; a field that is not there is added at the end.

    Raises Fatal where the file is written in a way that only a person should change: aliases, or no such stream.
    """
    for name, settings in fields.items():
        text = _with_field(text, stream, name, dict(settings))
    return text


def _with_field(text: str, stream: str, name: str, settings: dict[str, str | bool]) -> str:
    described = under(composed(text), "streams", stream)
    if not isinstance(described, yaml.MappingNode):
        raise Fatal(f"The file has no stream {stream} that is written out. Change its fields by hand.")
    fields = under(described, "fields")
    if fields is None:
        return added(text, described, f"fields: {{{field_line(name, settings)}}}")
    if not isinstance(fields, yaml.MappingNode) or fields.start_mark.index < described.start_mark.index:
        raise Fatal(f"The fields of {stream} are an alias of others. Change them by hand.")
    value = under(fields, name)
    if value is None:
        return added(text, fields, field_line(name, settings))
    if isinstance(value, yaml.ScalarNode):
        kind: dict[str, str | bool] = {} if value.value in ("", "text") else {"type": value.value}
        line = field_line(name, kind | settings)
        return replaced(text, value, line.removeprefix(f"{name}: "))
    if not isinstance(value, yaml.MappingNode) or value.start_mark.index < fields.start_mark.index:
        raise Fatal(f"The field {name} of {stream} is an alias of another. Change it by hand.")
    for key, setting in settings.items():
        value = under(composed(text), "streams", stream, "fields", name)
        if not isinstance(value, yaml.MappingNode):
            raise Fatal(f"The field {name} of {stream} is not written as settings. Change it by hand.")
        there = under(value, key)
        text = (
            added(text, value, f"{key}: {plain(setting)}") if there is None else replaced(text, there, plain(setting))
        )
    return text
