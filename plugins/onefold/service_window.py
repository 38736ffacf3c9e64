"""The hours in which something may work: '22:00-05:00 Europe/Warsaw'."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from onefold.errors import Fatal, Retriable

_FORM = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)(?: (\S+))?")


class Closed(Retriable):
    """The service window is closed until `opens`, in UTC."""

    def __init__(self, hours: str, opens: datetime) -> None:
        super().__init__(f"The service window {hours} is closed. It goes on at {opens:%FT%TZ}.")
        self.opens = opens


@dataclass(frozen=True, slots=True)
class ServiceWindow:
    """From `opens` (inside) to `closes` (outside) each day in a time zone; over midnight where it closes earlier."""

    opens: time
    closes: time
    zone: ZoneInfo

    def seconds_until_open(self, now: datetime) -> float:
        """0 while it is open; else how long it takes until it opens. `now` has a zone."""
        local = now.astimezone(self.zone)
        at = local.time()
        inside = self.opens <= at < self.closes if self.opens < self.closes else at >= self.opens or at < self.closes
        if inside:
            return 0.0
        opening = datetime.combine(local.date(), self.opens, self.zone)
        if opening <= local:
            opening = datetime.combine(local.date() + timedelta(days=1), self.opens, self.zone)
        return opening.timestamp() - now.timestamp()


def service_window(text: str) -> ServiceWindow:
    """Read '22:00-05:00 Europe/Warsaw'; without a zone it is UTC. Raises Fatal when it cannot be read."""
    found = _FORM.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        opens, closes = time.fromisoformat(found[1]), time.fromisoformat(found[2])
        zone = ZoneInfo(found[3] or "UTC")
    except (ValueError, OSError, ZoneInfoNotFoundError):  # OSError: "Europe" is a folder of zones
        raise Fatal(
            f"{text!r} is no service window. Write it like '22:00-05:00 Europe/Warsaw'. Nothing was changed."
        ) from None
    if opens == closes:
        raise Fatal(f"The service window {text!r} opens when it closes, so it is never open. Nothing was changed.")
    return ServiceWindow(opens, closes, zone)


def within(hours: str | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Callable[[], None]:
    """What raises Closed when it is called outside these hours; None: they never end. `now` is the clock."""
    window = service_window(hours) if hours else None

    def may_go_on() -> None:
        at = now()
        if window and (seconds := window.seconds_until_open(at)):
            raise Closed(str(hours), at + timedelta(seconds=seconds))

    return may_go_on
