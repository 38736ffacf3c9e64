"""The one way out: every request to a source system goes through a Client."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self, TypeVar, Unpack
from urllib.parse import urlsplit

from onefold.catalog.system import System
from onefold.errors import OnefoldError
from onefold.foreign_text import described, shown_path
from onefold.http.attempt import Attempt, BadBody, Later, Response, quota
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Again, QuotaExhausted, Refused, Unauthorized, refusal, retry_after
from onefold.http.known_words import known_words
from onefold.http.once import sent_once
from onefold.http.persistent import AttemptSettings, Outcome, Persistent
from onefold.http.quota import Left, quota_left
from onefold.http.sign_in.choice import sign_in
from onefold.http.sign_in.contract import Connection
from onefold.http.wire import ANYBODY, Request, Wire, not_an_address

T = TypeVar("T")
# urllib3 writes whole URLs at DEBUG, and of an answer with odd headers at WARNING: a query may hold personal data.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

LATER = frozenset({408, 425, 429})
LONGEST_SHOWN = 300
"""Characters of a path in messages; a source's next page may have one of thousands."""


@dataclass(frozen=True, slots=True)
class _Request(Request):
    accept: frozenset[int] = frozenset()
    authorised: bool = False
    shown: str | None = None

    @property
    def path(self) -> str:
        """As it may be written down."""
        path = self.shown or shown_path(urlsplit(self.url).path)
        return path if len(path) <= LONGEST_SHOWN else path[: LONGEST_SHOWN - 1] + "…"


