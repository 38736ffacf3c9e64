"""Values in OData's JSON and URLs, by version (OData v2: "JSON Format", "URI Conventions" 2.1; v4.01: "JSON Format"
7.1, "URL Conventions" 5.1.1). v2 writes decimals as text and times as `/Date(milliseconds)/`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import quote

from onefold.connectors.outbound.contract import Kind, Value
from onefold.connectors.outbound.json_values import from_json as from_plain_json
from onefold.connectors.outbound.json_values import in_json as in_plain_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS = re.compile(r"/Date\((-?\d{1,17})(?:[+-]\d{1,4})?\)/")
_MILLISECOND = timedelta(milliseconds=1)


def in_json(value: Value, version: int) -> object:
    """The value in a body. Raises ValueError for a time that v2 cannot hold to its last digit."""
    if version == 4:
        return in_plain_json(value)
    if isinstance(value, datetime):
        return f"/Date({_ticks(value)}+0000)/"
    if isinstance(value, date):
        return f"/Date({_ticks(datetime(value.year, value.month, value.day, tzinfo=UTC))})/"
    return f"{value:f}" if isinstance(value, Decimal) else value


def _ticks(at: datetime) -> int:
    ticks, rest = divmod(at - _EPOCH, _MILLISECOND)
    if rest:
        raise ValueError("a time with more than milliseconds")
    return ticks


def from_json(value: object, kind: Kind) -> Value:
    """The value of a body as its kind; as text where it is of no such kind."""
    ticks = _TICKS.fullmatch(value) if kind in ("date", "timestamp") and isinstance(value, str) else None
    if ticks is None:
        return from_plain_json(value, kind)
    try:
        at = _EPOCH + int(ticks[1]) * _MILLISECOND
    except OverflowError:
        return str(value)
    return at if kind == "timestamp" else at.date()


def literal(value: Value, kind: Kind, version: int) -> str:
    """The value in a filter or a key."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return f"datetimeoffset'{text}'" if version == 2 else text
    if isinstance(value, date):
        return f"datetime'{value.isoformat()}T00:00:00'" if version == 2 else value.isoformat()
    if isinstance(value, int | Decimal) or kind == "number":
        number = Decimal(value)
        return f"{number:f}" + ("M" if version == 2 and number != number.to_integral_value() else "")
    if kind == "uuid":
        return f"guid'{value}'" if version == 2 else value
    return "'" + value.replace("'", "''") + "'"


def in_path(text: str) -> str:
    """A literal as a part of an address."""
    return quote(text, safe="'()")
