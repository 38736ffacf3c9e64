"""Arguments of a field, as GraphQL writes them: values as YAML gives them, and variables where their type is named.

Text is written in quotation marks, numbers and booleans plainly, lists and objects by their parts. What YAML cannot
tell from text (an enum's value, also one within an input object) is sent as a variable: `request.types` names its type,
and the server reads it by that. Source: GraphQL specification (October 2021), 2.9 and 2.10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from onefold.connectors.json_shape import Path
from onefold.connectors.window_text import filled

_NUMBER = re.compile(r"\{(?:start|end)_unix(?:_ms)?\}")
_WHOLE = re.compile(r"-?\d{1,18}")
_TEXTS = frozenset({"String", "ID"})


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments of one field: how they stand behind its name, how their variables are declared, and those."""

    text: str
    declared: str
    variables: Mapping[str, JsonValue]


def given(arguments: Mapping[str, JsonValue], types: Mapping[str, str]) -> Given:
    """The arguments, those whose type is named as variables."""
    typed = {name: _read(value, types[name]) for name, value in arguments.items() if name in types}
    shown = [f"{name}: {f'${name}' if name in typed else literal(value)}" for name, value in arguments.items()]
    declared = ", ".join(f"${name}: {types[name]}" for name in typed)
    return Given(", ".join(shown), f"({declared})" if declared else "", typed)


def window_filled(
    arguments: Mapping[str, JsonValue], types: Mapping[str, str], values: Mapping[str, str]
) -> dict[str, JsonValue]:
    """The arguments with their placeholders filled in. Where {start_unix} or one of its kin is the whole text, it is a
    number, unless the argument's type is named as a text's."""
    return {name: _filled(value, values, numbers=not is_text(types.get(name, ""))) for name, value in arguments.items()}


def placed(arguments: Mapping[str, JsonValue], at: Path, value: JsonValue) -> dict[str, JsonValue]:
    """The arguments with a value at a place, which may be within an input object."""
    name, *below = at
    if not below:
        return {**arguments, name: value}
    inner = arguments.get(name)
    return {**arguments, name: placed(inner if isinstance(inner, dict) else {}, tuple(below), value)}


def literal(value: JsonValue) -> str:
    """A value as a document has it."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(literal, value))}]"
        case dict():
            return f"{{{', '.join(f'{name}: {literal(each)}' for name, each in value.items())}}}"
        case _:
            return json.dumps(value)


def is_text(kind: str) -> bool:
    """Whether a type's values are texts, whose marks are quotation marks also in a document."""
    return _base(kind) in _TEXTS


def _base(kind: str) -> str:
    """A type's name without its marks: [ID!]! is ID."""
    return kind.strip("[]! ")


def _read(value: JsonValue, kind: str) -> JsonValue:
    """A text as the number that its type wants: cursors and the window's ends are texts here."""
    if isinstance(value, str) and _base(kind) in ("Int", "Float") and _WHOLE.fullmatch(value):
        return int(value)
    return value


def _filled(value: JsonValue, values: Mapping[str, str], *, numbers: bool) -> JsonValue:
    match value:
        case str():
            text = filled(value, values)
            return int(text) if numbers and _NUMBER.fullmatch(value) else text
        case list():
            return [_filled(each, values, numbers=numbers) for each in value]
        case dict():
            return {name: _filled(each, values, numbers=numbers) for name, each in value.items()}
        case _:
            return value
