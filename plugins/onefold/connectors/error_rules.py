"""Errors that come with status 200: what the system's YAML says of how its answers tell."""

from __future__ import annotations

from collections.abc import Container, Sequence

import msgspec

from onefold.catalog.answer import ErrorRule, Scalars
from onefold.connectors.json_shape import Path, at, shape
from onefold.connectors.lenient_json import lenient_value
from onefold.connectors.records import dotted
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.attempt import BadBody

_MISSING = object()


class ErrorRules:
    """Judges answers. `named` is how messages call the stream; `known` are words that no record can have put into an
    answer."""

    def __init__(self, named: str, rules: Sequence[ErrorRule], known: Container[str]) -> None:
        self._named = named
        self._known = known
        self._rules = [(rule, _Value(dotted(rule.path)), _Value(dotted(rule.message or ""))) for rule in rules]

    def say_nothing(self, body: bytes) -> bool:
        """Whether the answer says that there is nothing. Raises Fatal when it says that it failed, BadBody when another
        try may help."""
        for rule, value, message in self._rules:
            found = value(body)
            if not _applies(rule, found):
                continue
            if rule.then == "nothing":
                return True
            text = message(body) if rule.message else None
            words = described(text, self._known) if isinstance(text, str) else ""
            said = f"says by its {rule.path} that it failed" + (f" ({words})" if words else "")
            if rule.then == "retry":
                raise BadBody(f"an answer that {said}")
            raise Fatal(
                f"{self._named}: the system's answer {said}, as errors.in_answer in its YAML has it. Nothing was "
                "published. Ask the system's owner, or compare request with the system's interface."
            )
        return False


class _Value:
    """Takes the value at a path out of a body without reading the rest of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoder = msgspec.json.Decoder(shape([(path, msgspec.Raw, False)])) if path else None

    def __call__(self, body: bytes) -> object:
        """_MISSING where there is none."""
        if self._decoder is None:
            return _MISSING
        try:
            raw = at(self._decoder.decode(body), self._path)
            return _MISSING if raw is None else msgspec.json.decode(raw)
        except msgspec.ValidationError:
            return _MISSING
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            pass  # some record is odd: that one is found out later
        try:
            found = lenient_value(body.decode(), self._path)
        except ValueError:
            return _MISSING
        return _MISSING if found is None else found


def _applies(rule: ErrorRule, found: object) -> bool:
    if found is _MISSING:
        return False
    if rule.equals is not None:
        return _text(found) in _texts(rule.equals)
    if rule.unless is not None:
        return _text(found) not in _texts(rule.unless)
    return bool(found) and found != "0"


def _texts(values: Scalars) -> set[str | None]:
    return {_text(each) for each in (values if isinstance(values, list) else [values])}


def _text(value: object) -> str | None:
    """0 and "0", false and "false" are alike: what is a number to one answer is a text to another."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, str | int | float) else None
