"""JSON that msgspec refuses and Python's reader takes: half a surrogate pair, NaN, Infinity.

One such value must spoil its own record only, and no number on the page may be written anew: records are cut out of the
text as they stand there.
"""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[ \t\n\r]*")


def read_lenient(text: str | bytes) -> object:
    """The document, with each number that is no integer as the text that was sent. Raises ValueError."""
    return json.loads(text, parse_float=str, parse_constant=str)


def raw_elements(text: str, path: tuple[str, ...]) -> list[str] | None:
    """The elements of the list at the path, each as it stands in the document; None where there is no list.

    Raises ValueError when the document is cut off or malformed.
    """
    json.loads(text)  # whole from its first to its last character
    place = _skip_space(text, 0)
    for name in path:
        members = _members(text, place) if text[place] == "{" else {}
        if name not in members:
            return None
        place = members[name]
    return _elements(text, place) if text[place] == "[" else None


def raw_members(text: str) -> dict[str, str]:
    """The values of an object by their names, each as it stands there. Raises ValueError when it is no object."""
    if not isinstance(json.loads(text), dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - what is wrong is the text, not its type
    begin = _members(text, _skip_space(text, 0))
    return {name: text[place : _end(text, place)] for name, place in begin.items()}


def _members(text: str, place: int) -> dict[str, int]:
    """Where the value of each name begins, of the object that begins at this place. Of a name twice the last counts."""
    begin: dict[str, int] = {}
    place = _skip_space(text, place + 1)
    while text[place] != "}":
        name, place = _DECODER.raw_decode(text, place)
        place = _skip_space(text, _skip_space(text, place) + 1)
        begin[name] = place
        place = _next(text, _end(text, place))
    return begin


def _elements(text: str, place: int) -> list[str]:
    found: list[str] = []
    place = _skip_space(text, place + 1)
    while text[place] != "]":
        end = _end(text, place)
        found.append(text[place:end])
        place = _next(text, end)
    return found


def _end(text: str, place: int) -> int:
    """The place behind the value that begins here."""
    return _DECODER.raw_decode(text, place)[1]


def _next(text: str, place: int) -> int:
    """The place of what follows a value: the next name or element, or the end of what they stand in."""
    place = _skip_space(text, place)
    return _skip_space(text, place + 1) if text[place] == "," else place


def _skip_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


_DECODER = json.JSONDecoder()