class Client:
    """Sends requests to one system, to its own host only. Use it as a context manager: it keeps connections open.
    Threads may share it.

    What attempts have in common with those of other protocols, and the further arguments, are Persistent's. Requests
    for tokens are attempts too.
    """

    def __init__(
        self,
        system: System,
        endpoint: Endpoint,
        on_attempt: Callable[[Attempt], None],
        **settings: Unpack[AttemptSettings],
    ) -> None:
        self.system = system
        self._wire = Wire(system.system, system.connection, endpoint.url, system.limits.answer_mib << 20)
        if system.auth.mtls:
            from onefold.http.client_certificate import certificate_context  # cryptography takes its time to import

            places = [endpoint.url, (endpoint.extra or {}).get("token_url") or endpoint.url]
            places += [f"https://{host}" for host in _hosts_of_pages(system)]
            self._wire.show_certificate(certificate_context(Connection(system, endpoint)), places)
        self._way = Persistent(system, endpoint, self._wire.host, on_attempt, **settings)
        self._sign_in = sign_in(system, endpoint, self._exchange)

    def __enter__(self) -> Self:
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
        largest: int | None = None,
        hosts: Collection[str] = (),
    ) -> T:
        """Send a request and give what `parse` makes of the answer: a 2xx one, or one whose status is in `accept`.

        `path` lies below the connection's URL, or is an absolute URL of the same host or one of `hosts`. `parse`
        raises BadBody when the body is not whole and sound: then the request is tried again, as after 429, 5xx, a
        timeout or a broken connection. `shown` is written down in place of a path that holds personal data. `largest`
        is how many bytes the answer may have, where that is not limits.answer_mib. Raises Retriable when the
        system stays down or says "later" for too long (QuotaExhausted when we may ask no more for now), Fatal when it
        refuses.
        """
        data = body.encode() if isinstance(body, str) else body
        url = self._wire.url(path, params, hosts)
        request = _Request(method, url, headers or {}, data, largest, hosts, accept, authorised=True, shown=shown)
        try:
            return self._persist(request, parse)
        except Unauthorized as error:
            if not self._sign_in.renew(error.proof, error.headers):
                raise self._refused(request, error) from error
        return self._persist_or_refuse(request, parse)

    def send_once(
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
        """Send a request that may change something: as `send`, but never again once it may have been carried out.

        Only a sign-in that was not accepted is renewed and the request sent once more. Raises NotSent when it was
        surely not carried out (nothing was sent, or the system let us not in or said "later" before it began),
        Unanswered when nobody knows (no whole and sound answer, or an error of the server), Refused when it was
        refused.
        """
        data = body.encode() if isinstance(body, str) else body
        url = self._wire.url(path, params)
        request = _Request(method, url, headers or {}, data, accept=accept, authorised=True, shown=shown)
        return sent_once(
            lambda parsed: self._way.once(self._named(request), lambda: self._once(request, parsed)),
            parse,
            lambda error: self._sign_in.renew(error.proof, error.headers),
            lambda error: self._refused(request, error),
        )

    def fetch(self, url: str, *, parse: Callable[[Response], T], headers: Mapping[str, str] | None = None) -> T:
        """Get what the system has laid ready at an address that carries its own permission (a signed link).

        It may be on any https host: no credentials are sent there. Else as `send`.
        """
        return self._exchange("GET", url, headers or {}, None, parse)

    def following(self, page: str, address: str, named: str) -> str:
        """The path of the next page, below the connection's URL or an absolute address of another host, where an
        answer to the path `page` gives `address`. Raises Fatal when that is no address; `named` is who gave it."""
        try:
            return self._wire.following(page, address)
        except ValueError:
            raise not_an_address(named) from None

    def wait(self, seconds: float) -> None:
        """Pause before asking the system again about what it is still busy with.

        Raises Retriable for a pause that is longer than all attempts at a request may take: what the system says of
        when to come back may be any number.
        """
        self._way.pause(seconds)

    def _exchange(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str],
        body: bytes | None,
        parse: Callable[[Response], T],
        accept: frozenset[int] = frozenset(),
    ) -> T:
        # a signed link, or a token_url of the connection's own extra, may be on another host: no credentials go there
        url = address if address.startswith("https://") else self._wire.url(address)
        return self._persist_or_refuse(_Request(method, url, headers, body, accept=accept), parse)

    def _persist_or_refuse(self, request: _Request, parse: Callable[[Response], T]) -> T:
        try:
            return self._persist(request, parse)
        except Unauthorized as error:
            raise self._refused(request, error) from error

    def _persist(self, request: _Request, parse: Callable[[Response], T]) -> T:
        return self._way.persist(self._named(request), lambda: self._once(request, parse))

    def _once(self, request: _Request, parse: Callable[[Response], T]) -> T:
        proof = self._sign_in.proof() if request.authorised else None
        with self._way.attempt(request.method, request.path) as outcome:
            try:
                return self._exchanged(request, proof, parse, outcome)
            except Unauthorized as error:
                error.proof = proof
                raise

    def _exchanged(self, request: _Request, proof: str | None, parse: Callable[[Response], T], outcome: Outcome) -> T:
        access = self._sign_in.access(proof, request.method) if request.authorised else ANYBODY
        started = time.monotonic()
        try:
            response = self._wire.exchange(request, self._way.timeout, self._named(request), access)
        finally:
            outcome.milliseconds = round((time.monotonic() - started) * 1000)
        outcome.status, outcome.bytes = response.status, response.size
        outcome.used, outcome.limit = quota(self._quota_header(response))
        left = quota_left(response.headers, self.system.limits.quota, datetime.now(UTC))
        if left and left.used_up:
            self._way.hold_back(left)
        with closing(response.file):
            return self._judged(request, response, parse, left)

    def _quota_header(self, response: Response) -> str | None:
        name = self.system.usage_header
        return response.headers.get(name) if name else None

    def _judged(self, request: _Request, response: Response, parse: Callable[[Response], T], left: Left | None) -> T:
        status = response.status
        if request.authorised and self._sign_in.has_ended(response):
            raise Unauthorized(described(response.body, known_words(self.system)), status, response.headers)
        if not request.authorised and status in request.accept and (later := self._later(response, left)):
            raise later  # a token server that is busy has not refused
        if 200 <= status < 300 or status in request.accept:
            try:
                return parse(response)
            except Later as error:
                raise Again(
                    f"status {status}: {error}", status=status, retry_after=error.seconds, told_to_wait=True
                ) from error
            except BadBody as error:
                raise Again(f"status {status} with an unsound body: {error}", status=status) from error
            except (OnefoldError, Again, Unauthorized, MemoryError):
                raise
            except Exception as error:  # its words would quote what was sent
                raise Again(
                    f"status {status} with a body that cannot be read ({type(error).__name__})", status=status
                ) from error
        body = response.body
        answer = described(body, known_words(self.system))
        if status == 401:
            raise Unauthorized(answer, status, response.headers)
        if any(text.encode() in body for text in self.system.errors.quota_exhausted):
            raise QuotaExhausted(
                f"{self._named(request)} was refused with status {status} ({answer}): our quota is used up "
                "there. Run it later; what it has answered is kept."
            )
        if later := self._later(response, left):
            raise later
        raise refusal(self._named(request), status, answer, self.system.connection)

    def _later(self, response: Response, left: Left | None) -> Again | None:
        """What is raised for an answer that says to come back; None for one that refuses for good."""
        status, body = response.status, response.body
        says_later = any(text.encode() in body for text in self.system.errors.retry)
        used_up = left.seconds if left and left.used_up and status in (403, *LATER) else None
        told = status == 403 and "Retry-After" in response.headers  # as GitHub says it
        if not (status >= 500 or status in LATER or says_later or told or used_up):
            return None
        pause = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return Again(
            f"status {status}",
            status=status,
            answer=described(body, known_words(self.system)),
            retry_after=used_up if pause is None else pause,
            told_to_wait=status == 429 or says_later or told or used_up is not None,
            begun=status >= 500 and not (status == 503 and "Retry-After" in response.headers),
        )

    def _refused(self, request: _Request, error: Unauthorized) -> Refused:
        return refusal(self._named(request), error.status, error.answer, self.system.connection, credentials=True)

    def _named(self, request: _Request) -> str:
        return self._way.named(request.method, request.path)


def _hosts_of_pages(system: System) -> Iterator[str]:
    """The further hosts that the system's next pages may be on."""
    for stream in system.streams.values():
        feed, sweep = stream.deletes.tombstones, stream.deletes.sweep
        for following in (stream.next, feed and feed.next, sweep and sweep.next):
            yield from following.hosts if following else ()
