"""What every way out to a source keeps to: its rates, its circuit breaker, trying again, and counting each attempt."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict, TypeVar

import tenacity

from onefold.catalog.system import System
from onefold.errors import OnefoldError, Retriable
from onefold.foreign_text import shown_name
from onefold.http.attempt import Attempt
from onefold.http.breaker import BREAKERS, OpenedState, SyncCircuitBreakerFactory, watched
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again, NotSent, QuotaExhausted, Unanswered, Unauthorized, circuit_open, in_brackets
from onefold.http.limit import Limit, Limiter, MemoryLimiter, kept, rate
from onefold.http.quota import Left

T = TypeVar("T")
log = logging.getLogger(__name__)

LONGEST_PAUSE = 60.0
"""Seconds that are waited for whatever the limits: our own pauses between questions are shorter."""
IN_PROCESS_LIMITER = MemoryLimiter()


@dataclass(slots=True)
class Outcome:
    """What one attempt came to. `milliseconds` is filled in at its end where nobody knows better."""

    status: int | str | None = None
    bytes: int = 0
    milliseconds: int | None = None
    used: int | None = None
    limit: int | None = None


class AttemptSettings(TypedDict, total=False):
    """How attempts are made. `limiter` is shared by all who talk to the system, by default within this process only;
    `stream` is named in messages and counts; `sleep` takes seconds."""

    limiter: Limiter
    stream: str
    breakers: SyncCircuitBreakerFactory
    sleep: Callable[[float], None]


class Persistent:
    """One stream's way out to one place of a system, which has a circuit of its own. Threads may share it.

    Every attempt is handed to `on_attempt`, the failed ones too. `limiter` is shared by all who talk to the system; by
    default it is shared within this process only.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        place: str,
        on_attempt: Callable[[Attempt], None],
        *,
        limiter: Limiter = IN_PROCESS_LIMITER,
        stream: str = "",
        breakers: SyncCircuitBreakerFactory = BREAKERS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.system = system
        self.stream = stream
        self.timeout = system.limits.timeout.total_seconds()
        self.sleep = sleep
        self._circuit = f"{system.system} at {place}"
        self._rates = _rates(system, endpoint)
        self._on_attempt = on_attempt
        self._limiter = limiter
        self._breakers = breakers
        self.longest = self.timeout * system.limits.attempts
        self._last_failure: Again | None = None

    def named(self, method: str, path: str) -> str:
        """What an attempt is called in messages."""
        stream = f".{self.stream}" if self.stream else ""
        return f"{self.system.system}{stream}: {method} {path}"

    def persist(self, named: str, once: Callable[[], T]) -> T:
        """What `once` gives, which is called again while it raises Again.

        Raises Retriable when that goes on for too long, or at once while the circuit is open.
        """
        backoff = tenacity.wait_random_exponential(multiplier=1, max=self.timeout)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, Again) else None
            return backoff(state) if asked is None else asked

        def tell(state: tenacity.RetryCallState) -> None:
            failure = state.outcome.exception() if state.outcome else "failed"
            tried = f"attempt {state.attempt_number} of {self.system.limits.attempts}"
            log.warning("%s: %s; %s, the next in %.1f s", named, failure, tried, state.upcoming_sleep)

        retrying = tenacity.Retrying(
            sleep=self.sleep,
            stop=tenacity.stop_after_attempt(self.system.limits.attempts) | tenacity.stop_before_delay(self.longest),
            wait=wait,
            retry=tenacity.retry_if_exception_type(Again),
            before_sleep=tell,
            reraise=True,
        )
        try:
            return retrying(once)
        except Again as error:
            raise error.in_the_end(named, retrying.statistics["attempt_number"], self.system.connection) from error
        except OpenedState as error:
            raise self._open_circuit(named) from error

    def once(self, named: str, attempt: Callable[[], T]) -> T:
        """What `attempt` gives, which is called once because it may change something at the other side.

        Raises NotSent when it surely changed nothing and may be tried again, Unanswered when nobody knows; what else
        `attempt` raises is the other side's refusal.
        """
        try:
            return attempt()
        except Again as error:
            failed = f"{named}: {error.what}{in_brackets(error.answer)}"
            if error.begun:
                raise Unanswered(f"{failed}. Nobody knows whether it was carried out") from error
            raise NotSent(f"{failed}. It was not carried out") from error
        except OpenedState as error:
            raise NotSent(str(self._open_circuit(named))) from error
        except QuotaExhausted as error:
            raise NotSent(str(error)) from error

    def _open_circuit(self, named: str) -> Retriable:
        return circuit_open(named, self.system.system, self._last_failure, self._breakers.default_ttl)

    def pause(self, seconds: float) -> None:
        """Sleep so long. Raises Retriable instead where that is no time to stay for."""
        most = max(self.longest, LONGEST_PAUSE)
        if not 0 <= seconds <= most:
            raise Retriable(
                f"{self.system.system}.{self.stream}: the system asks to come back in {seconds:.0f} s, which is more "
                f"than the {most:.0f} s that are waited for (limits.timeout times limits.attempts). Run it then; "
                "nothing was changed here."
            )
        self.sleep(seconds)

    def hold_back(self, left: Left) -> None:
        """Send nothing more, nor any other process, until the system's quota begins anew, as it has told."""
        log.warning(
            "%s.%s: its header %s says that our quota is used up: nothing is sent for %.0f s",
            *(self.system.system, self.stream, shown_name(left.header), left.seconds),
        )
        self._limiter.hold(self.system.system, left.seconds)

    @contextmanager
    def attempt(self, method: str, path: str) -> Iterator[Outcome]:
        """One attempt, begun when the rates let it and the circuit is closed; what it came to is counted at its end."""
        with watched(self._breakers, self._circuit):
            self._wait_for_turn(method, path)
            with self._counted(method, path) as outcome:
                yield outcome

    def _wait_for_turn(self, method: str, path: str) -> None:
        for place, limits in self._rates.items():
            of_method, _, of_path = place.partition(" ")
            if of_path and not (method == of_method and path.endswith(of_path)):
                continue
            wait = self._limiter.reserve(f"{self.system.system} {place}".rstrip(), limits, self.longest)
            if wait is None:
                raise QuotaExhausted(
                    f"{self.named(method, path)} was not sent: the rate limit of {self.system.system} "
                    f"({', '.join(limit.text for limit in limits)}, or the quota that its answers tell of) is used up "
                    f"for more than {self.longest:.0f} s. Run it later, or raise limits.rate in the system's YAML if "
                    "the system allows more."
                )
            if wait > 0:
                self.sleep(wait)

    @contextmanager
    def _counted(self, method: str, path: str) -> Iterator[Outcome]:
        at, started = datetime.now(UTC), time.monotonic()
        outcome = Outcome()
        error: str | None = None
        try:
            yield outcome
        except Again as failure:
            error = failure.what
            self._last_failure = failure
            raise
        except (OnefoldError, Unauthorized) as failure:
            error = type(failure).__name__
            raise
        finally:
            took = outcome.milliseconds
            self._on_attempt(
                Attempt(
                    system=self.system.system,
                    stream=self.stream,
                    method=method,
                    path=path,
                    status=outcome.status,
                    error=error,
                    bytes=outcome.bytes,
                    milliseconds=round((time.monotonic() - started) * 1000) if took is None else took,
                    at=at,
                    used=outcome.used,
                    limit=outcome.limit,
                )
            )


def _rates(system: System, endpoint: Endpoint) -> dict[str, list[Limit]]:
    """The rates to keep, by the requests that they hold for ("POST /exports"; "" for all)."""
    own = (endpoint.extra or {}).get("rate")
    places = {"": system.limits.rate, **system.limits.per_endpoint}
    return {place: [rate(text) for text in kept(texts, own)] for place, texts in places.items()}
