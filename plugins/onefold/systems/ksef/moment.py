"""How KSeF writes moments: with a zone or, without one, in Warsaw's; with up to seven fractional digits."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

WARSAW = ZoneInfo("Europe/Warsaw")


def moment(text: str) -> datetime:
    """The moment, to the microsecond: a seventh digit is cut off. Raises ValueError when it is none."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=WARSAW)


def zoned(text: str) -> str:
    """The same text with its zone's offset; as it was when it is no moment."""
    try:
        offset = moment(text).isoformat()[-6:]
    except ValueError:
        return text
    return text if datetime.fromisoformat(text).tzinfo else text + offset
