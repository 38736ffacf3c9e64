"""Values in OData's JSON and URLs, by version (OData v2: "JSON Format", "URI Conventions" 2.1; v4.01: "JSON Format"
7.1, "URL Conventions" 5.1.1). v2 writes decimals as text and times as `/Date(milliseconds)/`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from urllib.parse import quote

from onefold.connectors.outbound.contract import Kind, Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS = re.compile(r"/Date\((-?\d{1,17})(?:[+-]\d{1,4})?\)/")
_MILLISECOND = timedelta(milliseconds=1)


def in_json(value: Value, version: int) -> object:
    """The value in a body. Raises ValueError for a time that v2 cannot hold to its last digit."""
    if isinstance(value, datetime):
        if version == 2:
            return f"/Date({_ticks(value)}+0000)/"
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        if version == 2:
            return f"/Date({_ticks(datetime(value.year, value.month, value.day, tzinfo=UTC))})/"
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) and version == 2 else value


def _ticks(at: datetime) -> int:
    ticks, rest = divmod(at - _EPOCH, _MILLISECOND)
    if rest:
        raise ValueError("a time with more than milliseconds")
    return ticks


def from_json(value: object, kind: Kind) -> Value:
    """The value of a body as its kind; as text where it is of no such kind."""
    if value is None or isinstance(value, bool):
        return value
    if kind == "number":
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return str(value)
    if kind in ("date", "timestamp") and isinstance(value, str) and (at := _time(value)):
        return at if kind == "timestamp" else at.date()
    return str(value)


def _time(text: str) -> datetime | None:
    if ticks := _TICKS.fullmatch(text):
        try:
            return _EPOCH + int(ticks[1]) * _MILLISECOND
        except OverflowError:
            return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


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
