"""JSON that msgspec refuses and Python's reader takes: half a surrogate pair, NaN, Infinity.

One such value must spoil its own record only, and no number on the page may be written anew: records are cut out of the
text as they stand there. So is one whose brackets stand in each other more often than either reader follows.
"""

from __future__ import annotations

import json
import re

_SPACE = re.compile(r"[ \t\n\r]*")
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_TOO_LONG = 4000
"""Digits; Python refuses to read integers of some more (sys.get_int_max_str_digits)."""


def read_lenient(text: str | bytes) -> object:
    """The document, with each number that is no integer as the text that was sent.

    Raises ValueError, and RecursionError for what has too many brackets within each other."""
    return json.loads(text, parse_float=str, parse_constant=str, parse_int=_integer)


def lenient_value(text: str, path: tuple[str, ...]) -> str | int | bool | None:
    """The text, integer or truth at the path; None where there is none. Raises ValueError as raw_elements does."""
    place = _place(text, path)
    if place is None or text[place] in "[{":
        return None
    value = read_lenient(text[place : _end(text, place)])
    return value if isinstance(value, str | int) else None


def raw_value(text: str, path: tuple[str, ...]) -> str | None:
    """The value at the path, as it stands in the document; None where there is none. Raises ValueError as
    raw_elements does."""
    _require_whole(text)
    place = _place(text, path)
    return None if place is None else text[place : _end(text, place)]


def raw_elements(text: str, path: tuple[str, ...]) -> list[str] | None:
    """The elements of the list at the path, each as it stands in the document; None where there is no list.

    Raises ValueError when the document is cut off or malformed.
    """
    _require_whole(text)
    place = _place(text, path)
    return None if place is None or text[place] != "[" else _elements(text, place)


def raw_members(text: str) -> dict[str, str]:
    """The values of an object by their names, each as it stands there. Raises ValueError when it is no object."""
    _require_whole(text)
    place = _skip_space(text, 0)
    if text[place] != "{":
        raise ValueError("no JSON object")
    return {name: text[begin : _end(text, begin)] for name, begin in _members(text, place).items()}


def _require_whole(text: str) -> None:
    """From its first to its last character. Of what is too deep for Python's reader only that its brackets close."""
    try:
        _DECODER.decode(text)
    except RecursionError:
        if text[_end(text, _skip_space(text, 0)) :].strip():
            raise ValueError("something follows the document") from None


def _place(text: str, path: tuple[str, ...]) -> int | None:
    """Where the value at the path begins."""
    place = _skip_space(text, 0)
    for name in path:
        members = _members(text, place) if text[place] == "{" else {}
        if name not in members:
            return None
        place = members[name]
    return place


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
    try:
        return _DECODER.raw_decode(text, place)[1]
    except RecursionError:
        depth = 0
        for part in _BRACKET.finditer(text, place):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(part[0], 0)
            if not depth:
                return part.end()
        raise ValueError("cut off") from None


def _next(text: str, place: int) -> int:
    """The place of what follows a value: the next name or element, or the end of what they stand in."""
    place = _skip_space(text, place)
    return _skip_space(text, place + 1) if text[place] == "," else place


def _skip_space(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _TOO_LONG else digits


_DECODER = json.JSONDecoder(parse_float=str, parse_int=str)
