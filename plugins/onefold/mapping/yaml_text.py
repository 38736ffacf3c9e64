"""YAML in the flow style, one entry a line: a third of the lines of the block style, and nothing to wrap."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onefold.catalog.entity import Scalar

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Alias:
    """A value that the same file has given the name `&name`."""

    name: str


Yaml = Mapping[str, "Yaml"] | Sequence["Yaml"] | Alias | Scalar


def flow(value: Yaml) -> str:
    """The value in YAML's flow style, on one line; strings that YAML could take for something else are quoted."""
    if isinstance(value, Alias):
        return f"*{value.name}"
    if isinstance(value, str):
        plain = _BARE.fullmatch(value) and value.lower() not in _RESERVED
        return value if plain else _quoted(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(flow(each) for each in value) + "]"
    number = json.dumps(value)
    # YAML 1.1, which dbt reads, takes 1e-06 for a text: its numbers with an exponent have a point
    return number.replace("e", ".0e") if isinstance(value, float) and "." not in number else number


def _quoted(text: str) -> str:
    """As JSON, in which what YAML takes for the end of a line, or refuses, is escaped too."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in quoted)
