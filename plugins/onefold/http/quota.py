"""What an answer's headers say of our quota: how many requests are left, and when there are more.

Source: draft-ietf-httpapi-ratelimit-headers (RateLimit-Remaining and RateLimit-Reset of its first versions, the one
field RateLimit of versions 3 to 7 and of those since 8), and the forms with X- that well-known APIs write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from onefold.catalog.limits import Quota

_REMAINING = re.compile(r"(x-)?rate-?limit-([a-z-]+-)?remaining(-[a-z-]+)?")
_PARAMETER = re.compile(r'(?:^|[;,\s])(limit|remaining|reset|r|t)\s*=\s*"?(-?[0-9]+(?:\.[0-9]+)?)')
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
_DURATION = re.compile(
    r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,9})?)s)?(?:(\d{1,9}(?:\.\d{1,9})?)ms)?"
)
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_SINCE_1970 = 1e9
"""A number as large is a time: of seconds, and from a thousand times as much on of milliseconds."""
LONGEST = 25 * 3600.0
"""Seconds; a quota of a day is the longest that is waited for."""


@dataclass(frozen=True, slots=True)
class Left:
    """So many requests are left until in so many seconds there are more; `header` is where it says so."""

    header: str
    requests: float
    seconds: float

    @property
    def used_up(self) -> bool:
        return self.requests < 1


def quota_left(headers: Mapping[str, str], quota: Quota, now: datetime) -> Left | None:
    """The quota that is used up for longest, else any that is told of; None where none is, or not when it ends."""
    if not quota.heed:
        return None
    found = list(_told({name.lower(): value for name, value in headers.items()}, quota, now))
    return max(found, key=lambda left: (left.used_up, left.seconds), default=None)


def _told(headers: Mapping[str, str], quota: Quota, now: datetime) -> Iterator[Left]:
    if quota.remaining:
        yield from _left(
            quota.remaining, headers.get(quota.remaining.lower()), headers.get((quota.reset or "").lower()), now
        )
    for name, value in headers.items():
        if name == "ratelimit":
            for policy in value.split(",") if ";" in value else [value]:
                said = dict(_PARAMETER.findall(policy))
                yield from _left(
                    "RateLimit", said.get("remaining", said.get("r")), said.get("reset", said.get("t")), now
                )
        elif _REMAINING.fullmatch(name):
            resets = (name.replace("remaining", word) for word in ("reset", "reset-after"))
            reset = next((headers[each] for each in resets if each in headers), None)
            yield from _left(name, value, reset, now)


def _left(header: str, remaining: str | None, reset: str | None, now: datetime) -> Iterator[Left]:
    requests = _number(remaining)
    seconds = seconds_until(reset, now)
    if requests is not None and seconds is not None and 0 < seconds <= LONGEST:
        yield Left(header, requests, seconds)


def seconds_until(text: str | None, now: datetime) -> float | None:
    """Seconds from now until a time that is written as seconds or milliseconds since 1970, an ISO or HTTP date, or as a
    number of seconds or a duration (1m30s) from now; None for anything else."""
    text = (text or "").strip()
    number = _number(text)
    if number is not None:
        if number < _SINCE_1970:
            return number
        return (number / 1000 if number >= _SINCE_1970 * 1000 else number) - now.timestamp()
    if text and (found := _DURATION.fullmatch(text)):
        return sum(float(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))
    try:
        until = parsedate_to_datetime(text) if text[:1].isalpha() else datetime.fromisoformat(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()


def _number(text: str | None) -> float | None:
    text = (text or "").strip()
    return float(text) if _NUMBER.fullmatch(text) else None
