"""Cursor values in one canonical text per kind, so that the order of bytes is the order of the source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

Kind = Literal["timestamp", "date_and_time", "integer", "unix_seconds", "unix_milliseconds"]
Scalar = str | int | float | bool | None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS = re.compile(r"/Date\((-?\d+)(?:[+-]\d{1,4})?\)/")
_DURATION = re.compile(r"PT(?:(\d{1,2})H)?(?:(\d{1,2})M)?(?:(\d{1,2})(?:\.\d+)?S)?")
_MILLISECONDS_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|\+00:?00)", re.ASCII)
"""The commonest form by far; reading and writing it anew takes five times as long as moving its zone."""
_CLOCK = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?")


def canonical(kind: Kind, values: Sequence[Scalar]) -> str | None:
    """The cursor's canonical text; None when the values cannot be read, which the gate then sees.

    Timestamps become UTC `YYYY-MM-DDTHH:MM:SS.ffffffZ` (a seventh fractional digit is cut off; without a zone they
    are UTC), and so do counts of seconds or milliseconds since 1970; integers become 20 digits, zero padded.
    """
    try:
        match kind:
            case "timestamp" if type(values[0]) is str and _MILLISECONDS_UTC.fullmatch(values[0]):
                datetime.fromisoformat(values[0])  # the form is right; is it also a day that exists?
                return f"{values[0][:23]}000Z"
            case "integer":
                return _integer(values[0])
            case "timestamp":
                return cursor_text(_instant(values[0]))
            case "date_and_time":
                return cursor_text(_instant(values[0]) + _time_of_day(values[1]))
            case "unix_seconds":
                return cursor_text(_EPOCH + timedelta(seconds=int(_integer(values[0]))))
            case "unix_milliseconds":
                return cursor_text(_EPOCH + timedelta(milliseconds=int(_integer(values[0]))))
    except (ValueError, OverflowError):
        return None


def cursor_text(at: datetime) -> str:
    """An instant as the canonical text of a cursor, of any kind but integer."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant(text: str) -> datetime:
    """Read an ISO 8601 timestamp, or OData v2's /Date(ms)/ whose offset in minutes is for display only.

    Source of the latter: OData v2, "JSON Format", section 4 (ticks are UTC). Raises ValueError.
    """
    ticks = _TICKS.fullmatch(text)
    if ticks:
        return _EPOCH + timedelta(milliseconds=int(ticks[1]))
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _instant(value: Scalar) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a timestamp")  # noqa: TRY004 - the caller asks whether it can be read, not its type
    return instant(value)


def _time_of_day(value: Scalar) -> timedelta:
    found = isinstance(value, str) and value != "PT" and (_DURATION.fullmatch(value) or _CLOCK.fullmatch(value))
    if not found:
        raise ValueError("not a time of day")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError("not a time of day")
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def _integer(value: Scalar) -> str:
    if isinstance(value, (bool, float)) or value is None or not str(value).isdecimal() or len(str(value)) > 20:
        raise ValueError("not an integer of 20 digits at most, zero or more")
    return f"{int(value):020d}"
