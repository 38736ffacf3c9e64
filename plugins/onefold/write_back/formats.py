"""How a golden value is written for a target: the outward transforms. Each has an inward one that gives the value back
(tests/write_back/test_formats.py), so that the echo of what was written changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

from onefold.catalog.target import LINES, Format, TargetField
from onefold.connectors.outbound.contract import Kind, Value

_ADDRESS = re.compile(
    r"(?:(?P<street>.*?)\s+)?(?P<house>\d+ ?\w?(?:[/-]\w?\d+\w?)*?)(?:(?:/| m\. )(?P<flat>\w?\d+\w?))?", re.DOTALL
)
"""As the transform street joins them: 'Młynarska 42A/5', 'Krucza 16/22 m. 4', '12'."""


class Unwritable(ValueError):
    """The target cannot be given this value. Its text says why, and holds no value but single characters."""


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def _number(value: Value) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Unwritable("format number needs an attribute of type integer or numeric")
    return Decimal(value)


def _boolean(value: Value) -> bool:
    if not isinstance(value, bool):
        raise Unwritable("format boolean needs an attribute of type boolean")
    return value


def _date(value: Value) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise Unwritable("a format of dates needs an attribute of type date")
    return value


def _timestamp(value: Value) -> datetime:
    if not isinstance(value, datetime):
        raise Unwritable("format timestamp needs an attribute of type timestamptz")
    return value


def _nip(value: Value) -> str:
    number = _text(value)
    if not re.fullmatch(r"[0-9]{10}", number):
        raise Unwritable("no Polish tax number of ten digits")
    return number


def _nip_dashed(value: Value) -> str:
    number = _nip(value)
    return f"{number[:3]}-{number[3:6]}-{number[6:8]}-{number[8:]}"


def _phone_national(value: Value) -> str:
    """Polish numbers without +48; another country's as it is."""
    return _text(value).removeprefix("+48")


def _address_part(part: str) -> Callable[[Value], str | None]:
    def written(value: Value) -> str | None:
        text = _text(value)
        found = _ADDRESS.fullmatch(text)
        if found is None:  # another country's, or without a number: all of it is the street
            return text if part == "street" else None
        return found[part] or None

    return written


_FORMATS: dict[Format, tuple[Kind, Callable[[Value], Value]]] = {
    "text": ("text", _text),
    "number": ("number", _number),
    "boolean": ("boolean", _boolean),
    "date": ("date", _date),
    "date_text": ("text", lambda value: _date(value).isoformat()),
    "date_pl": ("text", lambda value: f"{_date(value):%d.%m.%Y}"),
    "timestamp": ("timestamp", _timestamp),
    "decimal_comma": ("text", lambda value: f"{_number(value):f}".replace(".", ",")),
    "nip_dashed": ("text", _nip_dashed),
    "nip_eu": ("text", lambda value: f"PL{_nip(value)}"),
    "phone_national": ("text", _phone_national),
    "street_name": ("text", _address_part("street")),
    "house_number": ("text", _address_part("house")),
    "flat_number": ("text", _address_part("flat")),
}


def _line(field: TargetField, text: str) -> str | None:
    """The text's first line, of as many characters as fit, or the rest. A word that is too long is not broken."""
    longest = field.length.max if field.length else len(text)
    at = text.rfind(" ", 0, longest + 1) if len(text) > longest else -1
    if at <= 0:
        return text if field.format == "first_line" else None
    return text[:at] if field.format == "first_line" else text[at + 1 :]


def kind_of(field: TargetField) -> Kind:
    """How the field's values are given to the connector."""
    if field.codes is not None:
        kinds = {kind_of_constant(code) for code in field.codes.values()}
        return kinds.pop() if len(kinds) == 1 else "text"
    if field.format in LINES:
        return "text"
    return _FORMATS[field.format][0]


def kind_of_constant(value: str | int | bool) -> Kind:
    """How a value of the catalogue's own is given to the connector."""
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int) else "text"


def formatted(field: TargetField, value: Value) -> Value:
    """The attribute's value as the target's field has it; None for none. Raises Unwritable."""
    if value is None:
        return None
    if field.format in LINES:
        return _line(field, _text(value))
    if field.codes is None:
        return _FORMATS[field.format][1](value)
    code = field.codes.get(_text(value))
    if code is None:
        raise Unwritable("codes has no word for the value; add it")
    return _text(code) if kind_of(field) == "text" else code
