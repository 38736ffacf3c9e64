"""A system's rate limits, kept together by every process that talks to it.

Each rate is a GCRA (ITU-T I.371): one number per rate, the theoretical arrival time, so a request costs one small
row whatever the limit. (pyrate-limiter's PostgreSQL bucket keeps a row per request and counts them all under a
table lock that refuses instead of queueing: slow for hourly and daily limits, and unfair between tasks.)

A quota of a calendar day (100/day@Europe/Warsaw) is kept in one number as well: how far into the day its requests
would reach if they were spread evenly over it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from typing import ClassVar, Protocol
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from onefold.errors import Retriable
from onefold.settings import current_login

TOLD = "told"
"""Until when a source has said that our quota is used up; no rate has this name."""
_SECONDS = {"s": 1, "min": 60, "h": 3600, "day": 86400}
_HELD = 25 * 3600  # no rate looks back further: the longest day
# What may be spent at once. The rest is paced so that no span of the rate's length ever holds more than its count.
_BURST = {"s": 0.0, "min": 0.1, "h": 0.1, "day": 0.5}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` requests in any span of `seconds`; `burst` of them may come at once."""

    text: str
    count: int
    seconds: int
    burst: int

    @property
    def spacing(self) -> float:
        """Seconds between two requests once the burst is spent."""
        return self.seconds / (self.count - self.burst + 1)

    def earliest(self, reached: float, now: float) -> float:
        """When the next request may go, with so much reserved."""
        return max(now, reached - (self.burst - 1) * self.spacing)

    def after(self, reached: float, at: float) -> float:
        """What is reserved once a request goes then."""
        return max(reached, at) + self.spacing


@dataclass(frozen=True, slots=True)
class DailyQuota:
    """At most `count` requests on one calendar day of a time zone, all at once if need be; midnight begins anew."""

    seconds: ClassVar[int] = _SECONDS["day"]

    text: str
    count: int
    zone: ZoneInfo

    def earliest(self, reached: float, now: float) -> float:
        """Now, or the midnight that begins the first day with a request left."""
        return max(now, self._day(max(reached, now))[0])

    def after(self, reached: float, at: float) -> float:
        """One more of that day's requests is used; the last one reaches to its midnight."""
        begins, ends = self._day(max(reached, at))
        used = 1 + (round((reached - begins) / (ends - begins) * self.count) if reached > begins else 0)
        return ends if used >= self.count else begins + (ends - begins) * used / self.count

    def _day(self, moment: float) -> tuple[float, float]:
        """The midnights before and after; a day may have 23 or 25 hours."""
        day = datetime.fromtimestamp(moment, UTC).astimezone(self.zone).date()
        begins, ends = (datetime.combine(each, time_of_day(), self.zone) for each in (day, day + timedelta(days=1)))
        return begins.timestamp(), ends.timestamp()


Limit = Rate | DailyQuota


def rate(text: str) -> Limit:
    """Read '120/min' or '100/day@Europe/Warsaw'. The catalogue has checked its form (s, min, h, day) and the zone."""
    count, unit = text.split("/", 1)
    unit, _, zone = unit.partition("@")
    if zone:
        return DailyQuota(text, int(count), ZoneInfo(zone))
    return Rate(text, int(count), _SECONDS[unit], max(1, int(int(count) * _BURST[unit])))


def kept(rates: Sequence[str], own: str | None) -> list[str]:
    """A system's rates, with an own one ('5/s'; several with commas) in place of those of its kind.

    There are two kinds: the quotas of a day and the shorter rates, so 5/s never lifts a quota, and 200/day only that.
    """
    if not own:
        return list(rates)
    instead = [text.strip() for text in own.split(",")]
    kinds = {_daily(text) for text in instead}
    return [*instead, *(text for text in rates if _daily(text) not in kinds)]


def _daily(text: str) -> bool:
    return rate(text).seconds == _SECONDS["day"]


def seconds_of(requests: int, rates: Sequence[str]) -> float | None:
    """How long so many requests take at the slowest of the rates; None where there is none.

    A quota of a calendar day may be spent at once, and slows nothing down.
    """
    limits = [each for each in map(rate, rates) if isinstance(each, Rate)]
    return round(requests * max(each.seconds / each.count for each in limits), 1) if limits else None


def reserve(arrivals: Mapping[str, float], rates: Sequence[Limit], now: float) -> tuple[float, dict[str, float]]:
    """Seconds until the next request may go, and the arrival times after it. Times are seconds of one clock.

    Others may keep other rates of the same system: their arrival times stay for as long as any rate looks back.
    """
    at = max([now, arrivals.get(TOLD, 0.0), *(each.earliest(arrivals.get(each.text, 0.0), now) for each in rates)])
    held = {text: reached for text, reached in arrivals.items() if reached > now - _HELD}
    return at - now, held | {each.text: each.after(arrivals.get(each.text, 0.0), at) for each in rates}


