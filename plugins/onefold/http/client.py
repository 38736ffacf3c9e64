"""The one way out: every request to a source system goes through a Client."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

import tenacity
from authlib.oauth2.rfc6749 import OAuth2Token
from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from onefold.catalog.system import System
from onefold.connectors.page import Endpoint
from onefold.errors import OnefoldError
from onefold.http.attempt import Attempt, BadBody, Later, Response, quota
from onefold.http.auth import Credentials, token_of
from onefold.http.breaker import BREAKERS, watched
from onefold.http.failure import Again, Refused, Spent, Unauthorized, circuit_open, gave_up, refusal, retry_after
from onefold.http.limit import Limit, Limiter, MemoryLimiter, rate
from onefold.http.scrub import scrubbed
from onefold.http.wire import Wire

T = TypeVar("T")
log = logging.getLogger(__name__)
# urllib3 writes whole URLs at DEBUG, and a query may hold personal data.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

LATER = frozenset({408, 425, 429})

IN_PROCESS_LIMITER = MemoryLimiter()


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    accept: frozenset[int]
    authorised: bool
    shown: str | None = None

    @property
    def path(self) -> str:
        """As it may be written down."""
        return self.shown or urlsplit(self.url).path


class Client:
    """Sends requests to one system, to its own host only. Use it as a context manager: it keeps connections open.
    Threads may share it.

    Every attempt is handed to `on_attempt`, the failed ones and those for tokens too. `limiter` is shared by all
    who talk to the system; by default it is shared within this process only.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        limiter: Limiter = IN_PROCESS_LIMITER,
        *,
        stream: str = "",
        breakers: SyncCircuitBreakerFactory = BREAKERS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.system = system
        self.stream = stream
        self._wire = Wire(system.system, system.connection, endpoint.url)
        self._on_attempt = on_attempt
        self._limiter = limiter
        self._rates = _rates(system, endpoint)
        self._breakers = breakers
        self._sleep = sleep
        self._timeout = system.limits.timeout.total_seconds()
        self._longest = self._timeout * system.limits.attempts
        self._last_failure: Again | None = None
        self._credentials = Credentials(system, endpoint, self._post_form)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._wire.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        parse: Callable[[Response], T],
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        accept: frozenset[int] = frozenset(),
        shown: str | None = None,
    ) -> T:
        """Send a request and give what `parse` makes of the answer: a 2xx one, or one whose status is in `accept`.

        `path` lies below the connection's URL, or is an absolute URL of the same host. `parse` raises BadBody when
        the body is not whole and sound: then the request is tried again, as after 429, 5xx, a timeout or a broken
        connection. `shown` is written down in place of a path that holds personal data. Raises Retriable when the
        system stays down or says "later" for too long (Spent when we may ask no more for now), Fatal when it refuses.
        """
        data = body.encode() if isinstance(body, str) else body
        url = self._wire.url(path, params)
        request = _Request(method, url, headers or {}, data, accept, authorised=True, shown=shown)
        try:
            return self._persist(request, parse)
        except Unauthorized as error:
            if not self._credentials.renew(error.shown):
                raise self._refused(request, error) from error
        try:
            return self._persist(request, parse)
        except Unauthorized as error:
            raise self._refused(request, error) from error

    def fetch(self, url: str, *, parse: Callable[[Response], T], headers: Mapping[str, str] | None = None) -> T:
        """Get what the system has laid ready at an address that carries its own permission (a signed link).

        It may be on any https host: no credentials are sent there. Else as `send`.
        """
        address = url if url.startswith("https://") else self._wire.url(url)
        request = _Request("GET", address, headers or {}, None, frozenset(), authorised=False)
        try:
            return self._persist(request, parse)
        except Unauthorized as error:
            raise self._refused(request, error) from error

    def wait(self, seconds: float) -> None:
        """Pause before asking the system again about what it is still busy with."""
        self._sleep(seconds)

    def _post_form(self, path: str, form: str) -> OAuth2Token:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        # a token_url of the connection's own extra may be on another host: it is not the source that points there
        url = path if path.startswith("https://") else self._wire.url(path)
        request = _Request("POST", url, headers, form.encode(), frozenset(), authorised=False)
        try:
            return self._persist(request, token_of)
        except Unauthorized as error:
            raise self._refused(request, error) from error

    def _persist(self, request: _Request, parse: Callable[[Response], T]) -> T:
        backoff = tenacity.wait_random_exponential(multiplier=1, max=self._timeout)

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.retry_after if isinstance(error, Again) else None
            return backoff(state) if asked is None else asked

        def tell(state: tenacity.RetryCallState) -> None:
            log.warning(
                "%s: %s; attempt %d of %d, the next in %.1f s",
                self._named(request),
                state.outcome.exception() if state.outcome else "failed",
                state.attempt_number,
                self.system.limits.attempts,
                state.upcoming_sleep,
            )

        retrying = tenacity.Retrying(
            sleep=self._sleep,
            stop=tenacity.stop_after_attempt(self.system.limits.attempts) | tenacity.stop_before_delay(self._longest),
            wait=wait,
            retry=tenacity.retry_if_exception_type(Again),
            before_sleep=tell,
            reraise=True,
        )
        try:
            return retrying(self._once, request, parse)
        except Again as error:
            attempts = retrying.statistics["attempt_number"]
            raise gave_up(self._named(request), error, attempts, self.system.connection) from error
        except OpenedState as error:
            seconds = self._breakers.default_ttl
            raise circuit_open(self._named(request), self.system.system, self._last_failure, seconds) from error

    def _once(self, request: _Request, parse: Callable[[Response], T]) -> T:
        authorization = self._credentials.header() if request.authorised else None
        with watched(self._breakers, f"{self.system.system} at {self._wire.host}"):
            self._wait_for_turn(request)
            try:
                return self._measured(request, authorization, parse)
            except Unauthorized as error:
                error.shown = authorization
                raise

    def _wait_for_turn(self, request: _Request) -> None:
        for place, rates in self._rates.items():
            method, _, path = place.partition(" ")
            if path and not (request.method == method and request.path.endswith(path)):
                continue
            wait = self._limiter.reserve(f"{self.system.system} {place}".rstrip(), rates, self._longest)
            if wait is None:
                raise Spent(
                    f"{self._named(request)} was not sent: the rate limit of {self.system.system} "
                    f"({', '.join(r.text for r in rates)}) is used up for more than {self._longest:.0f} s. Run it "
                    "later, or raise limits.rate in the system's YAML if the system allows more."
                )
            if wait > 0:
                self._sleep(wait)

    def _measured(self, request: _Request, authorization: str | None, parse: Callable[[Response], T]) -> T:
        at, started = datetime.now(UTC), time.monotonic()
        response: Response | None = None
        error: str | None = None
        took = 0.0
        try:
            try:
                headers = {"User-Agent": "onefold", **request.headers}
                if authorization:
                    headers[self._credentials.name] = authorization
                response = self._wire.exchange(
                    request.method, request.url, headers, request.body, self._timeout, self._named(request)
                )
            finally:
                took = time.monotonic() - started
            with closing(response.file):
                return self._judged(request, response, parse)
        except Again as failure:
            error = failure.what
            self._last_failure = failure
            raise
        except (OnefoldError, Unauthorized) as failure:
            error = type(failure).__name__
            raise
        finally:
            used, limit = quota(self._quota_header(response))
            self._on_attempt(
                Attempt(
                    system=self.system.system,
                    stream=self.stream,
                    method=request.method,
                    path=request.path,
                    status=response.status if response else None,
                    error=error,
                    bytes=response.size if response else 0,
                    milliseconds=round(took * 1000),
                    at=at,
                    used=used,
                    limit=limit,
                )
            )

    def _quota_header(self, response: Response | None) -> str | None:
        name = self.system.usage_header
        return response.headers.get(name) if response and name else None

    def _judged(self, request: _Request, response: Response, parse: Callable[[Response], T]) -> T:
        status = response.status
        if 200 <= status < 300 or status in request.accept:
            try:
                return parse(response)
            except Later as error:
                raise Again(
                    f"status {status}: {error}", status=status, retry_after=error.seconds, told_to_wait=True
                ) from error
            except BadBody as error:
                raise Again(f"status {status} with an unsound body: {error}", status=status) from error
        body = response.body
        excerpt = scrubbed(body.decode(errors="replace"), self._credentials.secrets())
        if status == 401 or (status == 400 and not request.authorised):  # RFC 6749, 5.2: invalid_client may be 400
            raise Unauthorized(excerpt, status)
        if any(text.encode() in body for text in self.system.errors.spent):
            raise Spent(
                f'{self._named(request)} was refused with status {status}, saying "{excerpt}": our quota is used up '
                "there. Run it later; what it has answered is kept."
            )
        says_later = any(text.encode() in body for text in self.system.errors.retry)
        if status >= 500 or status in LATER or says_later:
            raise Again(
                f"status {status}",
                status=status,
                excerpt=excerpt,
                retry_after=retry_after(response.headers.get("Retry-After"), datetime.now(UTC)),
                told_to_wait=status == 429 or says_later,
            )
        raise refusal(self._named(request), status, excerpt, self.system.connection)

    def _refused(self, request: _Request, error: Unauthorized) -> Refused:
        return refusal(self._named(request), error.status, error.excerpt, self.system.connection, credentials=True)

    def _named(self, request: _Request) -> str:
        stream = f".{self.stream}" if self.stream else ""
        return f"{self.system.system}{stream}: {request.method} {request.path}"


def _rates(system: System, endpoint: Endpoint) -> dict[str, list[Limit]]:
    """The rates to keep, by the requests that they hold for ("POST /exports"; "" for all)."""
    override = (endpoint.extra or {}).get("rate")
    kept = {"": [override]} if override else {"": system.limits.rate, **system.limits.apart}
    return {place: [rate(text) for text in texts] for place, texts in kept.items()}
