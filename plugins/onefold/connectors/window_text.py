"""How a window's ends and a stream's fields are written into a request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from onefold.catalog.system import Stream
from onefold.connectors.page import Window


def placeholders(window: Window, stream: Stream) -> dict[str, str]:
    """What stands for {start}, {end} and {fields}: ISO texts in UTC, and the names of the record's top level."""
    return {
        "{start}": floor_text(window.start),
        "{end}": ceiling_text(window.end),
        "{fields}": ",".join(top_level(stream)),
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


def top_level(stream: Stream) -> list[str]:
    """The names of the record's top level that the declared fields need, in their order, each once."""
    paths = ((field.path or name) for name, field in stream.fields.items())
    return list(dict.fromkeys(path.removeprefix("$").lstrip(".").split(".")[0] for path in paths))
