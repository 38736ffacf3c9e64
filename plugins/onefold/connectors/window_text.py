"""How a window's ends and a stream's fields are written into a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from onefold.catalog.stream import Stream
from onefold.connectors.window import BEGINNING, Window

_SECOND, _MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)


def placeholders(window: Window, stream: Stream) -> dict[str, str]:
    """What stands for {start}, {end}, {first_day}, {last_day}, {fields} and {paths}: ISO texts in UTC (the days are the
    first and the last that the window touches), the names of the record's top level, and the fields' whole paths.
    {start_unix}, {end_unix}, {start_unix_ms} and {end_unix_ms} are the ends in seconds and milliseconds since 1970."""
    return {
        "{start}": floor_text(window.start),
        "{end}": ceiling_text(window.end),
        "{first_day}": f"{window.start.astimezone(UTC):%F}",
        "{last_day}": f"{window.end.astimezone(UTC) - timedelta(microseconds=1):%F}",
        "{start_unix}": _floor(window.start, _SECOND),
        "{end_unix}": _ceiling(window.end, _SECOND),
        "{start_unix_ms}": _floor(window.start, _MILLISECOND),
        "{end_unix_ms}": _ceiling(window.end, _MILLISECOND),
        "{fields}": ",".join(top_level(stream)),
        "{paths}": ",".join(dict.fromkeys(field.path or name for name, field in stream.fields.items())),
    }


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders replaced; any other brace stays (a body may be JSON)."""
    for name, value in values.items():
        template = template.replace(name, value)
    return template


def floor_text(at: datetime) -> str:
    """To the millisecond, or to the second where that is exact: sources refuse or ignore more digits."""
    at = at.astimezone(UTC)
    precision = "milliseconds" if at.microsecond else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def ceiling_text(at: datetime) -> str:
    """As floor_text, rounded up, so that no record just below a window's end is left out."""
    return floor_text(at + timedelta(microseconds=-at.microsecond % 1000))


def _floor(at: datetime, unit: timedelta) -> str:
    """Whole units since 1970."""
    return str((at - BEGINNING) // unit)


def _ceiling(at: datetime, unit: timedelta) -> str:
    return str(-((BEGINNING - at) // unit))


def top_level(stream: Stream) -> list[str]:
    """The names of the record's top level that the declared fields need, in their order, each once."""
    paths = ((field.path or name) for name, field in stream.fields.items())
    return list(dict.fromkeys(re.split(r"[.\[]", path.removeprefix("$").lstrip("."))[0] for path in paths))