class Limiter(Protocol):
    """Reserves the next request's place and gives the seconds until then; None, and no place, if over `longest`. `hold`
    keeps all requests back for so many seconds from now: the source has said that our quota is used up."""

    def reserve(self, system: str, rates: Sequence[Limit], longest: float) -> float | None: ...

    def hold(self, system: str, seconds: float) -> None: ...


class MemoryLimiter:
    """For one process: its arrival times are shared by the threads, not by other processes.

    `clock` gives the time of day in seconds since 1970: a quota of a calendar day needs it.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._arrivals: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def reserve(self, system: str, rates: Sequence[Limit], longest: float) -> float | None:
        with self._lock:
            wait, arrivals = reserve(self._arrivals.get(system, {}), rates, self._clock())
            if wait > longest:
                return None
            self._arrivals[system] = arrivals
            return wait

    def hold(self, system: str, seconds: float) -> None:
        with self._lock:
            held = self._arrivals.setdefault(system, {})
            held[TOLD] = max(held.get(TOLD, 0.0), self._clock() + seconds)


@dataclass(eq=False, slots=True)
class _Asked:
    """What one thread asks for, and the seconds that it is given once `settled`."""

    system: str
    rates: Sequence[Limit]
    longest: float
    wait: float | None = None
    settled: bool = False


class WarehouseLimiter:
    """For every process on every machine: the arrival times are in ops.rate_limit, on the warehouse's clock.

    Threads that come while another one is at the warehouse are reserved for together, by the first of them that gets
    there: one transaction for each request would be what a fast source waits for.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._lock = threading.Lock()
        self._waiting: deque[_Asked] = deque()

    def reserve(self, system: str, rates: Sequence[Limit], longest: float) -> float | None:
        asked = _Asked(system, rates, longest)
        self._waiting.append(asked)
        with self._lock:
            if not asked.settled:
                try:
                    self._reserve([asked, *self._others(asked)])
                except psycopg.OperationalError as error:
                    self.close()  # while it is this thread's turn: the next one's connection is none of its business
                    raise Retriable(
                        f"{system}: the rate limit in the warehouse (ops.rate_limit) could not be read: "
                        f"{type(error).__name__}. Check that the warehouse is up (bin/onefold status)."
                    ) from error
        return asked.wait

    def hold(self, system: str, seconds: float) -> None:
        with self._lock:
            try:
                self._connected().execute(
                    "INSERT INTO ops.rate_limit AS held VALUES (%(system)s, jsonb_build_object(%(told)s::text,"
                    " extract(epoch FROM clock_timestamp())::float8 + %(seconds)s::float8))"
                    " ON CONFLICT (system) DO UPDATE SET arrivals = held.arrivals || jsonb_build_object(%(told)s::text,"
                    " greatest((held.arrivals ->> %(told)s)::float8, (excluded.arrivals ->> %(told)s)::float8))",
                    {"system": system, "told": TOLD, "seconds": seconds},
                )
            except psycopg.OperationalError:
                self.close()  # the next request meets the same, and says so

    def _others(self, first: _Asked) -> list[_Asked]:
        """Those that wait to ask about the same system. Where their turn here fails, each asks by itself in its own."""
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        others = [each for each in waiting if each.system == first.system and each is not first]
        self._waiting.extend(each for each in waiting if each.system != first.system)
        return others

    def _reserve(self, together: Sequence[_Asked]) -> None:
        connection = self._connected()
        system = together[0].system
        with connection.transaction():
            # The update that changes nothing takes the row's lock; the clock is read once it is held.
            found = connection.execute(
                "INSERT INTO ops.rate_limit AS held VALUES (%s, '{}') "
                "ON CONFLICT (system) DO UPDATE SET system = held.system "
                "RETURNING arrivals, extract(epoch FROM clock_timestamp())::float8",
                (system,),
            ).fetchone()
            if found is None:
                raise Retriable(f"{system}: ops.rate_limit gave no row. Try again.")
            arrivals, now = found
            for each in together:
                each.wait, after = reserve(arrivals, each.rates, now)
                if each.wait <= each.longest:
                    arrivals = after
                else:
                    each.wait = None
            connection.execute("UPDATE ops.rate_limit SET arrivals = %s WHERE system = %s", (Jsonb(arrivals), system))
        for each in together:  # once it is committed
            each.settled = True

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            # a place lost in a crash of the server does no harm; waiting for its disk would cost ten times as much
            self._connection = psycopg.connect(
                current_login(self._url),
                autocommit=True,
                application_name="onefold rate limit",
                options="-c synchronous_commit=off",
            )
        return self._connection

    def close(self) -> None:
        """Give the warehouse connection back; the next reserve opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
