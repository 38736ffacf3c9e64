"""Bodies of requests: JSON whose values keep their types, a text as it is, or a form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec
from pydantic import JsonValue

from onefold.catalog.request import Request
from onefold.connectors.window_text import filled

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_ALONE = re.compile(r"\{(\w+)\}")
_NUMBERS = frozenset({"start_unix", "end_unix", "start_unix_ms", "end_unix_ms"})
"""Placeholders that stand for a number, where they stand alone."""


class Unlike(Exception):
    """A body is no JSON object, into which something could be put."""


class RequestBody:
    """The body of a stream's requests in one window: `values` are what its placeholders stand for."""

    def __init__(self, request: Request, values: Mapping[str, str]) -> None:
        self._form = {name: filled(text, values) for name, text in request.form.items()}
        self._text = filled(request.body, values) if isinstance(request.body, str) else None
        self._json = typed(request.body, values) if isinstance(request.body, dict) else None

    @property
    def content_type(self) -> str | None:
        """Of a text nothing is said: whoever writes one says in the headers what it is."""
        return FORM if self._form else JSON if self._json is not None else None

    @property
    def content(self) -> bytes | str | None:
        if self._form:
            return urlencode(self._form)
        return self._text if self._json is None else msgspec.json.encode(self._json)

    def having(self, more: Mapping[str, object]) -> bytes | str:
        """The body with these values at their dotted names; in a form, at their names. Raises Unlike."""
        if self._form:
            return urlencode(self._form | {name: _as_text(value) for name, value in more.items()})
        try:
            body = msgspec.json.decode(self.content or "{}")
            for name, value in more.items():
                *within, last = name.split(".")
                found = body
                for part in within:
                    found = found.setdefault(part, {})
                found[last] = value
        except (msgspec.DecodeError, AttributeError, TypeError) as error:
            raise Unlike from error
        return msgspec.json.encode(body)


def typed(value: JsonValue, values: Mapping[str, str]) -> JsonValue:
    """The value with its placeholders filled in; a text that is nothing but one for a number becomes that number."""
    match value:
        case str():
            alone = _ALONE.fullmatch(value)
            number = values.get(value) if alone and alone[1] in _NUMBERS else None
            return filled(value, values) if number is None else int(number)
        case list():
            return [typed(each, values) for each in value]
        case dict():
            return {name: typed(each, values) for name, each in value.items()}
        case _:
            return value


def with_raws(value: JsonValue, raws: Mapping[str, msgspec.Raw], texts: Mapping[str, str]) -> object:
    """As `typed`, for values that are JSON: a text that is nothing but a placeholder gets the value with its type."""
    match value:
        case str():
            alone = _ALONE.fullmatch(value)
            if alone and alone[1] in raws:
                return raws[alone[1]]
            return re.sub(_ALONE, lambda found: texts.get(found[1], found[0]), value)
        case list():
            return [with_raws(each, raws, texts) for each in value]
        case dict():
            return {name: with_raws(each, raws, texts) for name, each in value.items()}
        case _:
            return value


def _as_text(value: object) -> str:
    if isinstance(value, msgspec.Raw):
        decoded = msgspec.json.decode(value)
        return decoded if isinstance(decoded, str) else bytes(value).decode()
    return str(value)
